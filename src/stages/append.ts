import type { SqlEngine } from '../data/sql.ts';
import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { ConcurrentChange } from '../lake/errors.ts';
import { isDone } from '../lake/plans.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { StageInput } from '../stages.ts';
import { loadParts, rowsIn } from './common/parts.ts';
import { featuresPath, featuresTxn, lakeTable, silverPath, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

/**
 * Commits the features of all partitions at once, as one batch named after the drop; nothing is ever overwritten. Throws
 * `ConcurrentChange` where silver or the feature table has other rows than were planned upon: a run that has read older silver
 * must not have the last word, and plans again.
 */
export const append: Stage<'Append'> = async ({ useCase, runId, plan, parts }, ports) => {
  const hasChampion = liveAt(await readLedger(ports.registry, useCase), 'champion') !== null;
  const { complete } = plan;
  const unchanged = { useCase, runId, rows: 0, dataVersion: Math.max(plan.dataVersion, 0), hasChampion, complete };
  // a drop that brings nothing new makes no new data version, which would seem worth a retraining
  if (parts.every((part) => part.rows === 0)) return unchanged;
  const data = await loadParts(ports.gold, parts, 'gold');
  return withSql(ports, async (sql) => {
    const table = lakeTable(ports, ports.gold, featuresPath(useCase), sql);
    const txn = featuresTxn(runId);
    if (!isDone(await table.latest(), txn)) await ensureNewest(sql, ports, useCase, plan.silver);
    const { version } = await table.append(data, {
      txn,
      details: { runId, codeVersion: ports.codeVersion },
      unchangedSince: plan.dataVersion,
    });
    return { ...unchanged, rows: rowsIn(data), dataVersion: version };
  });
};

/**
 * That no source has delivered since the plan. Its run may have found nothing new in what had been built by then, and so have left
 * nothing in the feature table that the commit would run into.
 */
async function ensureNewest(
  sql: SqlEngine,
  ports: Ports,
  useCase: string,
  silver: StageInput<'Append'>['plan']['silver'],
): Promise<void> {
  for (const [source, planned] of Object.entries(silver)) {
    const path = silverPath(useCase, source);
    const latest = (await lakeTable(ports, ports.silver, path, sql).latest())?.version ?? -1;
    if (latest !== planned) throw new ConcurrentChange(path, planned, latest);
  }
}
