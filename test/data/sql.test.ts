import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as arrow from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteName, quoteText } from '../../src/data/quote.ts';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import { random } from '../../src/ml/random.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ threads: 2, memoryLimitMb: 256 });
});
afterAll(() => sql.close());

/** One column of every type that crosses, with a null in the middle. */
const everyType = `
  SELECT * FROM (VALUES
    (1::TINYINT, -300::SMALLINT, 70000::INTEGER, 9007199254740993::BIGINT, 200::UTINYINT, 60000::USMALLINT,
     4000000000::UINTEGER, 18446744073709551615::UBIGINT, 0.5::FLOAT, 0.1::DOUBLE, DATE '2026-02-28',
     TIMESTAMP_S '2026-02-28 01:02:03', TIMESTAMP_MS '2026-02-28 01:02:03.004', TIMESTAMP '2026-02-28 01:02:03.000004',
     TIMESTAMP_NS '2026-02-28 01:02:03.000000005', TIMESTAMPTZ '2026-02-28 01:02:03.5+01', true, 'zwölf und mehr Zeichen', '\\x00\\xFF'::BLOB),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (-1, 300, -70000, -5, 0, 0, 0, 0, -1.25, 'NaN', '1969-12-31', '1969-12-31 23:59:59', '1969-12-31 23:59:59.999',
     '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59', '1969-12-31 23:59:59+00', false, '', ''::BLOB)
  ) AS t(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, day, s, ms, us, ns, utc, flag, text, bytes)`;

describe('out of the engine', () => {
  test('every scalar type arrives in Arrow with its values, its unit and its nulls', async () => {
    const table = await sql.query(everyType);
    const types = table.schema.fields.map((field) => `${field.name} ${String(field.type)}`);
    expect(types).toEqual([
      'i8 Int8',
      'i16 Int16',
      'i32 Int32',
      'i64 Int64',
      'u8 Uint8',
      'u16 Uint16',
      'u32 Uint32',
      'u64 Uint64',
      'f32 Float32',
      'f64 Float64',
      'day Date32<DAY>',
      's Timestamp<SECOND>',
      'ms Timestamp<MILLISECOND>',
      'us Timestamp<MICROSECOND>',
      'ns Timestamp<NANOSECOND>',
      'utc Timestamp<MICROSECOND, UTC>',
      'flag Bool',
      'text Utf8',
      'bytes Binary',
    ]);
    for (const field of table.schema.fields) {
      const column = table.getChild(field.name)!;
      expect([column.get(1), column.nullCount]).toEqual([null, 1]);
    }
    const row = table.get(0)!.toJSON();
    expect(row['i64']).toBe(9007199254740993n);
    expect(row['u64']).toBe(18446744073709551615n);
    expect(row['f64']).toBe(0.1);
    expect(row['day']).toBe(Date.UTC(2026, 1, 28));
    expect(row['us']).toBe(Date.UTC(2026, 1, 28, 1, 2, 3) + 0.004);
    expect(row['utc']).toBe(Date.UTC(2026, 1, 28, 0, 2, 3, 500));
    expect(row['flag']).toBe(true);
    expect(row['text']).toBe('zwölf und mehr Zeichen');
    expect([...(row['bytes'] as Uint8Array)]).toEqual([0, 255]);
    expect(table.get(2)!.toJSON()['day']).toBe(-86_400_000);
  });

  test('a result of many chunks, with nulls at odd places, is one batch of the right rows', async () => {
    const table = await sql.query(`
      SELECT i::INTEGER AS n, CASE WHEN i % 3 = 0 THEN NULL ELSE 'r' || i END AS text, i % 7 = 0 AS seventh,
        CASE WHEN i >= 5000 THEN NULL ELSE i / 2 END AS half
      FROM range(10000) r(i) WHERE i % 5 <> 1 ORDER BY i`);
    const expected = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => i % 5 !== 1);
    expect(table.batches).toHaveLength(1);
    expect(Array.from(table.getChild('n')!.toArray() as Int32Array)).toEqual(expected);
    expect(Array.from(table.getChild('text')!)).toEqual(expected.map((i) => (i % 3 === 0 ? null : `r${i}`)));
    expect(Array.from(table.getChild('seventh')!)).toEqual(expected.map((i) => i % 7 === 0));
    expect(Array.from(table.getChild('half')!)).toEqual(expected.map((i) => (i >= 5000 ? null : i / 2)));
  });

  test('a result without rows keeps its columns', async () => {
    const table = await sql.query(`SELECT * FROM (${everyType}) WHERE false`);
    expect([table.numRows, table.numCols]).toEqual([0, 19]);
  });

  test('decimals become doubles and sums of integers 64-bit integers', async () => {
    const table = await sql.query(
      "SELECT 12.30 AS price, sum(i) AS total, 'b'::ENUM('a', 'b') AS level FROM range(4) r(i)",
    );
    expect(table.get(0)!.toJSON()).toEqual({ price: 12.3, total: 6n, level: 'b' });
  });

  test('what has no Arrow column is refused by its name', async () => {
    await expect(sql.query('SELECT [1, 2] AS pair')).rejects.toThrow('Column "pair" is of type INTEGER[]');
    await expect(sql.query('SELECT 9223372036854775807::HUGEINT * 4 AS big')).rejects.toThrow(
      'Column "big" holds an integer',
    );
  });

  test('rows are plain JSON', async () => {
    const [first] = await sql.rows(`
      SELECT 3::BIGINT AS count, 1.25 AS price, DATE '2026-02-28' AS day, TIMESTAMP '2026-02-28 01:02:03.0049' AS at,
        TIMESTAMPTZ '2026-02-28 01:02:03+01' AS utc, TIMESTAMP '1969-12-31 23:59:59.9999' AS before, NULL AS nothing,
        'NaN'::DOUBLE AS nan, [1, 2] AS list, {a: 1, b: ['x']} AS struct, MAP {'k': 2.5} AS map, true AS flag`);
    expect(first).toEqual({
      count: 3,
      price: 1.25,
      day: '2026-02-28',
      at: '2026-02-28T01:02:03.004Z',
      utc: '2026-02-28T00:02:03.000Z',
      before: '1969-12-31T23:59:59.999Z',
      nothing: null,
      nan: null,
      list: [1, 2],
      struct: { a: 1, b: ['x'] },
      map: { k: 2.5 },
      flag: true,
    });
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    await expect(sql.rows('SELECT 9007199254740993 AS n')).rejects.toThrow('beyond ±2^53');
  });
});

describe('into the engine', () => {
  test('a table goes in and comes out unchanged, a column called __proto__ included', async () => {
    const before = await sql.query(`SELECT *, text AS "__proto__", i32 AS "say ""hi""" FROM (${everyType})`);
    await sql.insert('round "trip"', before);
    const after = await sql.query(`SELECT * FROM ${quoteName('round "trip"')}`);
    expect(after.schema.fields.map(String)).toEqual(before.schema.fields.map(String));
    for (const [c] of before.schema.fields.entries()) {
      expect(Array.from(after.getChildAt(c)!)).toEqual(Array.from(before.getChildAt(c)!));
    }
    expect(Object.keys((await sql.rows('SELECT 1 AS "__proto__"'))[0])).toEqual(['__proto__']);
  });

  test('a table read from an Arrow file goes in like the one that was written', async () => {
    const written = await sql.query(everyType);
    await sql.insert('from_file', arrow.tableFromIPC(arrow.tableToIPC(written, 'file')));
    const read = await sql.query('SELECT * FROM from_file');
    expect(read.schema.fields.map(String)).toEqual(written.schema.fields.map(String));
    expect(Array.from(read.getChild('us')!)).toEqual(Array.from(written.getChild('us')!));
  });

  test('a text may begin with a byte-order mark', async () => {
    const plain = arrow.vectorFromArray(['\uFEFFa'], new arrow.Utf8());
    await sql.insert('plain', new arrow.Table({ text: plain }));
    expect(await sql.rows('SELECT length(text) AS letters FROM plain')).toEqual([{ letters: 2 }]);
  });

  test('tables of several batches, slices and dictionaries go in', async () => {
    const made = arrow.tableFromArrays({
      x: Float64Array.from({ length: 5000 }, (_, i) => i),
      level: Array.from({ length: 5000 }, (_, i) => `l${i % 3}`),
    });
    expect(String(made.schema.fields[1].type)).toContain('Dictionary');
    await sql.insert('pieces', made.slice(100, 3000).concat(made.slice(4000, 4001)));
    expect(
      await sql.rows(
        "SELECT count(*) AS n, min(x) AS low, max(x) AS high, count(*) FILTER (level = 'l' || (x % 3)::INT) AS same FROM pieces",
      ),
    ).toEqual([{ n: 2901, low: 100, high: 4000, same: 2901 }]);
  });
});

describe('Parquet', () => {
  test('a file tells its rows, columns, extremes and nulls, and reads back', async () => {
    const file = await sql.parquet(everyType);
    expect(Buffer.from(file.bytes.subarray(0, 4)).toString()).toBe('PAR1');
    expect(file.rows).toBe(3);
    expect(file.columns.slice(9, 14)).toEqual([
      { name: 'f64', type: 'DOUBLE' },
      { name: 'day', type: 'DATE' },
      { name: 's', type: 'TIMESTAMP' },
      { name: 'ms', type: 'TIMESTAMP' },
      { name: 'us', type: 'TIMESTAMP' },
    ]);
    expect(file.stats.nullCount['text']).toBe(1);
    expect([file.stats.max['i32'], file.stats.min['day']]).toEqual([70000, '1969-12-31']);
    expect('text' in file.stats.min).toBe(false);
    expect('i64' in file.stats.max).toBe(false);
    expect('f64' in file.stats.max).toBe(false);
    expect('bytes' in file.stats.max).toBe(false);

    const folder = mkdtempSync(join(tmpdir(), 'bordereau-test-'));
    writeFileSync(join(folder, 'a.parquet'), file.bytes);
    const back = await sql.query(`SELECT * FROM read_parquet(${quoteText(join(folder, 'a.parquet'))})`);
    expect(Array.from(back.getChild('i64')!)).toEqual([9007199254740993n, null, -5n]);
    rmSync(folder, { recursive: true });
  });

  test('what a file tells of its columns is so of their values, in files of several parts', async () => {
    const chance = random(1);
    const doubles = Array.from({ length: 300_000 }, () => (chance.uniform() - 0.5) * 10 ** chance.integer(300));
    const least = (values: number[]): number => values.reduce((a, b) => Math.min(a, b));
    const greatest = (values: number[]): number => values.reduce((a, b) => Math.max(a, b));
    await sql.insert('doubles', arrow.tableFromArrays({ x: Float64Array.from(doubles) }));
    const file = await sql.parquet(`SELECT x, CASE WHEN row_number() OVER () > 250000 THEN x END AS late,
      CASE WHEN x > 0 THEN x ELSE 'NaN' END AS "none's", NULL::DATE AS never, 'text' AS text FROM doubles`);
    const late = doubles.slice(250_000);
    expect(file.rows).toBe(300_000);
    expect(file.stats).toEqual({
      min: { x: least(doubles), late: least(late) },
      max: { x: greatest(doubles), late: greatest(late) },
      nullCount: { x: 0, late: 250_000, "none's": 0, never: 300_000, text: 0 },
    });
  });

  test('the same query writes the same bytes, and an empty result is a file too', async () => {
    const query = 'SELECT i, i * 0.5 AS half FROM range(50000) r(i)';
    const [first, second] = [await sql.parquet(query), await sql.parquet(query)];
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    const empty = await sql.parquet('SELECT 1 AS a WHERE false');
    expect(empty).toMatchObject({ rows: 0, columns: [{ name: 'a', type: 'INTEGER' }], stats: { min: {}, max: {} } });
  });
});

describe('the walls', () => {
  test('calls on one engine may overlap', async () => {
    const numbers = await Promise.all(
      [1, 2, 3, 4].map(
        async (n) =>
          (await sql.query(`SELECT ${n} + 0 * (sum(i) % 2)::INTEGER AS n FROM range(100000) r(i)`)).get(0)![
            'n'
          ] as number,
      ),
    );
    expect(numbers).toEqual([1, 2, 3, 4]);
    await expect(sql.run('SELEKT')).rejects.toThrow('syntax error');
    expect(await sql.rows('SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });

  test('SQL reaches only the directories named, never the network or the settings', async () => {
    const open = mkdtempSync(join(tmpdir(), 'bordereau-test-'));
    mkdirSync(join(open, 'in'));
    mkdirSync(join(open, 'out'));
    writeFileSync(join(open, 'in', 'a.csv'), 'a\n1\n');
    writeFileSync(join(open, 'out', 'a.csv'), 'a\n1\n');
    const walled = await openSql({ directories: [join(open, 'in')], temporaryDirectory: open });
    expect(await walled.rows(`SELECT * FROM ${quoteText(join(open, 'in', 'a.csv'))}`)).toEqual([{ a: 1 }]);
    await expect(walled.rows(`SELECT * FROM ${quoteText(join(open, 'out', 'a.csv'))}`)).rejects.toThrow(
      'Permission Error',
    );
    await expect(walled.run('INSTALL httpfs')).rejects.toThrow('Permission Error');
    await expect(walled.run('LOAD httpfs')).rejects.toThrow('disabled');
    await expect(walled.run('SET threads = 1')).rejects.toThrow('locked');
    expect((await walled.parquet('SELECT 1 AS a')).rows).toBe(1);
    await walled.close();
    expect(readdirSync(open).sort()).toEqual(['in', 'out']);
    rmSync(open, { recursive: true });
    expect(existsSync(open)).toBe(false);
  });
});
