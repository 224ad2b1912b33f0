import { Table, Utf8, vectorFromArray } from 'apache-arrow';
import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { parseAction, type Action } from './actions.ts';
import { LogDamaged } from './errors.ts';
import { keyOf, paddedVersion, type Location } from './log.ts';
import { emptyState, replay, type Snapshot, type TableState } from './snapshot.ts';

/*
 * Checkpoints (PROTOCOL.md, "Checkpoints", classic naming, V1 spec): the state of one version as one Parquet file, a row per
 * action, a column per kind of action. They only save reading; the commits stay the truth.
 */

const map = 'MAP(VARCHAR,VARCHAR)';
const columns = {
  txn: { appId: 'VARCHAR', version: 'BIGINT', lastUpdated: 'BIGINT' },
  add: {
    path: 'VARCHAR',
    partitionValues: map,
    size: 'BIGINT',
    modificationTime: 'BIGINT',
    dataChange: 'BOOLEAN',
    stats: 'VARCHAR',
    tags: map,
  },
  remove: {
    path: 'VARCHAR',
    deletionTimestamp: 'BIGINT',
    dataChange: 'BOOLEAN',
    extendedFileMetadata: 'BOOLEAN',
    partitionValues: map,
    size: 'BIGINT',
  },
  metaData: {
    id: 'VARCHAR',
    name: 'VARCHAR',
    description: 'VARCHAR',
    format: { provider: 'VARCHAR', options: map },
    schemaString: 'VARCHAR',
    partitionColumns: ['VARCHAR'],
    createdTime: 'BIGINT',
    configuration: map,
  },
  protocol: {
    minReaderVersion: 'INTEGER',
    minWriterVersion: 'INTEGER',
    readerFeatures: ['VARCHAR'],
    writerFeatures: ['VARCHAR'],
  },
};

/**
 * Writes the snapshot's checkpoint and then the hint that points to it. Tombstones from before `tombstonesSinceMs` are left
 * out: their files may be cleaned up. Written twice it is the same; nobody waits for it, nobody needs it.
 */
export async function writeCheckpoint(sql: SqlEngine, snapshot: Snapshot, tombstonesSinceMs: number): Promise<void> {
  const { at, version, protocol, metadata, transactions, files, tombstones } = snapshot;
  const kept = [...tombstones.values()].filter((remove) => (remove.deletionTimestamp ?? 0) >= tombstonesSinceMs);
  const actions: Action[] = [
    { protocol },
    { metaData: metadata },
    ...[...transactions.values()].map((txn) => ({ txn })),
    ...[...files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
    ...kept.map((remove) => ({ remove: { ...remove, dataChange: false } })),
  ];
  const { bytes } = await asParquet(sql, `checkpoint of ${at.path} ${version}`, actions);
  await at.store.put(checkpointKey(at, version), bytes);
  const hint = { version, size: actions.length, sizeInBytes: bytes.length, numOfAddFiles: files.size };
  await at.store.put(hintKey(at), new TextEncoder().encode(JSON.stringify(hint)));
}

/** The version that `_last_checkpoint` names; undefined where there is none. It is a hint: what it says may be outdated. */
export async function lastCheckpoint(at: Location): Promise<number | undefined> {
  const bytes = await at.store.get(hintKey(at));
  if (!bytes) return undefined;
  try {
    const { version } = JSON.parse(new TextDecoder().decode(bytes)) as { version?: unknown };
    return Number.isSafeInteger(version) ? (version as number) : undefined;
  } catch {
    return undefined;
  }
}

/** The state that a checkpoint holds, whoever wrote it. */
export async function readCheckpoint(sql: SqlEngine, at: Location, version: number): Promise<TableState> {
  const copy = await at.store.localCopy(checkpointKey(at, version));
  try {
    const source = `read_parquet(${quoteText(copy.path)})`;
    const described = await sql.rows(`DESCRIBE SELECT * FROM ${source}`);
    const kinds = described.map((row) => row['column_name'] as string).filter((name) => Object.hasOwn(columns, name));
    const selects = kinds.map(
      (kind) =>
        `SELECT to_json({${quoteText(kind)}: ${quoteName(kind)}}) AS line FROM ${source} WHERE ${quoteName(kind)} IS NOT NULL`,
    );
    const rows = await sql.rows(selects.join(' UNION ALL '));
    const damaged = (problem: string) => new LogDamaged(at.path, checkpointKey(at, version), `an action ${problem}`);
    return replay(
      emptyState,
      rows.flatMap((row) => parseAction(row['line'] as string, damaged)),
    );
  } finally {
    await copy.release();
  }
}

/** The actions as a Parquet file with the checkpoint's columns: JSON text in, structs out. */
async function asParquet(sql: SqlEngine, name: string, actions: readonly Action[]): Promise<{ bytes: Uint8Array }> {
  const lines = actions.map((action) => JSON.stringify(action));
  await sql.insert(name, new Table({ line: vectorFromArray(lines, new Utf8()) }));
  try {
    const structs = `SELECT from_json(line, ${quoteText(JSON.stringify(columns))}) AS action FROM ${quoteName(name)}`;
    return await sql.parquet(`SELECT unnest(action) FROM (${structs})`);
  } finally {
    await sql.run(`DROP TABLE ${quoteName(name)}`);
  }
}

function checkpointKey(at: Location, version: number): string {
  return keyOf(at, `_delta_log/${paddedVersion(version)}.checkpoint.parquet`);
}

function hintKey(at: Location): string {
  return keyOf(at, '_delta_log/_last_checkpoint');
}
