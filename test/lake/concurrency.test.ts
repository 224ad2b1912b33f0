import { afterEach, beforeEach, expect, test } from 'vitest';
import { CommitConflict } from '../../src/lake/errors.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery, storeQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';
import { WatchedStore } from './watched-store.ts';

let lake: TestLake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.close());

/** A writer of its own, that knows nothing of the others. */
const open = (store = lake.store) => deltaTable(store, 't', { ...lake.context, sql: lake.sql });
const row = (n: number) => `SELECT ${n} AS n`;
const values = async () => (await lake.rows(await open().snapshot())).map((found) => found['n']);

test('of many appends at once each gets a version of its own, and every row is there once', async () => {
  const writers = Array.from({ length: 12 }, (_, n) => n);
  const results = await Promise.all(writers.map((n) => appendQuery(open(), lake.sql, row(n))));
  expect(results.map((result) => result.version).sort((a, b) => a - b)).toEqual(writers);
  expect(await values()).toEqual(writers);
});

test('of many deliveries of one drop at once exactly one goes in', async () => {
  const txn = { appId: 'drop', version: 0 };
  await appendQuery(open(), lake.sql, row(0));
  const stored = await storeQuery(open(), lake.sql, row(7));
  const results = await Promise.all(Array.from({ length: 8 }, () => open().append(stored, { txn })));
  expect(results.map((result) => result.status).sort()).toEqual([
    ...Array.from({ length: 7 }, () => 'already-committed'),
    'committed',
  ]);
  expect(await values()).toEqual([0, 7]);
});

test('appends of the same content at once are all there', async () => {
  const stored = await storeQuery(open(), lake.sql, row(7));
  await Promise.all(Array.from({ length: 4 }, () => open().append(stored)));
  expect(await values()).toEqual([7, 7, 7, 7]);
});

test('appends and overwrites at once end as if they had run one after another, in the order of their versions', async () => {
  const writers = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const table = open();
      const stored = await storeQuery(table, lake.sql, row(n));
      return {
        overwrites: n % 3 === 0,
        write: n % 3 === 0 ? () => table.overwrite(stored) : () => table.append(stored),
      };
    }),
  );
  const versions = await Promise.all(writers.map(async ({ write }) => (await write()).version));
  let rows: number[] = [];
  for (const version of versions.keys()) {
    const n = versions.indexOf(version);
    rows = writers[n].overwrites ? [n] : [...rows, n];
    const snapshot = await open().snapshot({ version });
    expect((await lake.rows(snapshot)).map((found) => found['n'])).toEqual([...rows].sort((a, b) => a - b));
  }
});

test('a writer who loses every time gives up, by name, and has changed nothing', async () => {
  await appendQuery(open(), lake.sql, row(0));
  const stored = await storeQuery(open(), lake.sql, row(1));
  const rival = await storeQuery(open(), lake.sql, row(2));
  // before each attempt of the loser somebody else takes the version
  class Unlucky extends WatchedStore {
    override async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
      await open().append(rival);
      return super.putIfAbsent(key, bytes);
    }
  }
  const losing = deltaTable(new Unlucky(lake.store), 't', { ...lake.context, commitAttempts: 5 }).append(stored);
  await expect(losing).rejects.toThrow(CommitConflict);
  await expect(losing).rejects.toThrow('Table t: 5 attempts to commit met another writer each time');
  expect(await values()).toEqual([0, 2, 2, 2, 2, 2]);
});
