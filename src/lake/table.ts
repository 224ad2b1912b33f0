import { checkKey } from '../ports/object-key.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { commit, type LakeContext, type Plan } from './commit.ts';
import { filePlacer, type DataFiles } from './data-files.ts';
import { ConcurrentChange } from './errors.ts';
import { isDone, planAppend, planOverwrite, type OverwriteOptions, type WriteOptions, type Writer } from './plans.ts';
import { LogReader, type AsOf, type HistoryEntry } from './reader.ts';
import type { Snapshot } from './snapshot.ts';
import type { Location } from './log.ts';

/** What became of a write. */
export type Written = {
  /** The version that it made, or where nothing was to do, the latest one (-1 while there is no table). */
  version: number;
  /**
   * `committed`: it made that version. `already-committed`: the table had its transaction, nothing changed. `unchanged`: no
   * rows to append, or none to delete.
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
  /** Commits stored files as further rows. Throws `SchemaMismatch`, `UnsupportedTable`, `CommitConflict`, `ConcurrentChange`. */
  append(data: DataFiles, options?: WriteOptions): Promise<Written>;
  /** Commits stored files in place of all rows, or of their partitions'. Throws as `append` does. */
  overwrite(data: DataFiles, options?: OverwriteOptions): Promise<Written>;
  /**
   * Commits what `plan` makes of the latest snapshot; it is asked again whenever another writer came first. Not at all, where
   * the table has the transaction of `options`. Throws what `plan` throws, `CommitConflict` and `ConcurrentChange`.
   */
  commit(
    plan: (latest: Snapshot | undefined, writer: Writer) => Promise<Plan | undefined>,
    options?: WriteOptions,
  ): Promise<Written>;
}

/** The table at `path` (an object key) in the store, whether it exists yet or not. */
export function deltaTable(store: ObjectStore, path: string, context: LakeContext): DeltaTable {
  checkKey(path);
  const at = { store, path };
  const reader = new LogReader(at, context.sql);

  const write: DeltaTable['commit'] = async (plan, options = {}) => {
    const writer = { ...context, at, place: filePlacer(at, context.clock) };
    let done = false;
    const { version, written } = await commit(reader, context, async (latest) => {
      done = isDone(latest, options.txn);
      if (done) return undefined;
      if (options.unchangedSince !== undefined) await checkUnchanged(reader, latest, options.unchangedSince);
      return plan(latest, writer);
    });
    return { version, status: written ? 'committed' : done ? 'already-committed' : 'unchanged' };
  };

  return {
    at,
    context,
    latest: () => reader.latest(),
    snapshot: (asOf) => reader.snapshot(asOf),
    history: () => reader.history(),
    append: (data, options = {}) => write((latest, writer) => planAppend(writer, latest, data, options), options),
    overwrite: (data, options = {}) => write((latest, writer) => planOverwrite(writer, latest, data, options), options),
    commit: write,
  };
}

/** Throws where the latest version has other files or columns than that one had; -1 is the time before there was a table. */
async function checkUnchanged(reader: LogReader, latest: Snapshot | undefined, since: number): Promise<void> {
  const version = latest?.version ?? -1;
  if (version === since) return;
  if (latest && since >= 0) {
    const before = await reader.snapshot({ version: since });
    const sameFiles =
      before.files.size === latest.files.size && [...before.files.keys()].every((path) => latest.files.has(path));
    if (sameFiles && before.metadata.schemaString === latest.metadata.schemaString) return;
  }
  throw new ConcurrentChange(reader.at.path, since, version);
}
