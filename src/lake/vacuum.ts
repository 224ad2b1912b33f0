import { ObjectNotFound } from '../ports/errors.ts';
import type { ObjectInfo } from '../ports/object-store.ts';
import { tombstoneRetentionMs, type Plan } from './commit.ts';
import { ClockSkewed, TableNotFound, UnsafeRetention } from './errors.ts';
import { keyOf } from './log.ts';
import { checkWritable } from './protocol.ts';
import type { Snapshot } from './snapshot.ts';
import { deltaTable, type DeltaTable } from './table.ts';

export type VacuumOptions = {
  /** How long a file stays after the table has let go of it. @default - seven days */
  retentionMs?: number;
  /** Only tells what would go. @default - false */
  dryRun?: boolean;
};

/** What a vacuum takes away: data files that the table let go of, ones that were never committed, and old work in progress. */
export type Vacuumed = { files: ObjectInfo[]; sizeBytes: number };

/** Above how long a step may still work with a file that it has stored, see `storeDataFile`, and what clocks may be apart. */
export const leastRetentionMs = 48 * 3_600_000;

/** More than this between the clock here and the store's own is an error of one of them. */
const tolerableSkewMs = 5 * 60_000;

/**
 * Deletes the files in the table's directory that no version within the retention needs: those under a tombstone older than
 * it, and, by their age in the store, those that no commit names. What lies in a folder that starts with `_` is work in
 * progress, and goes by its age; `_delta_log` stays. Older versions than the retention can no longer be read in full.
 *
 * Writers and readers may go on meanwhile: a file that a writer is about to commit is young, or has a name of its own. The
 * vacuum enters itself in the history before (`VACUUM START`) and after (`VACUUM END`); cut off in between, it is run again.
 * Throws `TableNotFound`, `UnsafeRetention`, `ClockSkewed`, `UnsupportedTable`, `CommitConflict`.
 */
export async function vacuum(
  table: DeltaTable,
  { retentionMs = tombstoneRetentionMs, dryRun = false }: VacuumOptions = {},
): Promise<Vacuumed> {
  const { at, context } = table;
  if (!(retentionMs >= leastRetentionMs)) throw new UnsafeRetention(at.path, retentionMs, leastRetentionMs);
  if (!(await table.latest())) throw new TableNotFound(at.path);
  const nowMs = dryRun ? context.clock.nowMs() : await agreedTime(table);
  // listed before the log is read: what is committed after the listing was not on it, or is young
  const listed: ObjectInfo[] = [];
  for await (const object of at.store.list(`${at.path}/`)) listed.push(object);
  const found = async (latest: Snapshot) => {
    // checkpoints forget tombstones after a while; who wants to go further back reads the whole log
    const forgotten = retentionMs > tombstoneRetentionMs;
    const known = forgotten ? await replayed(table).snapshot({ version: latest.version }) : latest;
    return unneeded(listed, known, nowMs - retentionMs);
  };
  if (dryRun) return summary(await found(await table.snapshot()));

  let files: ObjectInfo[] = [];
  await table.commit(async (latest) => {
    checkWritable(at.path, latest!.protocol, latest!.schema);
    files = await found(latest!);
    const { sizeBytes } = summary(files);
    const metrics = { numFilesToDelete: files.length, sizeOfDataToDelete: sizeBytes };
    return files.length === 0 ? undefined : entry('VACUUM START', { specifiedRetentionMillis: retentionMs }, metrics);
  });
  if (files.length === 0) return summary(files);
  for (let i = 0; i < files.length; i += deletesAtOnce) {
    await Promise.all(files.slice(i, i + deletesAtOnce).map(({ key }) => at.store.delete(key)));
  }
  await table.commit(async () => entry('VACUUM END', { status: 'COMPLETED' }, { numDeletedFiles: files.length }));
  return summary(files);
}

const deletesAtOnce = 16;

/** The table without its checkpoints. */
function replayed({ at, context: { clock, ids } }: DeltaTable): DeltaTable {
  return deltaTable(at.store, at.path, { clock, ids });
}

function entry(operation: string, parameters: Plan['parameters'], metrics: Plan['metrics']): Plan {
  return { actions: [], operation, parameters, metrics, isBlindAppend: true };
}

function summary(files: ObjectInfo[]): Vacuumed {
  return { files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) };
}

/** The objects under the table, of those listed, that may go: let go of before `sinceMs`, and older than that themselves. */
function unneeded(listed: readonly ObjectInfo[], latest: Snapshot, sinceMs: number): ObjectInfo[] {
  const byName = <T>(files: ReadonlyMap<string, T>) =>
    new Map([...files].map(([path, file]) => [decodeURIComponent(path), file]));
  const live = byName(latest.files);
  const tombstones = byName(latest.tombstones);
  return listed.filter(({ key, lastModifiedMs }) => {
    const name = key.slice(keyOf(latest.at, '').length);
    if (lastModifiedMs >= sinceMs || name.startsWith('_delta_log/') || live.has(name)) return false;
    if (name.startsWith('_')) return true;
    const tombstone = tombstones.get(name);
    if (tombstone) return (tombstone.deletionTimestamp ?? 0) < sinceMs;
    return name.endsWith('.parquet');
  });
}

/** Now by the store's own clock, which the files' ages are of. Throws where the clock here, which the log is of, differs. */
async function agreedTime({ at, context: { clock, ids } }: DeltaTable): Promise<number> {
  const key = keyOf(at, `_vacuum/${ids.next()}`);
  await at.store.put(key, new Uint8Array());
  const probe = await at.store.head(key);
  const hereMs = clock.nowMs();
  await at.store.delete(key);
  if (!probe) throw new ObjectNotFound(key, at.path);
  const storeMs = probe.lastModifiedMs;
  if (Math.abs(storeMs - hereMs) > tolerableSkewMs) throw new ClockSkewed(at.path, hereMs, storeMs);
  return Math.min(storeMs, hereMs);
}
