import { StoreUnavailable } from '../../src/ports/errors.ts';
import type { LocalCopy, ObjectInfo, ObjectStore } from '../../src/ports/object-store.ts';
import { type Actor, Died, type FaultKind, type Scheduler } from './scheduler.ts';

const reading = ['unavailable', 'timeout', 'crash before'] as const;
const writing = ['unavailable', 'timeout', 'lost', 'crash before', 'crash after'] as const;
const creating = [...writing, 'asked again'] as const;

/** How many objects a page of a listing has; others may write between two pages. */
const pageSize = 9;

/**
 * The one interceptor at the object store's port: every call of the actor waits for its turn and meets what the seed has for it.
 * `zone` names the store in the trace.
 */
export function gatedStore(store: ObjectStore, zone: string, actor: Actor, scheduler: Scheduler): ObjectStore {
  async function call<T>(
    what: string,
    key: string,
    canFail: readonly FaultKind[],
    apply: () => Promise<T>,
  ): Promise<{ result: T; fault: FaultKind | undefined }> {
    const where = `${zone}/${key}`;
    const fault = await scheduler.point(actor, `${what} ${where}`, canFail);
    if (fault === 'crash before') return die();
    if (fault === 'unavailable' || fault === 'timeout') throw unavailable(what, where);
    const result = await apply();
    if (fault === 'crash after') return die();
    if (fault === 'lost') throw unavailable(what, where);
    return { result, fault };
  }

  function die(): Promise<never> {
    scheduler.kill(actor);
    return new Promise(() => undefined);
  }

  return {
    get: async (key) => (await call('get', key, reading, () => store.get(key))).result,
    head: async (key) => (await call('head', key, reading, () => store.head(key))).result,
    put: async (key, bytes) => void (await call('put', key, writing, () => store.put(key, bytes))),
    delete: async (key) => void (await call('delete', key, writing, () => store.delete(key))),
    async putIfAbsent(key, bytes) {
      const { result, fault } = await call('putIfAbsent', key, creating, () => store.putIfAbsent(key, bytes));
      return fault === 'asked again' ? { created: false } : result;
    },
    async *list(prefix, { after = '' } = {}) {
      for (let behind = after, more = true; more;) {
        const { result } = await call('list', prefix, reading, () => pageOf(store, prefix, behind));
        yield* result;
        more = result.length === pageSize;
        behind = result.at(-1)?.key ?? behind;
      }
    },
    async localCopy(key, expect): Promise<LocalCopy> {
      return (await call('localCopy', key, reading, () => store.localCopy(key, expect))).result;
    },
  };
}

async function pageOf(store: ObjectStore, prefix: string, after: string): Promise<ObjectInfo[]> {
  const page: ObjectInfo[] = [];
  for await (const info of store.list(prefix, { after })) {
    page.push(info);
    if (page.length === pageSize) break;
  }
  return page;
}

function unavailable(what: string, where: string): StoreUnavailable {
  return new StoreUnavailable(what, where, 'The simulation had it so.', new Died('the store'));
}
