import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deleteRows, mergeQuery } from '../../src/lake/change.ts';
import { ConcurrentChange, SchemaMismatch, TableNotFound, UnfitKeys, UnsupportedTable } from '../../src/lake/errors.ts';
import { mount } from '../../src/lake/mount.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';
import { WatchedStore } from './watched-store.ts';

let lake: TestLake;
let table: DeltaTable;
beforeEach(async () => {
  lake = await openLake();
  table = open();
});
afterEach(() => lake.close());

const open = (store = lake.store) => deltaTable(store, 't', { ...lake.context, sql: lake.sql });
const range = (from: number, to: number) => `SELECT i AS id, 'old' AS state FROM range(${from}, ${to}) r(i)`;
const seen = async () =>
  (await lake.rows(await open().snapshot())).map(({ id, state }) => `${id as number} ${state as string}`);

describe('deleting by key', () => {
  test('takes the rows out, leaves all others, and older versions keep theirs', async () => {
    await appendQuery(table, lake.sql, range(0, 3));
    await appendQuery(table, lake.sql, range(3, 6));
    expect(await deleteRows(table, lake.sql, 'SELECT unnest([1, 4, 99])::BIGINT AS id')).toEqual({
      version: 2,
      status: 'committed',
      rows: 0,
      matchedRows: 2,
    });
    expect(await seen()).toEqual(['0 old', '2 old', '3 old', '5 old']);
    expect(await lake.rows(await table.snapshot({ version: 1 }))).toHaveLength(6);
    const [entry] = await table.history();
    expect(entry).toMatchObject({
      operation: 'DELETE',
      operationParameters: { key: '["id"]' },
      operationMetrics: { numDeletedRows: '2', numCopiedRows: '4', numAddedFiles: '2', numRemovedFiles: '2' },
      isBlindAppend: false,
    });
  });

  test('opens only the files that may hold a key, and leaves the others where they are', async () => {
    for (let i = 0; i < 5; i++) await appendQuery(table, lake.sql, range(i * 10, i * 10 + 10));
    const before = [...(await table.snapshot()).files.keys()];
    const watched = new WatchedStore(lake.store);
    await deleteRows(open(watched), lake.sql, 'SELECT 27 AS id');
    expect(watched.calls.filter((call) => call.startsWith('localCopy'))).toEqual([`localCopy t/${before[2]}`]);
    const after = new Set((await table.snapshot()).files.keys());
    expect(before.filter((path) => after.has(path))).toEqual(before.toSpliced(2, 1));
  });

  test('that leaves what another file holds already leaves it twice', async () => {
    await appendQuery(table, lake.sql, range(1, 2));
    await appendQuery(table, lake.sql, range(1, 3));
    await deleteRows(table, lake.sql, 'SELECT 2 AS id');
    expect(await seen()).toEqual(['1 old', '1 old']);
  });

  test('of nothing that is there changes nothing', async () => {
    await appendQuery(table, lake.sql, range(0, 3));
    expect(await deleteRows(table, lake.sql, 'SELECT 7 AS id')).toMatchObject({ version: 0, status: 'unchanged' });
    expect(await deleteRows(table, lake.sql, 'SELECT 1 AS id WHERE false')).toMatchObject({ status: 'unchanged' });
  });

  test('by several columns wants them all to be equal, and a null in the table equals nothing', async () => {
    await appendQuery(table, lake.sql, `FROM (VALUES (1, 'a'), (1, 'b'), (2, 'a'), (1, NULL)) v(id, state)`);
    await deleteRows(table, lake.sql, `SELECT 'a' AS state, 1 AS id`);
    expect(await seen()).toEqual(['1 b', '1 null', '2 a']);
  });

  test('by a partition column opens no file of another partition', async () => {
    const rows = `SELECT i AS id, ['x', 'y', NULL][i % 3 + 1] AS state, 1.5::DOUBLE AS z FROM range(9) r(i)`;
    await appendQuery(table, lake.sql, rows, { partitionBy: ['state'] });
    const watched = new WatchedStore(lake.store);
    await deleteRows(open(watched), lake.sql, `SELECT 'y' AS state`);
    expect(watched.calls.filter((call) => call.startsWith('localCopy'))).toHaveLength(1);
    expect(await seen()).toEqual(['0 x', '2 null', '3 x', '5 null', '6 x', '8 null']);
  });

  test('re-delivered with its transaction changes nothing more', async () => {
    const txn = { appId: 'erase-17', version: 0 };
    await appendQuery(table, lake.sql, range(0, 3));
    expect(await deleteRows(table, lake.sql, 'SELECT 1 AS id', { txn })).toMatchObject({ status: 'committed' });
    await appendQuery(table, lake.sql, range(1, 2));
    expect(await deleteRows(table, lake.sql, 'SELECT 1 AS id', { txn })).toEqual({
      version: 2,
      status: 'already-committed',
      rows: 0,
      matchedRows: 0,
    });
    expect(await seen()).toEqual(['0 old', '1 old', '2 old']);
  });

  test('finds keys that no JSON number can hold', async () => {
    const big = '9007199254740993';
    await appendQuery(table, lake.sql, `SELECT unnest([${big}, ${big} - 1, 5]) AS id, 'old' AS state`);
    await deleteRows(table, lake.sql, `SELECT ${big} AS id`);
    const mounted = await mount(lake.sql, await table.snapshot(), 'seen');
    expect(await lake.sql.rows('SELECT CAST(id AS VARCHAR) AS id FROM seen ORDER BY ALL')).toEqual([
      { id: '5' },
      { id: '9007199254740992' },
    ]);
    await mounted.release();
  });

  test.each<[string, string, new (...values: never[]) => Error, string]>([
    ['a null', 'SELECT NULL::INTEGER AS id', UnfitKeys, 'The keys (id) for table t are unfit: a key has a null'],
    ['a column that is not there', 'SELECT 1 AS nobody', SchemaMismatch, 'Column nobody does not fit table t'],
    ['another type', `SELECT 'x' AS id`, SchemaMismatch, 'it is VARCHAR where the table has BIGINT'],
    ['a name twice', 'SELECT 1 AS id, 2 AS "ID"', SchemaMismatch, 'the name occurs twice'],
  ])('by %s is refused', async (_, keys, error, message) => {
    await appendQuery(table, lake.sql, range(0, 3));
    await expect(deleteRows(table, lake.sql, keys)).rejects.toThrow(error);
    await expect(deleteRows(table, lake.sql, keys)).rejects.toThrow(message);
    expect((await table.snapshot()).version).toBe(0);
  });

  test('from a table that is not there, or only grows, is refused', async () => {
    await expect(deleteRows(table, lake.sql, 'SELECT 1 AS id')).rejects.toThrow(TableNotFound);
    await appendQuery(table, lake.sql, range(0, 3), { properties: { 'delta.appendOnly': 'true' } });
    await expect(deleteRows(table, lake.sql, 'SELECT 1 AS id')).rejects.toThrow(UnsupportedTable);
    await expect(mergeQuery(table, lake.sql, range(1, 2), { key: ['id'] })).rejects.toThrow('is append-only');
  });
});

describe('merging by key', () => {
  test('replaces the rows that are there and adds those that are not', async () => {
    await appendQuery(table, lake.sql, range(0, 4));
    const fresh = `SELECT unnest([2, 3, 8])::BIGINT AS id, 'new' AS state`;
    expect(await mergeQuery(table, lake.sql, fresh, { key: ['id'] })).toEqual({
      version: 1,
      status: 'committed',
      rows: 3,
      matchedRows: 2,
    });
    expect(await seen()).toEqual(['0 old', '1 old', '2 new', '3 new', '8 new']);
    const [entry] = await table.history();
    expect(entry).toMatchObject({
      operation: 'MERGE',
      operationMetrics: { numTargetRowsUpdated: '2', numSourceRows: '3', numCopiedRows: '2' },
    });
  });

  test('of the row that is there puts it under another name, for no commit may remove and add one file', async () => {
    await appendQuery(table, lake.sql, range(1, 2));
    const [before] = (await table.snapshot()).files.keys();
    await mergeQuery(table, lake.sql, range(1, 2), { key: ['id'] });
    const { files, tombstones } = await table.snapshot();
    expect([...tombstones.keys()]).toEqual([before]);
    expect([...files.keys()]).toEqual([before.replace('.zstd', '-1.zstd')]);
    expect(await seen()).toEqual(['1 old']);
  });

  test('makes the table where there is none', async () => {
    await mergeQuery(table, lake.sql, range(0, 2), { key: ['id'] });
    expect(await seen()).toEqual(['0 old', '1 old']);
  });

  test('moves a row to the partition where it now belongs', async () => {
    await appendQuery(table, lake.sql, range(0, 3), { partitionBy: ['state'] });
    await mergeQuery(table, lake.sql, `SELECT 1 AS id, 'new' AS state`, { key: ['id'] });
    expect(await seen()).toEqual(['0 old', '1 new', '2 old']);
    const partitions = [...(await table.snapshot()).files.values()].map((add) => add.partitionValues['state']);
    expect(new Set(partitions)).toEqual(new Set(['new', 'old']));
  });

  test('runs its query once, whatever that gives', async () => {
    await mergeQuery(table, lake.sql, `SELECT uuid()::VARCHAR AS id, 'a' AS state FROM range(20)`, { key: ['id'] });
    const stored = (await lake.rows(await table.snapshot())).map((row) => `SELECT '${row['id'] as string}' AS id`);
    const { matchedRows } = await deleteRows(table, lake.sql, stored.join(' UNION ALL '));
    expect(matchedRows).toBe(20);
  });

  test.each([
    [
      'a key that occurs twice',
      `${range(0, 2)} UNION ALL ${range(1, 3)}`,
      ['id'],
      '1 of 4 rows repeat the key of another one',
    ],
    ['a key without columns', range(0, 2), [], 'no column is named'],
    ['a key column that is not there', range(0, 2), ['code'], 'the table has no such column'],
  ])('by %s is refused', async (_, query, key, message) => {
    await appendQuery(table, lake.sql, range(0, 3));
    await expect(mergeQuery(table, lake.sql, query, { key })).rejects.toThrow(message);
    expect((await table.snapshot()).version).toBe(0);
  });
});

describe('with other writers at work', () => {
  /** Another writer commits right before the first commit of this one. */
  function beaten(byOther: () => Promise<unknown>): DeltaTable {
    let first = true;
    class Beaten extends WatchedStore {
      override async putIfAbsent(key: string, bytes: Uint8Array): Promise<{ created: boolean }> {
        if (first && key.includes('_delta_log')) {
          first = false;
          await byOther();
        }
        return super.putIfAbsent(key, bytes);
      }
    }
    return open(new Beaten(lake.store));
  }

  test('a deletion also takes what was added while it was worked out', async () => {
    await appendQuery(table, lake.sql, range(0, 3));
    const losing = beaten(() => appendQuery(open(), lake.sql, range(1, 4)));
    expect(await deleteRows(losing, lake.sql, 'SELECT 1 AS id')).toMatchObject({ version: 2, matchedRows: 2 });
    expect(await seen()).toEqual(['0 old', '2 old', '2 old', '3 old']);
  });

  test('a deletion whose rows somebody else has deleted finds them gone', async () => {
    await appendQuery(table, lake.sql, range(0, 3));
    const losing = beaten(() => deleteRows(open(), lake.sql, 'SELECT unnest([0, 1]) AS id'));
    expect(await deleteRows(losing, lake.sql, 'SELECT 1 AS id')).toMatchObject({ version: 1, status: 'unchanged' });
    expect(await seen()).toEqual(['2 old']);
  });

  test('a merge that another one has overtaken still leaves one row per key', async () => {
    await appendQuery(table, lake.sql, range(0, 2));
    const losing = beaten(() => mergeQuery(open(), lake.sql, `SELECT 1 AS id, 'theirs' AS state`, { key: ['id'] }));
    await mergeQuery(losing, lake.sql, `SELECT 1 AS id, 'ours' AS state`, { key: ['id'] });
    expect(await seen()).toEqual(['0 old', '1 ours']);
  });

  test('a change of a column that was the key is refused', async () => {
    await appendQuery(table, lake.sql, range(0, 2));
    const losing = beaten(() => overwriteQuery(open(), lake.sql, `SELECT 'x' AS id`, { replaceSchema: true }));
    await expect(deleteRows(losing, lake.sql, 'SELECT 1 AS id')).rejects.toThrow('has changed this column meanwhile');
  });

  test('merges of the same keys at once leave the rows of the last version, one per key', async () => {
    await appendQuery(table, lake.sql, range(0, 6));
    const writers = ['a', 'b', 'c', 'd'];
    const results = await Promise.all(
      writers.map((name) =>
        mergeQuery(open(), lake.sql, `SELECT unnest([1, 4]) AS id, '${name}' AS state`, { key: ['id'] }),
      ),
    );
    const last = writers[results.findIndex((result) => result.version === 4)];
    expect(await seen()).toEqual(['0 old', `1 ${last}`, '2 old', '3 old', `4 ${last}`, '5 old']);
  });

  test('a write that rests on a version is refused where the rows are others by now', async () => {
    await appendQuery(table, lake.sql, range(0, 3));
    const { version } = await table.snapshot();
    await appendQuery(open(), lake.sql, range(5, 6));
    const writes = [
      () => overwriteQuery(table, lake.sql, range(9, 10), { unchangedSince: version }),
      () => appendQuery(table, lake.sql, range(9, 10), { unchangedSince: version }),
      () => deleteRows(table, lake.sql, 'SELECT 1 AS id', { unchangedSince: version }),
      () => mergeQuery(table, lake.sql, range(1, 2), { key: ['id'], unchangedSince: version }),
    ];
    for (const write of writes) {
      await expect(write()).rejects.toThrow(ConcurrentChange);
      await expect(write()).rejects.toThrow(
        'Table t has changed since version 0, on which this write rests; it is at 1 now',
      );
    }
    await expect(overwriteQuery(table, lake.sql, range(9, 10), { unchangedSince: -1 })).rejects.toThrow(
      ConcurrentChange,
    );
    expect(await overwriteQuery(table, lake.sql, range(9, 10), { unchangedSince: 1 })).toMatchObject({ version: 2 });
  });

  test('a version that changed no row does not count as a change', async () => {
    await appendQuery(table, lake.sql, range(0, 3));
    await appendQuery(table, lake.sql, `${range(0, 3)} WHERE false`, { txn: { appId: 'empty drop', version: 0 } });
    await overwriteQuery(table, lake.sql, range(9, 10), { unchangedSince: 0 });
    expect(await seen()).toEqual(['9 old']);
  });
});
