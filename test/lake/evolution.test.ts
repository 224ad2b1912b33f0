import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeQuery } from '../../src/lake/change.ts';
import { SchemaMismatch } from '../../src/lake/errors.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery, storeQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';

let lake: TestLake;
let table: DeltaTable;
beforeEach(async () => {
  lake = await openLake();
  table = open();
});
afterEach(() => lake.close());

const open = () => deltaTable(lake.store, 't', { ...lake.context, sql: lake.sql });
const rows = async (version?: number) =>
  lake.rows(await open().snapshot(version === undefined ? undefined : { version }));
const addColumns = true;

describe('adding columns', () => {
  test('puts them behind the others, null in the rows of before; older versions stay as they were', async () => {
    await appendQuery(table, lake.sql, `SELECT 1 AS id, 'a' AS name`);
    const wider = `SELECT 'b' AS name, 2.5::DOUBLE AS score, 2 AS id, [1] AS list`;
    expect(await appendQuery(table, lake.sql, wider, { addColumns })).toMatchObject({ version: 1, rows: 1 });
    expect(await rows()).toEqual([
      { id: 1, name: 'a', score: null, list: null },
      { id: 2, name: 'b', score: 2.5, list: [1] },
    ]);
    expect((await table.snapshot()).schema.fields.map((field) => field.name)).toEqual(['id', 'name', 'score', 'list']);
    expect(await rows(0)).toEqual([{ id: 1, name: 'a' }]);
  });

  test('is done by overwrites and merges as well, and changes nothing where there is none to add', async () => {
    await appendQuery(table, lake.sql, 'SELECT 1 AS id', { addColumns });
    await mergeQuery(table, lake.sql, 'SELECT 2 AS id, 3 AS m', { key: ['id'], addColumns });
    expect(await rows()).toEqual([
      { id: 1, m: null },
      { id: 2, m: 3 },
    ]);
    await overwriteQuery(table, lake.sql, 'SELECT 5 AS id, 6 AS m, 7 AS o', { addColumns });
    expect(await rows()).toEqual([{ id: 5, m: 6, o: 7 }]);
    const before = (await table.snapshot()).metadata;
    await appendQuery(table, lake.sql, 'SELECT 8 AS o, 8 AS m, 8 AS id', { addColumns });
    expect((await table.snapshot()).metadata).toEqual(before);
  });

  test('takes the protocol to what their types need', async () => {
    await appendQuery(table, lake.sql, 'SELECT 1 AS id');
    expect((await table.snapshot()).protocol.minReaderVersion).toBe(1);
    await appendQuery(table, lake.sql, `SELECT 2 AS id, TIMESTAMP '2026-02-01 00:00:00' AS wall`, { addColumns });
    expect((await table.snapshot()).protocol).toMatchObject({ minReaderVersion: 3, readerFeatures: ['timestampNtz'] });
  });

  test.each([
    [
      'another type',
      `SELECT '1' AS id, 'a' AS name`,
      'Column id does not fit table t: it is VARCHAR where the table has INTEGER',
    ],
    ['a wider type', `SELECT 1::BIGINT AS id, 'a' AS name`, 'Column id does not fit table t: it is BIGINT'],
    ['a missing column', `SELECT 1 AS id, 2 AS more`, 'Column name does not fit table t: it is missing'],
    ['another name', `SELECT 1 AS id, 'a' AS title`, 'Column name does not fit table t: it is missing'],
    ['a deeper column', `SELECT 1 AS id, {'x': 1} AS name`, 'Column name does not fit table t: it is STRUCT'],
    [
      'a type that Delta lacks',
      `SELECT 1 AS id, 'a' AS name, TIME '10:00' AS t`,
      'Column t does not fit table t: TIME is no type',
    ],
    [
      'a new name twice',
      `SELECT 1 AS id, 'a' AS name, 1 AS n, 2 AS "N"`,
      'Column N does not fit table t: the name occurs twice',
    ],
  ])('%s is refused by name all the same', async (_, query, message) => {
    await appendQuery(table, lake.sql, `SELECT 1 AS id, 'a' AS name`);
    await expect(appendQuery(table, lake.sql, query, { addColumns })).rejects.toThrow(SchemaMismatch);
    await expect(appendQuery(table, lake.sql, query, { addColumns })).rejects.toThrow(message);
    expect((await table.snapshot()).version).toBe(0);
  });

  test('by two writers at once ends in both columns; of one name and two types the second is refused', async () => {
    await appendQuery(table, lake.sql, 'SELECT 1 AS id');
    const [a, b, c] = await Promise.all([
      storeQuery(open(), lake.sql, 'SELECT 2 AS id, 2 AS a', { addColumns }),
      storeQuery(open(), lake.sql, 'SELECT 3 AS id, 3 AS b', { addColumns }),
      storeQuery(open(), lake.sql, `SELECT 4 AS id, 'x' AS a`, { addColumns }),
    ]);
    await open().append(a, { addColumns });
    await open().append(b, { addColumns });
    expect(await rows()).toEqual([
      { id: 1, a: null, b: null },
      { id: 2, a: 2, b: null },
      { id: 3, a: null, b: 3 },
    ]);
    await expect(open().append(c, { addColumns })).rejects.toThrow('Column a does not fit table t: it is VARCHAR');
    await expect(open().append(b)).resolves.toMatchObject({ status: 'committed' });
  });

  test('does not stop a writer whose files were stored before', async () => {
    await appendQuery(table, lake.sql, 'SELECT 1 AS id');
    const stored = await storeQuery(open(), lake.sql, 'SELECT 2 AS id');
    await appendQuery(table, lake.sql, 'SELECT 3 AS id, 4 AS more', { addColumns });
    await open().append(stored);
    expect(await rows()).toEqual([
      { id: 1, more: null },
      { id: 2, more: null },
      { id: 3, more: 4 },
    ]);
  });
});

describe('overwriting partitions', () => {
  const replace = 'partitions';
  const values = (...rows: string[]) => `FROM (VALUES ${rows.join(', ')}) v(id, region, day)`;
  beforeEach(async () => {
    const rows = values(`(1, 'x', 1)`, `(2, 'x', 2)`, `(3, 'y', 1)`, `(4, NULL, 1)`);
    await appendQuery(table, lake.sql, rows, { partitionBy: ['region', 'day'] });
  });
  const ids = async () => (await rows()).map((row) => row['id']);

  test('replaces those that the new rows are of, the null one too, and leaves the others', async () => {
    await overwriteQuery(table, lake.sql, values(`(7, 'x', 1)`, `(8, NULL, 1)`, `(9, 'z', 1)`), { replace });
    expect(await ids()).toEqual([2, 3, 7, 8, 9]);
    const [entry] = await table.history();
    expect(entry.operationParameters).toMatchObject({ mode: 'Overwrite partitions' });
    expect(entry.operationMetrics).toMatchObject({ numFiles: '3', numRemovedFiles: '2' });
  });

  test('with the rows that are there keeps their file', async () => {
    const before = [...(await table.snapshot()).files.keys()];
    await overwriteQuery(table, lake.sql, values(`(1, 'x', 1)`), { replace });
    expect([...(await table.snapshot()).files.keys()]).toEqual(before);
  });

  test('with no rows replaces nothing, and marks its transaction', async () => {
    const none = `${values(`(1, 'x', 1)`)} WHERE false`;
    expect(await overwriteQuery(table, lake.sql, none, { replace })).toMatchObject({ version: 0, status: 'unchanged' });
    const txn = { appId: 'a', version: 0 };
    expect(await overwriteQuery(table, lake.sql, none, { replace, txn })).toMatchObject({
      version: 1,
      status: 'committed',
    });
    expect(await ids()).toEqual([1, 2, 3, 4]);
  });

  test('of a table without any, or together with the columns, is refused', async () => {
    const other = deltaTable(lake.store, 'other', lake.context);
    await expect(overwriteQuery(other, lake.sql, 'SELECT 1 AS n', { replace })).rejects.toThrow(
      'no partitions to replace',
    );
    await expect(
      overwriteQuery(table, lake.sql, values(`(1, 'x', 1)`), {
        replace,
        replaceSchema: true,
        partitionBy: ['region', 'day'],
      }),
    ).rejects.toThrow('the partitions that stay would have the old columns');
    expect(await ids()).toEqual([1, 2, 3, 4]);
  });
});
