import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { Contract } from '../data/contract/contract.ts';
import { silverColumns } from '../data/contract/silver.ts';
import { storeQuery } from '../lake/write.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { type UseCase, contractOf, useCaseOf } from '../usecase/catalogue.ts';
import { featureTableColumns } from '../usecase/check.ts';
import { featureQuery } from '../usecase/feature-query.ts';
import { type Delivery, deliveriesOf, numberDrops } from './common/newest.ts';
import { inPartition, storePart } from './common/parts.ts';
import { currentRows, featuresPath, lakeTable, latestBuilt, mountTable, silverPath, withSql } from './common/sql.ts';
import type { Partition, StageInput } from '../stages.ts';
import type { Stage } from './stage.ts';

/** The SQL gives a part of the entities rows of others: built in parts, it would give them twice, or wrong. */
export class FeaturesCrossEntities extends Error {
  override name = 'FeaturesCrossEntities';

  constructor(useCase: string, key: string) {
    super(
      `features.sql of ${useCase} gives rows of entities that are not in the bucket: it joins sources by something else than ` +
        `"${key}", or gives it in another type or form than the sources do. Mend it, or declare "features.buckets" as 1.`,
    );
  }
}

const foreignEntity = 'the entity is not in the bucket';

/**
 * Runs the use case's features.sql over the partition's entities in silver, and stores the rows that are new or have changed as
 * a data file, which counts for nothing until `Append` commits it. Rows that hold already are not stored again.
 */
export const features: Stage<'Features'> = async ({ useCase, runId, plan, partition }, ports) => {
  const definition = useCaseOf(ports.catalogue, useCase);
  const { entity } = definition.declaration;
  return withSql(ports, async (sql) => {
    const path = featuresPath(useCase);
    const table = lakeTable(ports, ports.gold, path, sql);
    const exists = plan.dataVersion >= 0;
    if (exists) await mountTable(table, sql, 'existing', plan.dataVersion);
    await mountSources(sql, definition, { plan, partition }, ports);

    const [key, ...others] = featureTableColumns(definition.declaration).map(quoteName);
    const columns = [key, ...others].join(', ');
    const mine = inPartition(entity.key, partition);
    const current = currentRows('existing', [entity.key, entity.eventTime], latestBuilt, mine);
    const known = exists ? `EXCEPT SELECT ${columns} FROM (${current})` : '';
    // by a clock that is behind the last writer's, the newest rows would not be the latest
    const now = `make_timestamptz(${plan.builtAtMs} * 1000)`;
    const builtAt = exists ? `greatest(${now}, (SELECT max(_built_at) + INTERVAL 1 MILLISECOND FROM existing))` : now;
    const ownKey = `CASE WHEN ${mine} THEN ${key} ELSE error(${quoteText(foreignEntity)}) END AS ${key}`;
    const built = `SELECT ${[ownKey, ...others].join(', ')} FROM (${featureQuery(definition)}\n) ${known}`;
    const batch = `SELECT *, ${quoteText(runId)} AS _batch, ${builtAt} AS _built_at FROM (${built}) ORDER BY ALL`;
    const data = await storeQuery(table, sql, batch).catch((error: Error) => {
      throw error.message.includes(foreignEntity) ? new FeaturesCrossEntities(useCase, entity.key) : error;
    });
    return storePart(ports.gold, { table: path, runId, partition }, data);
  });
};

/** Each source as the view of its name: the current rows of the partition's entities, or no rows where nothing had arrived. */
async function mountSources(
  sql: SqlEngine,
  useCase: UseCase,
  { plan, partition }: Pick<StageInput<'Features'>, 'plan' | 'partition'>,
  ports: Ports,
): Promise<void> {
  const { id, entity, sources } = useCase.declaration;
  for (const source of Object.keys(sources)) {
    const contract = releasedContract(contractOf(useCase, source));
    const version = plan.silver[source];
    const raw = `${source} as delivered`;
    const silver =
      version < 0
        ? undefined
        : await mountTable(lakeTable(ports, ports.silver, silverPath(id, source), sql), sql, raw, version);
    const rows = silver
      ? await currentOf(sql, raw, { contract, entity, partition, deliveries: deliveriesOf(silver) })
      : noRows(contract);
    const columns = contract.columns.map(({ name }) => quoteName(name)).join(', ');
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(source)} AS SELECT ${columns} FROM (${rows})`);
  }
}

type Wanted = {
  contract: Contract;
  entity: UseCase['declaration']['entity'];
  partition: Partition;
  /** Of the whole table: which drop holds is no matter of the partition. */
  deliveries: readonly Delivery[];
};

/** Of each record the row that came last, for the partition's entities where the source knows them, else for all. */
async function currentOf(
  sql: SqlEngine,
  raw: string,
  { contract, entity, partition, deliveries }: Wanted,
): Promise<string> {
  const keys = contract.columns
    .filter(({ name, primaryKey }) => primaryKey || name === entity.eventTime)
    .map(({ name }) => name);
  const inOrder = `${raw}, in order`;
  await numberDrops(sql, raw, inOrder, deliveries);
  const newest = '_newest DESC, _line DESC';
  const hasKey = contract.columns.some(({ name }) => name === entity.key);
  if (!hasKey || partition.buckets === 1) return currentRows(inOrder, keys, newest);
  const mine = inPartition(entity.key, partition);
  if (keys.length === 0 || keys.includes(entity.key)) return currentRows(inOrder, keys, newest, mine);
  // a correction may have moved a record to another entity: all its rows say which one holds
  const touched = `${raw}, of the partition`;
  const same = keys.map((key) => `every.${quoteName(key)} IS NOT DISTINCT FROM mine.${quoteName(key)}`).join(' AND ');
  await sql.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(touched)} AS SELECT every.* FROM ${quoteName(inOrder)} AS every
    SEMI JOIN (SELECT ${keys.map(quoteName).join(', ')} FROM ${quoteName(raw)} WHERE ${mine}) AS mine ON ${same}`);
  return `SELECT * FROM (${currentRows(touched, keys, newest)}) WHERE ${mine}`;
}

const noRows = (contract: Contract): string => {
  const columns = silverColumns(contract).map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
};
