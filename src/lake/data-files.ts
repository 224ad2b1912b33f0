import { createHash } from 'node:crypto';
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
  sizeBytes: number;
  rows: number;
  partitionValues: { [column: string]: string | null };
  /** The log's statistics, as JSON text. */
  stats: string;
};

/** Files of one schema, the partition columns included, to be committed together. */
export type DataFiles = { schema: Schema; partitionColumns: string[]; files: DataFile[] };

/**
 * Stores a file's bytes under their content's name. Where the name exists the same bytes are put once more: that makes the
 * file young again, so that no clean-up of old unreferenced files takes it away before its commit, and heals a damaged one.
 */
export async function storeDataFile(at: Location, bytes: Uint8Array): Promise<{ sha256: string; sizeBytes: number }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const key = keyOf(at, dataFileName(sha256, 0));
  const { created } = await at.store.putIfAbsent(key, bytes);
  if (!created) await at.store.put(key, bytes);
  return { sha256, sizeBytes: bytes.length };
}

/**
 * The `add` actions for these files. The log knows a file by its path, so content that the table holds, or held, already goes
 * in under a further name (`part-<sha256>-1…`): appending the same rows twice must give them twice, and a path under a
 * tombstone may be cleaned away at any time.
 */
export async function placeFiles(
  at: Location,
  files: readonly DataFile[],
  isTaken: (path: string) => boolean,
  modificationTime: number,
): Promise<Add[]> {
  const placed = new Map<string, Add>();
  for (const file of files) {
    let copy = 0;
    while (isTaken(dataFileName(file.sha256, copy)) || placed.has(dataFileName(file.sha256, copy))) copy++;
    const path = dataFileName(file.sha256, copy);
    if (copy > 0) await copyFile(at, file.sha256, path);
    const { partitionValues, sizeBytes: size, stats } = file;
    placed.set(path, { path, partitionValues, size, modificationTime, dataChange: true, stats });
  }
  return [...placed.values()];
}

/** The SHA-256 that a file's name promises; undefined for the files of other writers. */
export function promisedSha256(path: string): string | undefined {
  return /(?:^|\/)part-([0-9a-f]{64})(?:-\d+)?\.zstd\.parquet$/.exec(path)?.[1];
}

async function copyFile(at: Location, sha256: string, path: string): Promise<void> {
  const key = keyOf(at, dataFileName(sha256, 0));
  const bytes = await at.store.get(key);
  if (!bytes) throw new ObjectNotFound(key, at.path);
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new ObjectDamaged(key, at.path, sha256);
  await at.store.put(keyOf(at, path), bytes);
}

function dataFileName(sha256: string, copy: number): string {
  return `part-${sha256}${copy === 0 ? '' : `-${copy}`}.zstd.parquet`;
}
