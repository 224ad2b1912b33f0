import type { ObjectStore } from '../ports/object-store.ts';
import { parseActions, serializeActions, type Action, type CommitInfo } from './actions.ts';
import { LogDamaged } from './errors.ts';

/** Where a table lies: a store and the table's path in it, without a slash at the end. */
export type Location = { store: ObjectStore; path: string };

/** One version's actions, in the order of its file. */
export type Commit = { version: number; actions: readonly Action[] };

/** What the `_delta_log` directory holds, in ascending order. */
export type LogListing = { commits: number[]; checkpoints: number[] };

/** The versions that are there as files. With `from`, only those from that version on are listed. */
export async function listLog(at: Location, from = 0): Promise<LogListing> {
  const listing: LogListing = { commits: [], checkpoints: [] };
  // a version's checkpoint stands before its commit in the listing, and both behind its bare number
  const after = `${logPrefix(at)}${paddedVersion(from)}`;
  for await (const { key } of at.store.list(logPrefix(at), { after })) {
    const [, version, kind] = /\/(\d{20})\.(json|checkpoint\.parquet)$/.exec(key) ?? [];
    if (kind === 'json') listing.commits.push(Number(version));
    if (kind === 'checkpoint.parquet') listing.checkpoints.push(Number(version));
  }
  return listing;
}

/** The commit of that version, or undefined where there is none yet. */
export async function readCommit(at: Location, version: number): Promise<Commit | undefined> {
  const bytes = await at.store.get(commitKey(at, version));
  if (!bytes) return undefined;
  return { version, actions: parseActions(bytes, at.path, commitName(version)) };
}

/** Reads those commits, several at a time; each must be there. */
export async function readCommits(at: Location, versions: readonly number[]): Promise<Commit[]> {
  const commits: Commit[] = [];
  for (let i = 0; i < versions.length; i += readsAtOnce) {
    const batch = versions.slice(i, i + readsAtOnce);
    commits.push(...(await Promise.all(batch.map((version) => readListed(at, version)))));
  }
  return commits;
}

const readsAtOnce = 16;

async function readListed(at: Location, version: number): Promise<Commit> {
  const commit = await readCommit(at, version);
  if (!commit) throw new LogDamaged(at.path, commitName(version), 'it is missing');
  return commit;
}

/**
 * Tries to make `actions` the given version: one put-if-absent, the table's only commit point. False says that another
 * writer has that version. Our own commit is recognised although its acknowledgement was lost, by comparing bytes; they
 * hold a `txnId` that no other attempt has. Where even that cannot be told, the store's error is thrown on.
 */
export async function tryCommit(at: Location, version: number, actions: readonly Action[]): Promise<boolean> {
  const key = commitKey(at, version);
  const bytes = serializeActions(actions);
  try {
    const { created } = await at.store.putIfAbsent(key, bytes);
    if (created) return true;
  } catch (error) {
    // applied or not? what stands there now tells; while nothing does, nobody can
    const there = await at.store.get(key).catch(() => undefined);
    if (!there) throw error;
    return sameBytes(there, bytes);
  }
  const there = await at.store.get(key);
  if (!there) throw new LogDamaged(at.path, commitName(version), 'it was there and is gone');
  return sameBytes(there, bytes);
}

/** The object key of a file within the table, `name` relative to it. */
export function keyOf(at: Location, name: string): string {
  return `${at.path}/${name}`;
}

/** A version as its file names have it, 20 digits. */
export function paddedVersion(version: number): string {
  return String(version).padStart(20, '0');
}

/** The commit's own account of itself; there is none where the writer gave none. */
export function commitInfoOf(commit: Commit): CommitInfo | undefined {
  for (const action of commit.actions) if ('commitInfo' in action) return action.commitInfo;
  return undefined;
}

/**
 * When the commit was made, milliseconds: what the writer says, else when the file was written. Callers keep it from running
 * backwards between versions, for clocks differ.
 */
export async function commitTimeMs(at: Location, commit: Commit): Promise<number> {
  const info = commitInfoOf(commit);
  const told = info?.inCommitTimestamp ?? info?.timestamp;
  if (told !== undefined) return told;
  return (await at.store.head(commitKey(at, commit.version)))?.lastModifiedMs ?? 0;
}

function logPrefix(at: Location): string {
  return keyOf(at, '_delta_log/');
}

function commitKey(at: Location, version: number): string {
  return keyOf(at, commitName(version));
}

/** The commit file's name, relative to the table. */
export function commitName(version: number): string {
  return `_delta_log/${paddedVersion(version)}.json`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
