import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { LocalCopy } from '../ports/object-store.ts';
import type { Add, Metadata } from './actions.ts';
import { promisedSha256 } from './data-files.ts';
import { UnsupportedTable } from './errors.ts';
import { keyOf, type Location } from './log.ts';
import { filterCondition, pruned, type Filter } from './prune.ts';
import { sqlType, type Schema } from './schema.ts';
import type { Snapshot } from './snapshot.ts';

/** A snapshot that stands as a view in an SQL engine. `release` drops the view and removes the local copies behind it. */
export type Mounted = { view: string; release(): Promise<void> };

/**
 * Makes the snapshot's rows the temporary view `view`, with the table's columns, order and types: a column that a file lacks is
 * null there, one that the table lacks is left out. Each file is brought to the local disk first, and one of ours is checked
 * against the SHA-256 in its name. With `filters` the view has only the rows that meet them all, and a file is fetched only
 * where its partition and statistics leave it possible that it holds some. Throws `ObjectNotFound` and `ObjectDamaged`.
 */
export async function mount(
  sql: SqlEngine,
  snapshot: Snapshot,
  view: string,
  filters: readonly Filter[] = [],
): Promise<Mounted> {
  const adds = [...pruned(snapshot, filters).files.values()];
  const copies = await copyAll(snapshot.at, adds);
  const release = async () => {
    for (const copy of copies) await copy.release();
  };
  try {
    const rows = `FROM (${viewQuery(snapshot, adds, copies)}) WHERE ${filterCondition(snapshot, filters)}`;
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(view)} AS ${rows}`);
  } catch (error) {
    await release();
    throw error;
  }
  return {
    view,
    async release() {
      await sql.run(`DROP VIEW IF EXISTS ${quoteName(view)}`);
      await release();
    },
  };
}

/**
 *   SELECT CAST(column AS type), …                       -- exactly the table's columns
 *   FROM (SELECT NULL::type AS column, … WHERE false     -- every column exists, though no file may have it
 *         UNION ALL BY NAME
 *         SELECT …, value AS partition column FROM read_parquet([files of one partition])
 *         UNION ALL BY NAME …)
 */
function viewQuery({ schema, metadata }: Snapshot, adds: readonly Add[], copies: readonly LocalCopy[]): string {
  const none = schema.fields.map(({ name, type }) => `NULL::${sqlType(type)} AS ${quoteName(name)}`);
  // some writers put the partition columns into the files as well; the log's values count
  const partitions = metadata.partitionColumns.map(quoteText);
  const inFiles = partitions.length === 0 ? '*' : `COLUMNS(lambda name: name NOT IN (${partitions.join(', ')}))`;
  const parts = [`SELECT ${none.join(', ')} WHERE false`];
  for (const { partitionValues, paths } of byPartition(metadata, adds, copies)) {
    const values = metadata.partitionColumns.map((name) => partitionValue(schema, name, partitionValues[name] ?? null));
    const files = `read_parquet([${paths.map(quoteText).join(', ')}], union_by_name = true, hive_partitioning = false)`;
    parts.push(`SELECT ${[inFiles, ...values].join(', ')} FROM ${files}`);
  }
  const columns = schema.fields.map(
    ({ name, type }) => `CAST(${quoteName(name)} AS ${sqlType(type)}) AS ${quoteName(name)}`,
  );
  return `SELECT ${columns.join(', ')} FROM (${parts.join(' UNION ALL BY NAME ')})`;
}

type Partition = { partitionValues: Add['partitionValues']; paths: string[] };

function byPartition(metadata: Metadata, adds: readonly Add[], copies: readonly LocalCopy[]): Iterable<Partition> {
  const partitions = new Map<string, Partition>();
  for (const [i, { partitionValues }] of adds.entries()) {
    const key = JSON.stringify(metadata.partitionColumns.map((name) => partitionValues[name] ?? null));
    const partition = partitions.get(key) ?? { partitionValues, paths: [] };
    partition.paths.push(copies[i].path);
    partitions.set(key, partition);
  }
  return partitions.values();
}

/** An empty text stands for null, says the protocol ("Partition Value Serialization"). */
function partitionValue(schema: Schema, name: string, value: string | null): string {
  const type = schema.fields.find((field) => field.name === name)!.type;
  const literal = value === null || value === '' ? 'NULL' : quoteText(value);
  return `CAST(${literal} AS ${sqlType(type)}) AS ${quoteName(name)}`;
}

/** Local copies of the files, in their order, some at a time; none stays where one fails. */
async function copyAll(at: Location, adds: readonly Add[]): Promise<LocalCopy[]> {
  const copies: LocalCopy[] = [];
  for (let i = 0; i < adds.length; i += copiesAtOnce) {
    const batch = await Promise.allSettled(adds.slice(i, i + copiesAtOnce).map((add) => copyOne(at, add)));
    for (const outcome of batch) if (outcome.status === 'fulfilled') copies.push(outcome.value);
    const failed = batch.find((outcome) => outcome.status === 'rejected');
    if (failed) {
      for (const copy of copies) await copy.release();
      throw failed.reason;
    }
  }
  return copies;
}

const copiesAtOnce = 8;

async function copyOne(at: Location, { path }: Add): Promise<LocalCopy> {
  if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(path)) {
    throw new UnsupportedTable(at.path, `has files outside of its directory (${path}), unknown here`);
  }
  const sha256 = promisedSha256(path);
  return at.store.localCopy(keyOf(at, decodeURIComponent(path)), sha256 === undefined ? undefined : { sha256 });
}
