import type { Action, Add, Metadata, Remove } from './actions.ts';
import type { LakeContext, Plan } from './commit.ts';
import { promisedSha256, type DataFile, type DataFiles, type PlaceFiles } from './data-files.ts';
import { SchemaMismatch } from './errors.ts';
import { grownSchema } from './fit.ts';
import type { Location } from './log.ts';
import { checkRemovable, checkWritable, protocolFor, upgrade } from './protocol.ts';
import { sqlType, type Schema } from './schema.ts';
import type { Snapshot } from './snapshot.ts';

/** An application's own mark on a commit: what carries it is committed at most once. */
export type TransactionId = {
  /** Names the writer or the piece of work, such as one drop's key and etag. */
  appId: string;
  /** Grows with each transaction of that application; one that is not above the last is taken as done. */
  version: number;
};

export type WriteOptions = {
  txn?: TransactionId;
  /** Further marks that the commit leaves. They do not decide whether it is made. */
  marks?: readonly TransactionId[];
  /** Facts for the history, beside mode and partition columns: a run, a code version. Never values of rows. */
  details?: { [name: string]: string };
  /** Delta's table properties for a table that this write makes, as `delta.appendOnly`; they change nothing later. */
  properties?: { [name: string]: string };
  /** Columns that the table lacks are added to it, behind its own; its earlier rows have null there. @default - refused */
  addColumns?: boolean;
  /**
   * The version from which the write was worked out: where the rows or columns are others by now, it is refused as a
   * `ConcurrentChange`. @default - the write holds whatever came in between
   */
  unchangedSince?: number;
};

export type OverwriteOptions = WriteOptions & {
  /** The columns and the partition columns become the new rows'. @default - they must fit */
  replaceSchema?: boolean;
  /** `partitions`: only of the partitions that the new rows are of. @default - all */
  replace?: 'all' | 'partitions';
};

/** What planning a write takes besides the table's state. */
export type Writer = LakeContext & { at: Location; place: PlaceFiles };

/** What a change by key does to a table: files out of it, files with their other rows in their place, and new rows. */
export type Rewrite = {
  operation: 'DELETE' | 'MERGE';
  /** The columns that make the key. */
  key: readonly string[];
  removed: readonly Add[];
  /** What is left of the removed files. */
  survivors: readonly DataFile[];
  /** How many rows of the removed files are left out. */
  matchedRows: number;
};

/** Whether the table has that transaction already. */
export function isDone(latest: Snapshot | undefined, txn: TransactionId | undefined): boolean {
  return txn !== undefined && (latest?.transactions.get(txn.appId)?.version ?? -Infinity) >= txn.version;
}

/** Adds the files; makes the table where there is none. Nothing to do without rows, unless a transaction is to be marked. */
export async function planAppend(
  writer: Writer,
  latest: Snapshot | undefined,
  data: DataFiles,
  options: WriteOptions,
): Promise<Plan | undefined> {
  if (latest && data.files.length === 0 && !options.txn) return undefined;
  const start = latest ? fittedTo(latest, data, options) : creation(writer, data, options);
  const adds = await writer.place(data.files, takenIn(latest));
  return write('Append', writer, data, options, { start, adds, removes: [] });
}

/**
 * Replaces all rows, or those of the data's partitions, whatever version they are then in. A live file with the content of a
 * new one stays where it is.
 */
export async function planOverwrite(
  writer: Writer,
  latest: Snapshot | undefined,
  data: DataFiles,
  options: OverwriteOptions,
): Promise<Plan | undefined> {
  const byPartition = options.replace === 'partitions';
  if (byPartition) checkParted(writer.at.path, data, options);
  if (latest) checkRemovable(latest.at.path, latest.metadata);
  if (latest && byPartition && data.files.length === 0 && !options.txn) return undefined;
  const start = latest ? overwriting(latest, data, options) : creation(writer, data, options);
  const live = [...(latest?.files.values() ?? [])];
  const partitions = new Set(data.files.map((file) => partitionOf(data, file)));
  const replaced = byPartition ? live.filter((add) => partitions.has(partitionOf(data, add))) : live;
  const { added, removed } = difference(data, replaced);
  const adds = await writer.place(added, takenIn(latest));
  const removes = removals(removed, writer);
  return write(byPartition ? 'Overwrite partitions' : 'Overwrite', writer, data, options, { start, adds, removes });
}

/** Takes files out for those of their rows that were found by key, and brings new rows in: one commit, so none is missed. */
export async function planRewrite(
  writer: Writer,
  latest: Snapshot,
  data: DataFiles,
  { operation, key, removed, survivors, matchedRows }: Rewrite,
  options: WriteOptions,
): Promise<Plan | undefined> {
  if (removed.length === 0 && data.files.length === 0 && !options.txn) return undefined;
  const start = fittedTo(latest, data, options);
  const adds = await writer.place([...survivors, ...data.files], takenIn(latest));
  const removes = removals(removed, writer);
  return {
    actions: inOrder(writer, options, { start, adds, removes }),
    operation,
    parameters: { key: JSON.stringify(key), ...options.details },
    metrics: {
      numAddedFiles: adds.length,
      numRemovedFiles: removed.length,
      [operation === 'DELETE' ? 'numDeletedRows' : 'numTargetRowsUpdated']: matchedRows,
      numCopiedRows: rowsIn(survivors),
      ...(operation === 'MERGE' && { numSourceRows: rowsIn(data.files) }),
    },
    isBlindAppend: false,
  };
}

type Changes = { start: Action[]; adds: Add[]; removes: Remove[] };

function write(mode: string, context: LakeContext, data: DataFiles, options: WriteOptions, changes: Changes): Plan {
  const { adds, removes } = changes;
  return {
    actions: inOrder(context, options, changes),
    operation: 'WRITE',
    parameters: { mode, partitionBy: JSON.stringify(data.partitionColumns), ...options.details },
    metrics: {
      numFiles: adds.length,
      numOutputRows: rowsIn(data.files),
      numOutputBytes: adds.reduce((sum, add) => sum + add.size, 0),
      numRemovedFiles: removes.length,
    },
    isBlindAppend: mode === 'Append',
  };
}

function inOrder(
  { clock }: LakeContext,
  { txn, marks = [] }: WriteOptions,
  { start, adds, removes }: Changes,
): Action[] {
  return [
    ...start,
    ...[...(txn ? [txn] : []), ...marks].map((mark) => ({ txn: { ...mark, lastUpdated: clock.nowMs() } })),
    ...removes.map((remove) => ({ remove })),
    ...adds.map((add) => ({ add })),
  ];
}

function removals(adds: readonly Add[], { clock }: LakeContext): Remove[] {
  const deletionTimestamp = clock.nowMs();
  return adds.map(({ path, partitionValues, size }) => {
    return { path, deletionTimestamp, dataChange: true, extendedFileMetadata: true, partitionValues, size };
  });
}

function rowsIn(files: readonly DataFile[]): number {
  return files.reduce((sum, file) => sum + file.rows, 0);
}

/** The first actions of a new table. */
function creation(context: LakeContext, { schema, partitionColumns }: DataFiles, options: WriteOptions): Action[] {
  const metaData: Metadata = {
    id: context.ids.next(),
    format: { provider: 'parquet', options: {} },
    schemaString: JSON.stringify(schema),
    partitionColumns,
    createdTime: context.clock.nowMs(),
    configuration: options.properties ?? {},
  };
  return [{ protocol: protocolFor(schema) }, { metaData }];
}

/** What an overwrite of the table begins with. Throws where the data does not fit and may not change that. */
function overwriting(latest: Snapshot, data: DataFiles, options: OverwriteOptions): Action[] {
  if (!options.replaceSchema) return fittedTo(latest, data, options);
  checkWritable(latest.at.path, latest.protocol, data.schema);
  return schemaChange(latest, data.schema, data.partitionColumns);
}

/** What gives the table the data's further columns, where it may. Throws where the data does not fit. */
function fittedTo(latest: Snapshot, data: DataFiles, { addColumns = false }: WriteOptions): Action[] {
  const schema = addColumns ? grownSchema(latest.at.path, latest.schema, data.schema) : latest.schema;
  checkFits(latest, schema, data);
  return schemaChange(latest, schema, latest.metadata.partitionColumns);
}

/** What gives the table these columns, where they are other ones. */
function schemaChange(latest: Snapshot, schema: Schema, partitionColumns: string[]): Action[] {
  const { protocol, metadata } = latest;
  const same = JSON.stringify(latest.schema) === JSON.stringify(schema);
  if (same && sameNames(metadata.partitionColumns, partitionColumns)) return [];
  const metaData = { ...metadata, schemaString: JSON.stringify(schema), partitionColumns };
  const upgraded = upgrade(protocol, schema);
  return upgraded ? [{ protocol: upgraded }, { metaData }] : [{ metaData }];
}

/** Which files are new, and which live ones have no new file of the same content to stay for. */
function difference(data: DataFiles, live: readonly Add[]): { added: DataFile[]; removed: Add[] } {
  const removed = new Set(live);
  const added = data.files.filter((file) => {
    const twin = [...removed].find(
      (add) => promisedSha256(add.path) === file.sha256 && partitionOf(data, add) === partitionOf(data, file),
    );
    return twin === undefined || !removed.delete(twin);
  });
  return { added, removed: [...removed] };
}

/** A file's partition, comparable as text. An empty value stands for null, as in every reader's eyes. */
function partitionOf({ partitionColumns }: DataFiles, { partitionValues }: Add | DataFile): string {
  return JSON.stringify(partitionColumns.map((name) => partitionValues[name] || null));
}

function checkParted(path: string, data: DataFiles, { replaceSchema }: OverwriteOptions): void {
  const problem = replaceSchema
    ? 'the partitions that stay would have the old columns'
    : data.partitionColumns.length === 0 && 'there are no partitions to replace';
  if (problem) throw new SchemaMismatch(path, '(partition)', problem);
}

function takenIn(latest: Snapshot | undefined): (path: string) => boolean {
  return (path) => latest !== undefined && (latest.files.has(path) || latest.tombstones.has(path));
}

/**
 * Throws where the files do not fit the latest version with the columns `wanted`: these may have changed since the files were
 * written. A column that was added meanwhile may be missing, for it is null in all rows of before.
 */
function checkFits(latest: Snapshot, wanted: Schema, { schema, partitionColumns, files }: DataFiles): void {
  const { path } = latest.at;
  checkWritable(path, latest.protocol, wanted);
  if (!sameNames(latest.metadata.partitionColumns, partitionColumns)) {
    const columns = latest.metadata.partitionColumns.join(', ') || 'nothing';
    throw new SchemaMismatch(path, partitionColumns.join(', '), `the table is partitioned by ${columns}`);
  }
  const names = new Set([...wanted.fields, ...schema.fields].map((field) => field.name));
  for (const name of names) {
    const [own, given] = [wanted, schema].map(({ fields }) => fields.find((field) => field.name === name));
    if (!own) throw new SchemaMismatch(path, name, 'the table has no such column');
    if (!given && own.nullable) continue;
    if (!given) throw new SchemaMismatch(path, name, 'it is missing');
    if (JSON.stringify(own.type) !== JSON.stringify(given.type)) {
      throw new SchemaMismatch(path, name, `it is ${sqlType(given.type)} where the table has ${sqlType(own.type)}`);
    }
    if (!own.nullable && files.some((file) => nullsIn(file, name) > 0)) {
      throw new SchemaMismatch(path, name, 'it has nulls where the table allows none');
    }
  }
}

function nullsIn(file: DataFile, column: string): number {
  if (column in file.partitionValues) return file.partitionValues[column] === null ? file.rows : 0;
  const { nullCount = {} } = JSON.parse(file.stats) as { nullCount?: { [column: string]: number } };
  return nullCount[column] ?? 0;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
