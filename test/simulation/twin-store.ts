import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ObjectDamaged, ObjectNotFound } from '../../src/ports/errors.ts';
import { checkKey, checkPrefix, compareKeys } from '../../src/ports/object-key.ts';
import type { LocalCopy, ObjectInfo, ObjectStore } from '../../src/ports/object-store.ts';

/** An object as the twin keeps it; `version` counts the writes to the store. Etags are of the content, as S3's may be. */
export type Kept = { bytes: Uint8Array; sha256: string; version: number; lastModifiedMs: number };

/**
 * The object store's twin in memory: strong reads and lists, atomic puts, put-if-absent, dated by the store's own clock. Objects
 * are never changed in place, so a copy of the map is a copy of the world. Local copies go to `directory`, one file per content.
 */
export class TwinStore implements ObjectStore {
  readonly objects: Map<string, Kept>;
  readonly #directory: string;
  readonly #nowMs: () => number;
  #writes = 0;

  constructor(directory: string, nowMs: () => number, objects: ReadonlyMap<string, Kept> = new Map()) {
    this.#directory = directory;
    this.#nowMs = nowMs;
    this.objects = new Map(objects);
    for (const { version } of objects.values()) this.#writes = Math.max(this.#writes, version);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    checkKey(key);
    return this.objects.get(key)?.bytes.slice();
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const kept = this.objects.get(key);
    return kept && infoOf(key, kept);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    checkKey(key);
    const copy = bytes.slice();
    this.objects.set(key, {
      bytes: copy,
      sha256: createHash('sha256').update(copy).digest('hex'),
      version: ++this.#writes,
      lastModifiedMs: this.#nowMs(),
    });
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
    checkKey(key);
    if (this.objects.has(key)) return { created: false };
    await this.put(key, bytes);
    return { created: true };
  }

  async *list(prefix: string, { after = '' }: { after?: string } = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && compareKeys(key, after) > 0);
    for (const key of keys.sort(compareKeys)) {
      const kept = this.objects.get(key);
      if (kept) yield infoOf(key, kept);
    }
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    this.objects.delete(key);
  }

  async localCopy(key: string, expect?: { sha256: string }): Promise<LocalCopy> {
    checkKey(key);
    const kept = this.objects.get(key);
    if (!kept) throw new ObjectNotFound(key, 'memory');
    if (expect && expect.sha256 !== kept.sha256) throw new ObjectDamaged(key, 'memory', expect.sha256);
    const path = join(this.#directory, `${kept.sha256}.parquet`);
    const users = copies.get(path) ?? 0;
    if (users === 0) {
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(path, kept.bytes);
    }
    copies.set(path, users + 1);
    return { path, release: async () => release(path) };
  }
}

/** How many hold each local copy; the file goes with the last of them. */
const copies = new Map<string, number>();

function release(path: string): void {
  const users = (copies.get(path) ?? 1) - 1;
  copies.set(path, users);
  if (users === 0) rmSync(path, { force: true });
}

function infoOf(key: string, { bytes, sha256, lastModifiedMs }: Kept): ObjectInfo {
  return { key, sizeBytes: bytes.length, etag: sha256.slice(0, 32), lastModifiedMs };
}
