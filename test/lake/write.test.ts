import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DataFiles } from '../../src/lake/data-files.ts';
import { SchemaMismatch } from '../../src/lake/errors.ts';
import { mount } from '../../src/lake/mount.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery, storeQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';

let lake: TestLake;
let table: DeltaTable;
beforeEach(async () => {
  lake = await openLake();
  table = deltaTable(lake.store, 't', lake.context);
});
afterEach(() => lake.close());

const rows = async () => lake.rows(await table.snapshot());

describe('columns', () => {
  test('are matched by name, whatever their order and case, and widened where nothing is lost', async () => {
    await appendQuery(
      table,
      lake.sql,
      `SELECT 1::BIGINT AS id, 'a' AS name, 2.5::DECIMAL(10, 2) AS premium, 0.5::DOUBLE AS x`,
    );
    await appendQuery(
      table,
      lake.sql,
      `SELECT 'b' AS NAME, 3::DECIMAL(5, 1) AS premium, 2::TINYINT AS id, 7::INTEGER AS x`,
    );
    expect(await rows()).toEqual([
      { id: 1, name: 'a', premium: 2.5, x: 0.5 },
      { id: 2, name: 'b', premium: 3, x: 7 },
    ]);
  });

  test.each([
    ['is missing', `SELECT 1 AS id, 'x' AS name`, 'charges', 'it is missing; select CAST(NULL AS DOUBLE)'],
    [
      'is unknown',
      `SELECT 1 AS id, 'x' AS name, 1.5::DOUBLE AS charges, 1 AS more`,
      'more',
      'the table has no such column',
    ],
    [
      'occurs twice',
      `SELECT 1 AS id, 'x' AS name, 1.5::DOUBLE AS charges, 'y' AS "Name"`,
      'Name',
      'the name occurs twice',
    ],
    [
      'has another type',
      `SELECT 1 AS id, 'x' AS name, '7' AS charges`,
      'charges',
      'it is VARCHAR where the table has DOUBLE; CAST it',
    ],
    [
      'is wider',
      `SELECT 1::BIGINT AS id, 'x' AS name, 1.5::DOUBLE AS charges`,
      'id',
      'it is BIGINT where the table has INTEGER',
    ],
    [
      'would be rounded',
      `SELECT 1 AS id, 'x' AS name, 1::BIGINT AS charges`,
      'charges',
      'it is BIGINT where the table has DOUBLE',
    ],
  ])('a column that %s is named, and nothing is written', async (_, query, column, problem) => {
    await appendQuery(table, lake.sql, `SELECT 1 AS id, 'x' AS name, 1.5::DOUBLE AS charges`);
    for (const write of [appendQuery, overwriteQuery]) {
      const writing = write(table, lake.sql, query);
      await expect(writing).rejects.toThrow(SchemaMismatch);
      await expect(writing).rejects.toThrow(`Column ${column} does not fit table t: ${problem}`);
    }
    expect(await rows()).toHaveLength(1);
    const keys = [];
    for await (const { key } of lake.store.list('t/')) keys.push(key);
    expect(keys).toHaveLength(2);
  });

  test.each([
    [
      'HUGEINT',
      'SELECT sum(x) AS total FROM (VALUES (1)) v(x)',
      'Column total does not fit table t: HUGEINT is no type of Delta',
    ],
    ['INTERVAL', 'SELECT INTERVAL 1 DAY AS wait', 'Column wait does not fit'],
    ['TIME', `SELECT TIME '10:00' AS at`, 'Column at does not fit'],
    ['nested TIME', `SELECT [{'a': TIME '10:00'}] AS at`, 'Column at does not fit'],
    ['a space in a name', 'SELECT 1 AS "net premium"', 'Column "net premium" does not fit table t: a name may not'],
    ['an empty name', 'SELECT 1 AS "a", 2 AS "="', 'a name may not'],
    ['names that differ in case only', 'SELECT * FROM (SELECT 1 AS a), (SELECT 2 AS "A")', 'the name occurs twice'],
  ])('a new table refuses %s', async (_, query, message) => {
    await expect(appendQuery(table, lake.sql, query)).rejects.toThrow(SchemaMismatch);
    await expect(appendQuery(table, lake.sql, query)).rejects.toThrow(message);
    expect(await table.latest()).toBeUndefined();
  });

  test('an overwrite may bring other columns when it says so', async () => {
    await appendQuery(table, lake.sql, `SELECT 1 AS a, 'x' AS b`);
    await overwriteQuery(table, lake.sql, `SELECT DATE '2026-02-01' AS b, TIMESTAMP '2026-03-29 02:30:00' AS wall`, {
      replaceSchema: true,
    });
    expect(await rows()).toEqual([{ b: '2026-02-01', wall: '2026-03-29T02:30:00.000Z' }]);
    expect(await lake.rows(await table.snapshot({ version: 0 }))).toEqual([{ a: 1, b: 'x' }]);
    // the new column's type needs a feature that the old protocol lacks
    expect((await table.snapshot()).protocol).toMatchObject({ minReaderVersion: 3, readerFeatures: ['timestampNtz'] });
    expect((await table.snapshot({ version: 0 })).protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
  });

  test('files that were stored before the columns changed do not go in', async () => {
    await appendQuery(table, lake.sql, 'SELECT 1 AS a');
    const stored = await storeQuery(table, lake.sql, 'SELECT 2 AS a');
    await overwriteQuery(table, lake.sql, `SELECT 'x' AS a`, { replaceSchema: true });
    await expect(table.append(stored)).rejects.toThrow(
      'Column a does not fit table t: it is INTEGER where the table has VARCHAR',
    );
  });
});

test('every type comes back as it went in, to the last digit', async () => {
  const values = `SELECT true AS b, (-128)::TINYINT AS i1, 200::UTINYINT AS u1, (-32768)::SMALLINT AS i2, 60000::USMALLINT AS u2,
    (-2147483648)::INTEGER AS i4, 4000000000::UINTEGER AS u4, 9223372036854775807::BIGINT AS i8, 18446744073709551615::UBIGINT AS u8,
    1.5::FLOAT AS f4, 'nan'::DOUBLE AS nan, '-inf'::DOUBLE AS inf, 12345678901234567890.12345678::DECIMAL(38, 8) AS d,
    'Zürich ''x''' AS t, 'b'::ENUM('a', 'b') AS e, '3f1c2a5e-0000-4000-8000-000000000001'::UUID AS u, '{"k":1}'::JSON AS j,
    '\\x00\\xFF'::BLOB AS raw, DATE '1582-10-14' AS day, TIMESTAMPTZ '1969-12-31 23:59:59.999999+00' AS instant,
    TIMESTAMP '2026-03-29 02:30:00.123456' AS wall, TIMESTAMP_S '2026-01-01 00:00:00' AS s, [1, NULL, 3] AS list, [1, 2]::INTEGER[2] AS arr,
    {'a b': 1, 'c': [{'d': 'x'}]} AS nested, MAP {'k': NULL::DOUBLE} AS m, NULL::VARCHAR AS nothing`;
  await appendQuery(table, lake.sql, values);
  const text = (source: string) => `SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (${source})`;
  await lake.sql.run(`CREATE TEMP TABLE expected AS ${text(values)}`);
  const mounted = await mount(lake.sql, await table.snapshot(), 'seen');
  expect(await lake.sql.rows(text('FROM seen'))).toEqual(await lake.sql.rows('FROM expected'));
  await mounted.release();
});

describe('statistics in the log', () => {
  const stats = async () =>
    JSON.parse([...(await table.snapshot()).files.values()][0].stats!) as Record<string, object>;

  test('tell rows, nulls, and the extremes of numbers and times', async () => {
    await appendQuery(
      table,
      lake.sql,
      `SELECT * FROM (VALUES (1, 2.5::DECIMAL(6, 2), DATE '2026-01-02', TIMESTAMPTZ '2026-01-01 00:00:00.123999+00', TIMESTAMP '2026-01-01 10:00:00'),
        (NULL, -7, DATE '1900-01-01', NULL, TIMESTAMP '2025-01-01 10:00:00')) v(n, d, day, instant, wall)`,
    );
    expect(await stats()).toEqual({
      numRecords: 2,
      minValues: {
        n: 1,
        d: -7,
        day: '1900-01-01',
        instant: '2026-01-01T00:00:00.123Z',
        wall: '2025-01-01T10:00:00.000',
      },
      maxValues: {
        n: 1,
        d: 2.5,
        day: '2026-01-02',
        instant: '2026-01-01T00:00:00.123Z',
        wall: '2026-01-01T10:00:00.000',
      },
      nullCount: { n: 1, d: 0, day: 0, instant: 1, wall: 0 },
    });
  });

  test('hold no text, for the log outlives an erasure, and nothing that JSON would round', async () => {
    await appendQuery(
      table,
      lake.sql,
      `SELECT 'Ann Miller' AS name, 9007199254740993::BIGINT AS big, 'inf'::DOUBLE AS inf, 1::DECIMAL(38, 2) AS wide, true AS flag, {'a': 1} AS s`,
    );
    expect(await stats()).toEqual({
      numRecords: 1,
      minValues: {},
      maxValues: {},
      nullCount: { name: 0, big: 0, inf: 0, wide: 0, flag: 0 },
    });
  });
});

describe('partitions', () => {
  const values = `SELECT * FROM (VALUES (1, 'NE', DATE '2026-01-01'), (2, 'a/b %c=é ''x''', DATE '2026-01-01'), (3, NULL, NULL),
    (4, 'NE', DATE '2026-01-01'), (5, 'NE', DATE '2026-01-02')) v(id, region, day)`;

  test('part the files by value and read back as columns in their place', async () => {
    expect(await appendQuery(table, lake.sql, values, { partitionBy: ['region', 'day'] })).toMatchObject({ rows: 5 });
    const snapshot = await table.snapshot();
    expect(snapshot.metadata.partitionColumns).toEqual(['region', 'day']);
    expect([...snapshot.files.values()].map((add) => add.partitionValues)).toEqual(
      expect.arrayContaining([
        { region: 'NE', day: '2026-01-01' },
        { region: 'NE', day: '2026-01-02' },
        { region: `a/b %c=é 'x'`, day: '2026-01-01' },
        { region: null, day: null },
      ]),
    );
    expect(snapshot.files.size).toBe(4);
    expect(await rows()).toEqual(await lake.sql.rows(`${values} ORDER BY ALL`));
  });

  test('are known to later writes', async () => {
    await appendQuery(table, lake.sql, values, { partitionBy: ['region'] });
    await appendQuery(table, lake.sql, `SELECT 6 AS id, 'SW' AS region, NULL::DATE AS day`);
    expect((await table.snapshot()).files.size).toBe(4);
    await expect(appendQuery(table, lake.sql, values, { partitionBy: ['day'] })).rejects.toThrow(
      'the table is partitioned by region',
    );
  });

  test('of the same content but another value are two files', async () => {
    await appendQuery(table, lake.sql, `SELECT 1 AS n, unnest(['x', 'y']) AS p`, { partitionBy: ['p'] });
    expect((await table.snapshot()).files.size).toBe(2);
    expect(await rows()).toEqual([
      { n: 1, p: 'x' },
      { n: 1, p: 'y' },
    ]);
  });

  test.each([
    ['an unknown column', ['nowhere'], 'Column nowhere does not fit'],
    ['every column', ['id', 'region', 'day'], 'needs a column that is no partition column'],
    ['a fraction', ['x'], 'DOUBLE cannot part files'],
    ['an empty text', ['t'], 'Delta reads an empty partition value as null'],
  ])('by %s are refused', async (_, partitionBy, message) => {
    const query = partitionBy.length === 3 ? values : `SELECT 1 AS id, 0.5::DOUBLE AS x, '' AS t`;
    await expect(appendQuery(table, lake.sql, query, { partitionBy })).rejects.toThrow(message);
  });
});

test('files can be stored by several steps and committed by one', async () => {
  const stored = await Promise.all([1, 2, 3].map((n) => storeQuery(table, lake.sql, `SELECT ${n} AS n`)));
  expect(await table.latest()).toBeUndefined();
  // what a step hands on is plain JSON
  const parts = JSON.parse(JSON.stringify(stored)) as DataFiles[];
  const all = { ...parts[0], files: parts.flatMap((part) => part.files) };
  expect(await table.append(all, { txn: { appId: 'run-1', version: 0 } })).toEqual({ version: 0, status: 'committed' });
  expect(await rows()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('a query may end in a comment or a semicolon-free CTE', async () => {
  await appendQuery(table, lake.sql, `WITH x AS (SELECT 1 AS n) FROM x -- all of them`);
  expect(await rows()).toEqual([{ n: 1 }]);
});
