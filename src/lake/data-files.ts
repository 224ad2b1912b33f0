import { createHash } from 'node:crypto';
import type { Clock } from '../ports/clock.ts';
import { ObjectDamaged, ObjectNotFound } from '../ports/errors.ts';
import type { Add } from './actions.ts';
import { keyOf, type Location } from './log.ts';
import type { Schema } from './schema.ts';

/**
 * A Parquet file that lies in the table's directory and waits for a commit. Plain JSON, so that one step of a workflow can
 * write files and a later one commit them all at once.
 */
export type DataFile = {
  /** Of its bytes, hexadecimal; its name is made of it. */
  sha256: string;
  /** Which of the files with these bytes it is; the first is 0. */
  copy: number;
  /** When it was put there, by its writer's clock. */
  storedAtMs: number;
  sizeBytes: number;
  rows: number;
  partitionValues: { [column: string]: string | null };
  /** The log's statistics, as JSON text. */
  stats: string;
};

/** Files of one schema, the partition columns included, to be committed together. */
export type DataFiles = { schema: Schema; partitionColumns: string[]; files: DataFile[] };

/** A file's bytes in the store, before anything is said of what they hold. */
export type StoredFile = Pick<DataFile, 'sha256' | 'copy' | 'storedAtMs' | 'sizeBytes'>;

/**
 * How long a stored file can be committed as it is. It is far below the least retention of a vacuum, which therefore never
 * has such a file on its list, be the clocks apart by more than a day.
 */
const freshMs = 3_600_000;

/**
 * Stores a file's bytes under their content's name. Where the name exists the same bytes are put once more, which heals a
 * damaged file, and they go in under a name of their own besides: the one that was there may be on the list of a vacuum by
 * now, and that it looks young does not tell, for somebody else may just have healed it.
 */
export async function storeDataFile(at: Location, clock: Clock, bytes: Uint8Array): Promise<StoredFile> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const stored = { sha256, copy: 0, storedAtMs: clock.nowMs(), sizeBytes: bytes.length };
  const key = keyOf(at, dataFileName(sha256, 0));
  const { created } = await at.store.putIfAbsent(key, bytes);
  if (created) return stored;
  await at.store.put(key, bytes);
  return { ...stored, copy: await putCopy(at, sha256, bytes, 1) };
}

/** Gives files the names under which a commit adds them to a table that has, or had, the `taken` ones. */
export type PlaceFiles = (files: readonly DataFile[], taken: (path: string) => boolean) => Promise<Add[]>;

/**
 * The `add` actions for files. The log knows a file by its path, so content that the table holds, or held, already goes in
 * under a further name (`part-<sha256>-1…`): appending the same rows twice must give them twice, and a path under a tombstone
 * may be cleaned away at any time. So does a file that has waited so long that it may be cleaned away as unreferenced.
 * A copy once made serves the further attempts of the same write, for as long as it is young itself. Throws `ObjectNotFound` and `ObjectDamaged`.
 */
export function filePlacer(at: Location, clock: Clock): PlaceFiles {
  const copies = new Map<DataFile, { path: string; storedAtMs: number }>();

  async function nameFor(file: DataFile, isTaken: (path: string) => boolean): Promise<string> {
    const { path, storedAtMs } = copies.get(file) ?? { ...file, path: dataFileName(file.sha256, file.copy) };
    const nowMs = clock.nowMs();
    if (nowMs - storedAtMs <= freshMs && !isTaken(path)) return path;
    const copy = await putCopy(at, file.sha256, await verifiedBytes(at, file), file.copy + 1, isTaken);
    const placed = { path: dataFileName(file.sha256, copy), storedAtMs: nowMs };
    copies.set(file, placed);
    return placed.path;
  }

  return async (files, taken) => {
    const placed = new Map<string, Add>();
    const modificationTime = clock.nowMs();
    for (const file of files) {
      const path = await nameFor(file, (name) => taken(name) || placed.has(name));
      const { partitionValues, sizeBytes: size, stats } = file;
      placed.set(path, { path, partitionValues, size, modificationTime, dataChange: true, stats });
    }
    return [...placed.values()];
  };
}

/** The SHA-256 that a file's name promises; undefined for the files of other writers. */
export function promisedSha256(path: string): string | undefined {
  return /(?:^|\/)part-([0-9a-f]{64})(?:-\d+)?\.zstd\.parquet$/.exec(path)?.[1];
}

/** Puts the bytes under the first name, from `first` on, that is nobody's yet, and tells which. */
async function putCopy(
  at: Location,
  sha256: string,
  bytes: Uint8Array,
  first: number,
  isTaken: (path: string) => boolean = () => false,
): Promise<number> {
  for (let copy = first; ; copy++) {
    const path = dataFileName(sha256, copy);
    if (!isTaken(path) && (await at.store.putIfAbsent(keyOf(at, path), bytes)).created) return copy;
  }
}

async function verifiedBytes(at: Location, { sha256, copy }: DataFile): Promise<Uint8Array> {
  const key = keyOf(at, dataFileName(sha256, copy));
  const bytes = await at.store.get(key);
  if (!bytes) throw new ObjectNotFound(key, at.path);
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new ObjectDamaged(key, at.path, sha256);
  return bytes;
}

function dataFileName(sha256: string, copy: number): string {
  return `part-${sha256}${copy === 0 ? '' : `-${copy}`}.zstd.parquet`;
}
