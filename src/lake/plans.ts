import type { Action, Add, Metadata, Remove } from './actions.ts';
import type { LakeContext, Plan } from './commit.ts';
import { placeFiles, promisedSha256, type DataFile, type DataFiles } from './data-files.ts';
import { SchemaMismatch } from './errors.ts';
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
  /** Facts for the history, beside mode and partition columns: a run, a code version. Never values of rows. */
  details?: { [name: string]: string };
  /** Delta's table properties for a table that this write makes, as `delta.appendOnly`; they change nothing later. */
  properties?: { [name: string]: string };
};

export type OverwriteOptions = WriteOptions & { replaceSchema?: boolean };

/** Whether the table has that transaction already. */
export function isDone(latest: Snapshot | undefined, txn: TransactionId | undefined): boolean {
  return txn !== undefined && (latest?.transactions.get(txn.appId)?.version ?? -Infinity) >= txn.version;
}

/** Adds the files; makes the table where there is none. Nothing to do for a known transaction, or without rows. */
export async function planAppend(
  at: Location,
  context: LakeContext,
  latest: Snapshot | undefined,
  data: DataFiles,
  options: WriteOptions,
): Promise<Plan | undefined> {
  if (isDone(latest, options.txn)) return undefined;
  if (latest && data.files.length === 0 && !options.txn) return undefined;
  if (latest) checkFits(latest, data);
  const start = latest ? [] : creation(context, data, options);
  const adds = await placeFiles(at, data.files, takenIn(latest), context.clock.nowMs());
  return plan('Append', context, data, options, { start, adds, removes: [] });
}

/**
 * Replaces all rows, whatever version they are then in. A live file with the content of a new one stays where it is. With
 * `replaceSchema` the columns and the partition columns are the new ones.
 */
export async function planOverwrite(
  at: Location,
  context: LakeContext,
  latest: Snapshot | undefined,
  data: DataFiles,
  options: OverwriteOptions,
): Promise<Plan | undefined> {
  if (isDone(latest, options.txn)) return undefined;
  if (latest) {
    checkRemovable(at.path, latest.metadata);
    if (options.replaceSchema) checkWritable(at.path, latest.protocol, data.schema);
    else checkFits(latest, data);
  }
  const start = latest ? schemaChange(latest, data) : creation(context, data, options);
  const { added, removed } = difference([...(latest?.files.values() ?? [])], data.files);
  const deletionTimestamp = context.clock.nowMs();
  const adds = await placeFiles(at, added, takenIn(latest), deletionTimestamp);
  const removes = removed.map(({ path, partitionValues, size }) => {
    return { path, deletionTimestamp, dataChange: true, extendedFileMetadata: true, partitionValues, size };
  });
  return plan('Overwrite', context, data, options, { start, adds, removes });
}

type Changes = { start: Action[]; adds: Add[]; removes: Remove[] };

function plan(mode: string, context: LakeContext, data: DataFiles, options: WriteOptions, changes: Changes): Plan {
  const { start, adds, removes } = changes;
  const txn = options.txn && { ...options.txn, lastUpdated: context.clock.nowMs() };
  return {
    actions: [
      ...start,
      ...(txn ? [{ txn }] : []),
      ...removes.map((remove) => ({ remove })),
      ...adds.map((add) => ({ add })),
    ],
    operation: 'WRITE',
    parameters: { mode, partitionBy: JSON.stringify(data.partitionColumns), ...options.details },
    metrics: {
      numFiles: adds.length,
      numOutputRows: data.files.reduce((sum, file) => sum + file.rows, 0),
      numOutputBytes: adds.reduce((sum, add) => sum + add.size, 0),
      numRemovedFiles: removes.length,
    },
  };
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

/** What gives the table other columns, where they are other ones. */
function schemaChange({ protocol, metadata, schema }: Snapshot, data: DataFiles): Action[] {
  const { partitionColumns } = data;
  const same = sameColumns(schema, data.schema) && sameNames(metadata.partitionColumns, partitionColumns);
  if (same) return [];
  const metaData = { ...metadata, schemaString: JSON.stringify(data.schema), partitionColumns };
  const upgraded = upgrade(protocol, data.schema);
  return upgraded ? [{ protocol: upgraded }, { metaData }] : [{ metaData }];
}

/** Which files are new, and which live ones have no new file of the same content to stay for. */
function difference(live: readonly Add[], wanted: readonly DataFile[]): { added: DataFile[]; removed: Add[] } {
  const removed = new Set(live);
  const added = wanted.filter((file) => {
    const partition = JSON.stringify(file.partitionValues);
    const twin = [...removed].find(
      ({ path, partitionValues }) =>
        promisedSha256(path) === file.sha256 && JSON.stringify(partitionValues) === partition,
    );
    return twin === undefined || !removed.delete(twin);
  });
  return { added, removed: [...removed] };
}

function takenIn(latest: Snapshot | undefined): (path: string) => boolean {
  return (path) => latest !== undefined && (latest.files.has(path) || latest.tombstones.has(path));
}

/** Throws where the files do not fit the latest version: its columns may have changed since they were written. */
function checkFits(latest: Snapshot, { schema, partitionColumns, files }: DataFiles): void {
  const { path } = latest.at;
  checkWritable(path, latest.protocol, latest.schema);
  if (!sameNames(latest.metadata.partitionColumns, partitionColumns)) {
    const columns = latest.metadata.partitionColumns.join(', ') || 'nothing';
    throw new SchemaMismatch(path, partitionColumns.join(', '), `the table is partitioned by ${columns}`);
  }
  const names = new Set([...latest.schema.fields, ...schema.fields].map((field) => field.name));
  for (const name of names) {
    const [own, given] = [latest.schema, schema].map(({ fields }) => fields.find((field) => field.name === name));
    if (!own) throw new SchemaMismatch(path, name, 'the table has no such column');
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

function sameColumns(a: Schema, b: Schema): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
