import { createHash } from 'node:crypto';
import type { Action, Add, Metadata, Protocol, Remove, Txn } from './actions.ts';
import { LogDamaged } from './errors.ts';
import type { Location } from './log.ts';
import { checkReadable } from './protocol.ts';
import { parseSchema, type Schema } from './schema.ts';

/** A table as of one version: what to read, and what a writer must know. Nothing in it changes any more. */
export type Snapshot = TableState & {
  at: Location;
  version: number;
  /** When that version was committed, milliseconds; never before the version that it follows. */
  timestampMs: number;
  protocol: Protocol;
  metadata: Metadata;
  schema: Schema;
};

/** What the log adds up to (PROTOCOL.md, "Action Reconciliation"). */
export type TableState = {
  protocol: Protocol | undefined;
  metadata: Metadata | undefined;
  /** The live files, by path. */
  files: ReadonlyMap<string, Add>;
  /** Files taken out of the table, by path, until their tombstones are forgotten. */
  tombstones: ReadonlyMap<string, Remove>;
  /** Each application's last transaction. */
  transactions: ReadonlyMap<string, Txn>;
};

export const emptyState: TableState = {
  protocol: undefined,
  metadata: undefined,
  files: new Map(),
  tombstones: new Map(),
  transactions: new Map(),
};

/** The state after these actions; of several about one path, application, protocol or schema the last one counts. */
export function replay(state: TableState, actions: Iterable<Action>): TableState {
  let { protocol, metadata } = state;
  const files = new Map(state.files);
  const tombstones = new Map(state.tombstones);
  const transactions = new Map(state.transactions);
  for (const action of actions) {
    if ('add' in action) {
      files.set(action.add.path, action.add);
      tombstones.delete(action.add.path);
    } else if ('remove' in action) {
      files.delete(action.remove.path);
      tombstones.set(action.remove.path, action.remove);
    } else if ('txn' in action) {
      transactions.set(action.txn.appId, action.txn);
    } else if ('metaData' in action) {
      metadata = action.metaData;
    } else if ('protocol' in action) {
      protocol = action.protocol;
    }
  }
  return { protocol, metadata, files, tombstones, transactions };
}

/** The state as a snapshot. Throws where the log is incomplete or the table is not one that we can read. */
export function snapshotOf(at: Location, state: TableState, time: { version: number; timestampMs: number }): Snapshot {
  const { protocol, metadata } = state;
  if (!protocol) throw new LogDamaged(at.path, `version ${time.version}`, 'no commit up to it has a protocol action');
  if (!metadata) throw new LogDamaged(at.path, `version ${time.version}`, 'no commit up to it has a metaData action');
  checkReadable(at.path, protocol, metadata);
  return { ...state, at, ...time, protocol, metadata, schema: parseSchema(metadata.schemaString, at.path) };
}

/**
 * A digest of what the snapshot's reader sees: its columns and its files. Since files are named by their content, the same
 * digest means the same rows, in whatever table or version; it is what lineage records beside the version.
 */
export function contentDigest(snapshot: Snapshot): string {
  const hash = createHash('sha256').update(JSON.stringify(snapshot.schema));
  for (const path of [...snapshot.files.keys()].sort()) hash.update(`\n${path}`);
  return hash.digest('hex');
}

/** How many rows the live files hold; undefined where a file has no statistics, as foreign writers may leave them out. */
export function rowCount(snapshot: Snapshot): number | undefined {
  let rows = 0;
  for (const { stats } of snapshot.files.values()) {
    const { numRecords } = JSON.parse(stats ?? '{}') as { numRecords?: number };
    if (numRecords === undefined) return undefined;
    rows += numRecords;
  }
  return rows;
}
