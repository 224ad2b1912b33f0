import type { SqlEngine } from '../data/sql.ts';
import { liveAt, shadowOf } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { readVersion } from '../governance/registry.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { type Batch, dueBatches, shadowBatches } from './common/batches.ts';
import { factsOf, recordFacts } from './common/facts.ts';
import { combineQuality } from './common/quality-facts.ts';
import {
  currentFeatures,
  featuresPath,
  lakeTable,
  mountTable,
  predictionsPath,
  shadowsPath,
  withSql,
} from './common/sql.ts';
import type { Stage } from './stage.ts';

/** So many rows are one partition's work: a few seconds of one function. */
const rowsPerPartition = 50_000;

/**
 * Fixes what the run scores and with what: the champion's version and digest, the version of the feature table, the batches
 * that are due. A promotion or a drop meanwhile is for the next run. Asked because of a shadow it does the same for the version
 * in shadow, which takes its batches from where it came in.
 */
export const pin: Stage<'Pin'> = async ({ useCase, runId, cause }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const run = { useCase, runId };
  const entries = await readLedger(ports.registry, useCase);
  const champion = liveAt(entries, 'champion');
  const inShadow = declaration.shadow ? shadowOf(entries) : null;
  const isShadow = cause === 'shadow';
  const hasShadow = !isShadow && inShadow !== null;
  const idle = (reason: string) => ({
    ...run,
    status: 'idle' as const,
    reason,
    batches: [],
    partitions: [],
    hasShadow,
  });
  const version = isShadow ? inShadow : champion;
  if (version === null) return idle(isShadow ? 'No version is in shadow.' : 'There is no champion to score with.');

  return withSql(ports, async (sql) => {
    const features = await mountTable(lakeTable(ports, ports.gold, featuresPath(useCase), sql), sql, 'features');
    if (!features) return idle('There are no features to score.');
    const batches = await batchesOf(
      sql,
      ports,
      declaration,
      isShadow ? shadowsPath(useCase) : predictionsPath(useCase),
    );
    const due = isShadow ? shadowBatches(batches, version) : dueBatches(batches, version);
    // a version in shadow that has nothing left to score may have been seen enough since it was last looked at
    if (due.length === 0 && !isShadow) return idle(`Version ${version} has scored everything that has arrived.`);

    const { digest } = await readVersion(ports.registry, useCase, version);
    const names = due.map(({ name }) => name);
    if (!isShadow) {
      const quality = await qualityOf(ports, useCase, names);
      await recordFacts(ports, run, 'Pin', quality ? { quality } : {});
    }

    const rows = due.reduce((sum, batch) => sum + batch.rows, 0);
    const buckets = Math.ceil(rows / rowsPerPartition);
    return {
      ...run,
      status: 'ready' as const,
      reason: `${rows} rows in ${names.length} batches.`,
      pin: {
        version,
        modelDigest: digest,
        dataVersion: features.version,
        ...(isShadow && { shadow: { champion } }),
      },
      batches: names,
      partitions: Array.from({ length: buckets }, (_, bucket) => ({ bucket, buckets })),
      hasShadow,
    };
  });
};

/** What was delivered with these batches, together. */
async function qualityOf(ports: Ports, useCase: string, drops: readonly string[]) {
  const delivered = await Promise.all(
    drops.map(async (runId) => (await factsOf(ports, { useCase, runId }, 'Validate'))?.quality),
  );
  return combineQuality(delivered.filter((part) => part !== undefined));
}

/** Every batch of the view `features` with rows that still hold, oldest first, and who has scored it into the table of that path. What a later drop has replaced is never scored. */
async function batchesOf(sql: SqlEngine, ports: Ports, declaration: Declaration, path: string): Promise<Batch[]> {
  const table = lakeTable(ports, ports.gold, path, sql);
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
