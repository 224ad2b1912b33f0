import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ObjectDamaged, ObjectNotFound } from '../../src/ports/errors.ts';
import { compareKeys } from '../../src/ports/object-key.ts';
import type { LocalCopy, ObjectInfo, ObjectStore } from '../../src/ports/object-store.ts';

type Kept = { bytes: Uint8Array; lastModifiedMs: number };

/** Objects in memory, dated by a clock of the test's; a copy of them all is had at once. Local copies go to `directory`. */
export class MemoryStore implements ObjectStore {
  readonly #directory: string;
  readonly #nowMs: () => number;
  readonly #objects: Map<string, Kept>;

  constructor(directory: string, nowMs: () => number, objects: ReadonlyMap<string, Kept> = new Map()) {
    this.#directory = directory;
    this.#nowMs = nowMs;
    this.#objects = new Map(objects);
  }

  copy(): MemoryStore {
    return new MemoryStore(this.#directory, this.#nowMs, this.#objects);
  }

  keys(): string[] {
    return [...this.#objects.keys()].sort(compareKeys);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(key)?.bytes;
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const kept = this.#objects.get(key);
    if (!kept) return undefined;
    const { bytes, lastModifiedMs } = kept;
    return { key, sizeBytes: bytes.length, etag: `${sha256(bytes)}-${lastModifiedMs}`, lastModifiedMs };
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(key, { bytes, lastModifiedMs: this.#nowMs() });
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
    if (this.#objects.has(key)) return { created: false };
    await this.put(key, bytes);
    return { created: true };
  }

  async *list(prefix: string, { after = '' } = {}): AsyncIterable<ObjectInfo> {
    for (const key of this.keys()) {
      if (key.startsWith(prefix) && compareKeys(key, after) > 0) yield (await this.head(key))!;
    }
  }

  async delete(key: string): Promise<void> {
    this.#objects.delete(key);
  }

  async localCopy(key: string, expect?: { sha256: string }): Promise<LocalCopy> {
    const kept = this.#objects.get(key);
    if (!kept) throw new ObjectNotFound(key, 'memory');
    const sha = sha256(kept.bytes);
    if (expect && expect.sha256 !== sha) throw new ObjectDamaged(key, 'memory', expect.sha256);
    const path = join(this.#directory, `${sha}.parquet`);
    if (!existsSync(path)) writeFileSync(path, kept.bytes);
    return { path, release: async () => {} };
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
