import { checkKey } from '../ports/object-key.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { commit, type LakeContext, type Plan } from './commit.ts';
import type { DataFiles } from './data-files.ts';
import { planAppend, planOverwrite, type OverwriteOptions, type WriteOptions } from './plans.ts';
import { LogReader, type AsOf, type HistoryEntry } from './reader.ts';
import type { Snapshot } from './snapshot.ts';
import type { Location } from './log.ts';

/** What became of a write. */
export type Written = {
  /** The version that it made, or where nothing was to do, the latest one (-1 while there is no table). */
  version: number;
  /**
   * `committed`: it made that version. `already-committed`: the table had its transaction, nothing changed. `unchanged`: no
   * rows to append.
   */
  status: 'committed' | 'already-committed' | 'unchanged';
};

/**
 * A Delta Lake table: Parquet files named by their content, and a log in which each version is one object, put only where
 * there is none. Readers see whole versions; writers may be many. It comes into being with its first write.
 */
export interface DeltaTable {
  readonly at: Location;
  readonly context: LakeContext;
  /** The latest version's snapshot, or undefined while there is no table. */
  latest(): Promise<Snapshot | undefined>;
  /** One version's snapshot, the latest by default. Throws `TableNotFound` and `VersionNotFound`. */
  snapshot(asOf?: AsOf): Promise<Snapshot>;
  /** Every version that the log still tells of, the latest first. Throws `TableNotFound`. */
  history(): Promise<HistoryEntry[]>;
  /** Commits stored files as further rows. Throws `SchemaMismatch`, `UnsupportedTable`, `CommitConflict`. */
  append(data: DataFiles, options?: WriteOptions): Promise<Written>;
  /** Commits stored files in place of all rows. Throws as `append` does. */
  overwrite(data: DataFiles, options?: OverwriteOptions): Promise<Written>;
}

/** The table at `path` (an object key) in the store, whether it exists yet or not. */
export function deltaTable(store: ObjectStore, path: string, context: LakeContext): DeltaTable {
  checkKey(path);
  const at = { store, path };
  const reader = new LogReader(at, context.sql);

  async function write(plan: (latest: Snapshot | undefined) => Promise<Plan | undefined>, options: WriteOptions) {
    const { version, written } = await commit(reader, context, plan);
    if (written) return { version, status: 'committed' } as const;
    return { version, status: options.txn ? 'already-committed' : 'unchanged' } as const;
  }

  return {
    at,
    context,
    latest: () => reader.latest(),
    snapshot: (asOf) => reader.snapshot(asOf),
    history: () => reader.history(),
    append: (data, options = {}) => write((latest) => planAppend(at, context, latest, data, options), options),
    overwrite: (data, options = {}) => write((latest) => planOverwrite(at, context, latest, data, options), options),
  };
}
