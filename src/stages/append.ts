import { liveAt } from '../governance/aliases.ts';
import { readLedger } from '../governance/ledger.ts';
import { loadParts, rowsIn } from './common/parts.ts';
import { featuresPath, featuresTxn, lakeTable, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

/**
 * Commits the features of all partitions at once, as one batch named after the drop; nothing is ever overwritten. Throws
 * `ConcurrentChange` where the feature table has other rows than were planned upon: a run that has read older silver must not
 * have the last word, and plans again.
 */
export const append: Stage<'Append'> = async ({ useCase, runId, plan, parts }, ports) => {
  const hasChampion = liveAt(await readLedger(ports.registry, useCase), 'champion') !== null;
  const { complete } = plan;
  const unchanged = { useCase, runId, rows: 0, dataVersion: Math.max(plan.dataVersion, 0), hasChampion, complete };
  // a drop that brings nothing new makes no new data version, which would seem worth a retraining
  if (parts.every((part) => part.rows === 0)) return unchanged;
  const data = await loadParts(ports.gold, parts, 'gold');
  return withSql(ports, async (sql) => {
    const { version } = await lakeTable(ports, ports.gold, featuresPath(useCase), sql).append(data, {
      txn: featuresTxn(runId),
      details: { runId, codeVersion: ports.codeVersion },
      unchangedSince: plan.dataVersion,
    });
    return { ...unchanged, rows: rowsIn(data), dataVersion: version };
  });
};
