import type { LocalCopy, ObjectInfo, ObjectStore } from '../../src/ports/object-store.ts';

/** Called before and after each operation; may wait, and may throw to play a crash. */
export type Interceptor = (moment: 'before' | 'after', operation: string, key: string) => Promise<void> | void;

/** Objects in a map, with every operation interceptable; what an interceptor waits for, others may overtake. */
export class MemoryStore implements ObjectStore {
  readonly objects: Map<string, Uint8Array>;
  readonly #intercept: Interceptor;

  constructor(objects = new Map<string, Uint8Array>(), intercept: Interceptor = () => {}) {
    this.objects = objects;
    this.#intercept = intercept;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#operate('get', key, () => this.objects.get(key)?.slice());
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#operate('head', key, () => (this.objects.has(key) ? this.#info(key) : undefined));
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#operate('put', key, () => {
      this.objects.set(key, bytes.slice());
    });
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
    return this.#operate('putIfAbsent', key, () => {
      const created = !this.objects.has(key);
      if (created) this.objects.set(key, bytes.slice());
      return { created };
    });
  }

  async *list(prefix: string, { after = '' }: { after?: string } = {}): AsyncIterable<ObjectInfo> {
    yield* await this.#operate('list', prefix, () =>
      [...this.objects.keys()]
        .filter((key) => key.startsWith(prefix) && key > after)
        .sort()
        .map((key) => this.#info(key)),
    );
  }

  delete(key: string): Promise<void> {
    return this.#operate('delete', key, () => {
      this.objects.delete(key);
    });
  }

  localCopy(key: string): Promise<LocalCopy> {
    return Promise.reject(new Error(`${key}: objects in memory have no path`));
  }

  #info(key: string): ObjectInfo {
    return { key, sizeBytes: this.objects.get(key)?.length ?? 0, etag: '', lastModifiedMs: 0 };
  }

  async #operate<T>(operation: string, key: string, act: () => T): Promise<T> {
    await this.#intercept('before', operation, key);
    const result = act();
    await this.#intercept('after', operation, key);
    return result;
  }
}
