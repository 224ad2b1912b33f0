import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream, type BigIntStats, type Dirent } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ObjectDamaged, ObjectNotFound, StoreDenied, StoreUnavailable, UnsafeKey } from '../../ports/errors.ts';
import { checkKey, checkPrefix, compareKeys } from '../../ports/object-key.ts';
import type { LocalCopy, ObjectInfo, ObjectStore } from '../../ports/object-store.ts';

/**
 * Objects as files below `root`, which is created when first written to. Bytes go to a temporary file and to disk (fsync)
 * first; a hard link then is put-if-absent and a rename is put, so a reader or a crash never meets half an object.
 * Symbolic links below the root are refused, for they could lead out of it. What a killed process has left half-written
 * stands apart from the objects and is removed by a later writer.
 */
export class DirectoryStore implements ObjectStore {
  readonly #root: string;
  #swept = false;

  constructor(root: string) {
    this.#root = resolve(root);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#guard('read', key, async () => {
      const path = await this.#path(key);
      try {
        const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        try {
          return new Uint8Array(await file.readFile());
        } finally {
          await file.close();
        }
      } catch (error) {
        if (codeOf(error) === 'EISDIR') return undefined;
        return absent(error);
      }
    });
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    return this.#guard('read', key, async () => {
      const path = await this.#path(key);
      const stats = await lstat(path, { bigint: true }).catch(absent);
      return stats?.isFile() ? objectInfo(key, stats) : undefined;
    });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#guard('write', key, async () => {
      await this.#stage(key, bytes, rename);
    });
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
    return this.#guard('write', key, async () => {
      try {
        await this.#stage(key, bytes, link);
        return { created: true };
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return { created: false };
        throw error;
      }
    });
  }

  async *list(prefix: string, options: { after?: string } = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (directory !== '') await this.#guard('list', directory, () => this.#path(directory.slice(0, -1)));
    yield* this.#walk(directory, prefix, options.after ?? '');
  }

  async delete(key: string): Promise<void> {
    await this.#guard('delete', key, async () => {
      const path = await this.#path(key);
      const stats = await lstat(path).catch(absent);
      if (stats?.isFile()) await rm(path, { force: true });
    });
  }

  async localCopy(key: string, expect?: { sha256: string }): Promise<LocalCopy> {
    if (!(await this.head(key))) throw new ObjectNotFound(key, this.#root);
    const path = join(this.#root, key);
    if (expect) {
      const hash = createHash('sha256');
      await this.#guard('read', key, () => pipeline(createReadStream(path), hash));
      if (hash.digest('hex') !== expect.sha256) throw new ObjectDamaged(key, this.#root, expect.sha256);
    }
    return { path, release: async () => {} };
  }

  /** Walks one directory in key order, going down only where keys with the prefix, behind `after`, can be. */
  async *#walk(directory: string, prefix: string, after: string): AsyncIterable<ObjectInfo> {
    const entries = await this.#guard('list', directory, () =>
      readdir(join(this.#root, directory), { withFileTypes: true }).catch(absent),
    );
    for (const { key, entry } of inKeyOrder(directory, entries ?? [])) {
      if (entry.isDirectory()) {
        if (key.startsWith(prefix) && mayHoldBehind(key, after)) yield* this.#walk(key, prefix, after);
      } else if (entry.isFile() && key.startsWith(prefix) && compareKeys(key, after) > 0) {
        const stats = await this.#guard('list', key, () =>
          lstat(join(this.#root, key), { bigint: true }).catch(absent),
        );
        // what vanished since the directory was read has been deleted meanwhile: it is not there
        if (stats) yield objectInfo(key, stats);
      }
    }
  }

  /** Writes the bytes durably beside the objects, then lets `publish` give them their name, then makes that durable. */
  async #stage(key: string, bytes: Uint8Array, publish: (from: string, to: string) => Promise<void>): Promise<void> {
    const path = await this.#path(key);
    const staging = join(this.#root, stagingName);
    await makeDirectory(staging);
    await makeDirectory(dirname(path));
    const temporary = join(staging, randomUUID());
    try {
      await writeDurably(temporary, bytes);
      await this.#sweep(staging, temporary);
      await publish(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(dirname(path));
  }

  /**
   * Once per store, removes what writers that are no more have left: temporary files of at least an hour before the one just
   * written, by the file system's own clock. Another process may sweep at the same time.
   */
  async #sweep(staging: string, justWritten: string): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    const { mtimeMs: nowMs } = await lstat(justWritten);
    for (const name of await readdir(staging)) {
      const path = join(staging, name);
      const stats = await lstat(path).catch(absent);
      if (stats?.isFile() && stats.mtimeMs < nowMs - staleMs) await rm(path, { force: true });
    }
  }

  /** The key's path, after its grammar and every directory on the way have been checked. */
  async #path(key: string): Promise<string> {
    checkKey(key);
    let path = this.#root;
    for (const name of key.split('/')) {
      path = join(path, name);
      const stats = await lstat(path).catch(absent);
      if (!stats) break;
      if (stats.isSymbolicLink()) throw new UnsafeKey(key, `${path} is a symbolic link, which could lead elsewhere`);
    }
    return join(this.#root, key);
  }

  /** Turns the file system's errors into the port's, each naming the directory. */
  async #guard<T>(what: string, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      const where = `${key} in directory ${this.#root}`;
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
        throw new StoreDenied(what, where, 'Make the directory writable for this user, or name another one.', error);
      }
      throw new StoreUnavailable(what, where, advice[code] ?? 'Check the disk, then run it again.', error);
    }
  }
}

/** Temporary files live beside the objects, under a name that no key can have. */
const stagingName = '.staging';

/** No write takes as long: a temporary file that old has lost its writer. */
const staleMs = 3_600_000;

const advice: Record<string, string> = {
  ENOSPC: 'The disk is full: free some space, then run it again; nothing was half-written.',
  EEXIST: 'Part of the path is a file: an object cannot also be a directory. Choose another key or another directory.',
  ENOTDIR: 'Part of the path is a file: an object cannot also be a directory. Choose another key or another directory.',
  ENOTSUP: 'This file system has no hard links, which put-if-absent is made of: keep the directory on another disk.',
  EISDIR: 'There is a directory of that name: an object cannot also be a directory. Choose another key.',
};

/**
 * Sorted as their keys would be. A directory counts with its slash: `a-b` stands before everything in `a/`, because "-"
 * is below "/", although `a` alone would come first. Hidden files are no objects.
 */
function inKeyOrder(directory: string, entries: readonly Dirent[]): { key: string; entry: Dirent }[] {
  return entries
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => ({ key: directory + entry.name + (entry.isDirectory() ? '/' : ''), entry }))
    .sort((a, b) => compareKeys(a.key, b.key));
}

/** Whether the directory `key` (with its slash) can hold a key behind `after`. */
function mayHoldBehind(key: string, after: string): boolean {
  return after.startsWith(key) || compareKeys(key, after) > 0;
}

function objectInfo(key: string, stats: BigIntStats): ObjectInfo {
  // every put makes a new file, so inode, size and time to the nanosecond together tell one content from the next
  const etag = `${stats.ino.toString(16)}-${stats.size.toString(16)}-${stats.mtimeNs.toString(16)}`;
  return { key, sizeBytes: Number(stats.size), etag, lastModifiedMs: Number(stats.mtimeMs) };
}

/** Makes the directory and those above it, and makes their names durable: a synced file in a lost directory is lost. */
async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Undefined where the error says that nothing is there; any other error is thrown on. */
function absent(error: unknown): undefined {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
