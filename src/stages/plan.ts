import { isDone } from '../lake/plans.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { featuresPath, featuresTxn, lakeTable, silverPath, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

/**
 * Fixes what the features of a drop are built from and upon: the versions of silver and of the feature table, and the time of
 * the rows. Until every source has delivered there is nothing to join, and nothing is built; nor is what the feature table has.
 */
export const plan: Stage<'Plan'> = async ({ useCase, runId }, ports) => {
  const { sources, features } = useCaseOf(ports.catalogue, useCase).declaration;
  return withSql(ports, async (sql) => {
    // the feature table first: were silver older than what it has been built from, nobody would notice
    const existing = await lakeTable(ports, ports.gold, featuresPath(useCase), sql).latest();
    const silver: { [source: string]: number } = {};
    for (const source of Object.keys(sources)) {
      const latest = await lakeTable(ports, ports.silver, silverPath(useCase, source), sql).latest();
      silver[source] = latest?.version ?? -1;
    }
    const complete = Object.entries(sources).every(([source, { optional }]) => optional || silver[source] >= 0);
    const isDue = complete && !isDone(existing, featuresTxn(runId));
    const { buckets } = features;
    return {
      useCase,
      runId,
      plan: { silver, dataVersion: existing?.version ?? -1, builtAtMs: Math.floor(ports.clock.nowMs()), complete },
      partitions: isDue ? Array.from({ length: buckets }, (_, bucket) => ({ bucket, buckets })) : [],
    };
  });
};
