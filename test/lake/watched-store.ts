import type { LocalCopy, ObjectInfo, ObjectStore } from '../../src/ports/object-store.ts';

/** What happens at one I/O point: it fails before its effect, or after it (applied, the acknowledgement lost). */
export type Fault = { point: number; when: 'before' | 'after' };

export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}

/**
 * A store that numbers the calls that reach it, fails at one of them if told to, and calls `between` after each one that
 * changed something, and `before` each one, with its number.
 */
export class WatchedStore implements ObjectStore {
  readonly calls: string[] = [];
  readonly #store: ObjectStore;
  readonly #fault: Fault | undefined;
  readonly #between: () => Promise<void>;
  readonly #before: (point: number) => Promise<void>;

  constructor(
    store: ObjectStore,
    fault?: Fault,
    between: () => Promise<void> = async () => {},
    before: (point: number) => Promise<void> = async () => {},
  ) {
    this.#store = store;
    this.#fault = fault;
    this.#between = between;
    this.#before = before;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#call(`get ${key}`, () => this.#store.get(key));
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#call(`head ${key}`, () => this.#store.head(key));
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#call(`put ${key}`, () => this.#store.put(key, bytes), true);
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
    return this.#call(`putIfAbsent ${key}`, () => this.#store.putIfAbsent(key, bytes), true);
  }

  async *list(prefix: string, options?: { after?: string }): AsyncIterable<ObjectInfo> {
    await this.#call(`list ${prefix}`, async () => {});
    yield* this.#store.list(prefix, options);
  }

  delete(key: string): Promise<void> {
    return this.#call(`delete ${key}`, () => this.#store.delete(key), true);
  }

  localCopy(key: string, expect?: { sha256: string }): Promise<LocalCopy> {
    return this.#call(`localCopy ${key}`, () => this.#store.localCopy(key, expect));
  }

  async #call<T>(name: string, work: () => Promise<T>, changes = false): Promise<T> {
    const point = this.calls.push(name);
    const failing = this.#fault?.point === point ? this.#fault.when : undefined;
    await this.#before(point);
    if (failing === 'before') throw new InjectedFault(`before ${name}`);
    const result = await work();
    if (changes) await this.#between();
    if (failing === 'after') throw new InjectedFault(`after ${name}`);
    return result;
  }
}

/** A store before whose `point`-th call somebody else does `work`; that call and all later ones wait for it. */
export function interruptedStore(store: ObjectStore, point: number, work: () => Promise<unknown>): WatchedStore {
  let done: Promise<unknown> | undefined;
  return new WatchedStore(store, undefined, undefined, async (reached) => {
    if (reached === point) done = work();
    await done;
  });
}
