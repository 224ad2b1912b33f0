import type { SqlEngine } from '../data/sql.ts';
import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { readVersion } from '../governance/registry.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { type Batch, dueBatches } from './common/batches.ts';
import { factsOf, recordFacts } from './common/facts.ts';
import { combineQuality } from './common/quality-facts.ts';
import { currentFeatures, featuresPath, lakeTable, mountTable, predictionsPath, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

/** So many rows are one partition's work: a few seconds of one function. */
const rowsPerPartition = 50_000;

/**
 * Fixes what the run scores and with what: the champion's version and digest, the version of the feature table, the batches
 * that are due. A promotion or a drop meanwhile is for the next run.
 */
export const pin: Stage<'Pin'> = async ({ useCase, runId }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const run = { useCase, runId };
  const idle = (reason: string) => ({ ...run, status: 'idle' as const, reason, batches: [], partitions: [] });
  const champion = liveAt(await readLedger(ports.registry, useCase), 'champion');
  if (champion === null) return idle('There is no champion to score with.');

  return withSql(ports, async (sql) => {
    const features = await mountTable(lakeTable(ports, ports.gold, featuresPath(useCase), sql), sql, 'features');
    if (!features) return idle('There are no features to score.');
    const due = dueBatches(await batchesOf(sql, ports, declaration), champion);
    if (due.length === 0) return idle(`Version ${champion} has scored everything that has arrived.`);

    const { digest } = await readVersion(ports.registry, useCase, champion);
    const names = due.map(({ name }) => name);
    const delivered = await Promise.all(
      names.map(async (drop) => (await factsOf(ports, { useCase, runId: drop }, 'Validate'))?.quality),
    );
    const quality = combineQuality(delivered.filter((part) => part !== undefined));
    await recordFacts(ports, run, 'Pin', quality ? { quality } : {});

    const rows = due.reduce((sum, batch) => sum + batch.rows, 0);
    const buckets = Math.ceil(rows / rowsPerPartition);
    return {
      ...run,
      status: 'ready' as const,
      reason: `${rows} rows in ${names.length} batches.`,
      pin: { version: champion, modelDigest: digest, dataVersion: features.version },
      batches: names,
      partitions: Array.from({ length: buckets }, (_, bucket) => ({ bucket, buckets })),
    };
  });
};

/** Every batch of the view `features` with rows that still hold, oldest first: what a later drop has replaced is never scored. */
async function batchesOf(sql: SqlEngine, ports: Ports, declaration: Declaration): Promise<Batch[]> {
  const table = lakeTable(ports, ports.gold, predictionsPath(declaration.id), sql);
  const predictions = await mountTable(table, sql, 'predictions');
  const scored = predictions
    ? 'SELECT _batch, list(DISTINCT model_version) AS scored_by FROM predictions GROUP BY _batch'
    : 'SELECT NULL::VARCHAR AS _batch, NULL::INTEGER[] AS scored_by WHERE false';
  const rows = await sql.rows(
    `SELECT _batch AS name, count(*) AS rows, any_value(coalesce(scored_by, [])) AS scored_by
      FROM (${currentFeatures(declaration)}) LEFT JOIN (${scored}) USING (_batch) GROUP BY _batch ORDER BY min(_built_at), _batch`,
  );
  return rows.map(({ name, rows: count, scored_by: scoredBy }) => ({
    name: name as string,
    rows: Number(count),
    scoredBy: scoredBy as number[],
  }));
}
