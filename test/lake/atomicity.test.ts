import { cp } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../src/data/json.ts';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { deleteRows, mergeQuery } from '../../src/lake/change.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery, storeQuery, type QueryWritten } from '../../src/lake/write.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { openLake, type TestLake } from './lake.ts';
import { InjectedFault, WatchedStore } from './watched-store.ts';

const path = 'tables/policies';
const txn = { appId: 'drops/policies.csv#7c1f', version: 0 };
const first = `SELECT 1 AS id, 'old' AS state`;
const second = `SELECT 2 AS id, 'new' AS state`;
type Rows = Record<string, Json>[];
type Write = (store: ObjectStore) => Promise<QueryWritten>;

let lake: TestLake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.close());

const open = (store: ObjectStore) => deltaTable(store, path, { ...lake.context, sql: lake.sql });

/** What a reader who comes fresh to the store sees; a missing table has no rows. */
async function seen(store: ObjectStore): Promise<Rows> {
  const latest = await open(store).latest();
  return latest ? lake.rows(latest) : [];
}

type Scenario = { name: string; base: number; prepare?: Write; write: Write; before: Rows; after: Rows };
const rowsOf = (count: number, ...more: Rows): Rows => [
  ...Array.from({ length: count }, () => ({ id: 1, state: 'old' })),
  ...more,
];
const added = { id: 2, state: 'new' };
const scenarios: Scenario[] = [
  {
    name: 'the first append, which makes the table',
    base: 0,
    write: (store) => appendQuery(open(store), lake.sql, second, { txn }),
    before: [],
    after: [added],
  },
  {
    name: 'an append',
    base: 2,
    write: (store) => appendQuery(open(store), lake.sql, second, { txn }),
    before: rowsOf(2),
    after: rowsOf(2, added),
  },
  {
    name: 'an append of rows that the table has already',
    base: 2,
    write: (store) => appendQuery(open(store), lake.sql, first, { txn }),
    before: rowsOf(2),
    after: rowsOf(3),
  },
  {
    name: 'an overwrite',
    base: 2,
    write: (store) => overwriteQuery(open(store), lake.sql, second, { txn }),
    before: rowsOf(2),
    after: [added],
  },
  {
    name: 'a deletion by key, which rewrites a file and removes others',
    base: 2,
    prepare: (store) => appendQuery(open(store), lake.sql, `${first} UNION ALL ${second}`),
    write: (store) => deleteRows(open(store), lake.sql, 'SELECT 1 AS id', { txn }),
    before: rowsOf(3, added),
    after: [added],
  },
  {
    name: 'a merge by key, which rewrites a file and brings a column',
    base: 2,
    prepare: (store) => appendQuery(open(store), lake.sql, `${first} UNION ALL SELECT 3, 'kept'`),
    write: (store) =>
      mergeQuery(open(store), lake.sql, `SELECT 1 AS id, 'merged' AS state, 5 AS score`, {
        key: ['id'],
        addColumns: true,
        txn,
      }),
    before: [...rowsOf(3), { id: 3, state: 'kept' }],
    after: [
      { id: 1, state: 'merged', score: 5 },
      { id: 3, state: 'kept', score: null },
    ],
  },
  {
    name: 'an append that makes a checkpoint',
    base: 3,
    write: (store) => appendQuery(open(store), lake.sql, second, { txn }),
    before: rowsOf(3),
    after: rowsOf(3, added),
  },
];

describe('a commit without a transaction whose acknowledgement is lost', () => {
  const write = async (store: ObjectStore) => appendQuery(open(store), lake.sql, second);
  /** Loses the answer to the put-if-absent of one commit. */
  class Losing extends WatchedStore {
    override async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
      const result = await super.putIfAbsent(key, bytes);
      return key.endsWith('01.json') ? this.lose() : result;
    }
    lose(): { created: boolean } {
      throw new InjectedFault('the connection was cut');
    }
  }
  class Retrying extends Losing {
    override lose(): { created: boolean } {
      return { created: false };
    }
  }

  test.each([
    ['by a cut connection', Losing],
    ['and asked for again by the client, which then finds it there', Retrying],
  ])('16. %s, is known as its own and not made twice', async (_, Store) => {
    await appendQuery(open(lake.store), lake.sql, first);
    expect(await write(new Store(lake.store))).toEqual({ version: 1, status: 'committed', rows: 1 });
    expect(await seen(lake.store)).toEqual(rowsOf(1, added));
  });

  test('and that was not applied, since another writer was there, goes in behind that one', async () => {
    await appendQuery(open(lake.store), lake.sql, first);
    class Beaten extends Losing {
      override async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
        if (key.endsWith('01.json')) await appendQuery(open(lake.store), lake.sql, first);
        return super.putIfAbsent(key, bytes);
      }
    }
    expect(await write(new Beaten(lake.store))).toMatchObject({ version: 2, status: 'committed' });
    expect(await seen(lake.store)).toEqual(rowsOf(2, added));
  });

  test('and of which nothing is to be seen is an error', async () => {
    await appendQuery(open(lake.store), lake.sql, first);
    const cut = new WatchedStore(lake.store);
    cut.putIfAbsent = async () => {
      throw new InjectedFault('the connection was cut');
    };
    const stored = await storeQuery(open(lake.store), lake.sql, second);
    await expect(open(cut).append(stored)).rejects.toThrow(InjectedFault);
    expect(await seen(lake.store)).toEqual(rowsOf(1));
  });
});

describe.each(scenarios)('$name', ({ base, prepare, write, before, after }) => {
  beforeEach(async () => {
    const store = new DirectoryStore(`${lake.directory}/base`);
    await store.put('any', new Uint8Array());
    const properties = { 'delta.checkpointInterval': '3' };
    for (let i = 0; i < base; i++) await appendQuery(open(store), lake.sql, first, { properties });
    await prepare?.(store);
  });

  /** A store with `base` versions in it. */
  async function prepared(name: string): Promise<ObjectStore> {
    await cp(`${lake.directory}/base`, `${lake.directory}/${name}`, { recursive: true });
    return new DirectoryStore(`${lake.directory}/${name}`);
  }

  test('17. shows a reader the old rows or the new ones, whichever step it looks in between', async () => {
    const store = await prepared('watched');
    const states: string[] = [];
    const watched = new WatchedStore(store, undefined, async () => {
      states.push(JSON.stringify(await seen(store)));
    });
    await write(watched);
    const [old, fresh] = [before, after].map((rows) => JSON.stringify(rows));
    const turn = states.indexOf(fresh);
    expect(turn).toBeGreaterThan(0);
    expect(states).toEqual(states.map((_, i) => (i < turn ? old : fresh)));
  });

  test('15. cut off before or after any of its steps, leaves old or new rows; done again, the new ones, once', async () => {
    const dry = new WatchedStore(await prepared('dry'));
    await write(dry);
    expect(dry.calls.length).toBeGreaterThan(3);

    for (const [index, call] of dry.calls.entries()) {
      const point = index + 1;
      // a read that fails is the same before and after
      for (const when of call.startsWith('put') ? (['before', 'after'] as const) : (['before'] as const)) {
        const store = await prepared(`${point}-${when}`);
        const outcome = await write(new WatchedStore(store, { point, when })).catch((error: unknown) => error);
        const rows = await seen(store);
        const what = `${when} ${call}`;
        // an error leaves it open which of the two it is, success does not
        const possible = outcome instanceof InjectedFault ? [before, after] : [after];
        expect.soft(possible, what).toContainEqual(rows);
        await write(store);
        expect.soft(await seen(store), what).toEqual(after);
        expect.soft((await open(store).snapshot()).version, what).toBe(base + (prepare ? 1 : 0));
      }
    }
  });
});
