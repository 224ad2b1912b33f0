import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Table, Utf8, vectorFromArray } from 'apache-arrow';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../../src/data/contract/contract.ts';
import { storedType } from '../../../src/data/contract/silver.ts';
import { blockRecords, blockStride, newBlock } from '../../../src/data/field-readers.ts';
import { plainParquet } from '../../../src/data/plain-parquet.ts';
import { typedValue } from '../../../src/data/quality/cast.ts';
import { readerOf } from '../../../src/data/quality/readers.ts';
import { quoteText } from '../../../src/data/quote.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

const column = (type: Column['type'], sqlType: string, more: Partial<Column> = {}): Column => ({
  name: 'x',
  headers: ['x'],
  type,
  sqlType,
  required: false,
  unique: false,
  primaryKey: false,
  ...more,
});

/**
 * The texts that the column's reader leaves to SQL, and the values of the others as SQL finds them in its Parquet file, with what
 * of the file's footer is not so.
 */
async function read(
  described: Column,
  texts: readonly string[],
): Promise<{ odd: Set<string>; values: unknown[]; untrue: unknown[] }> {
  const reader = readerOf(described, 1)!;
  const odd = new Set<string>();
  for (let first = 0; first < texts.length; first += blockRecords) {
    const some = texts.slice(first, first + blockRecords);
    const bytes = new TextEncoder().encode(`,${some.join(',')},`);
    const block = newBlock(bytes, 2);
    for (let at = 1; block.records < some.length; block.records++) {
      const place = blockStride + block.records;
      block.from[place] = at;
      at += new TextEncoder().encode(some[block.records]).length;
      block.to[place] = at++;
    }
    reader.look(block);
    reader.keep(block);
    for (const [r, text] of some.entries()) if (block.odd[r] === 1) odd.add(text);
  }
  const path = join(sql.folder, randomUUID());
  const kept = texts.length - texts.filter((text) => odd.has(text)).length;
  await writeFile(path, plainParquet(kept, [reader.take()]));
  const values = await sql.rows(
    `SELECT x::${storedType(described)}::VARCHAR AS x FROM read_parquet(${quoteText(path)})`,
  );
  const type = storedType(described);
  const hasExtremes = kept > 0 && type !== 'VARCHAR' && type !== 'BOOLEAN';
  const untrue = await sql.rows(`
    WITH told AS (FROM parquet_metadata(${quoteText(path)})),
      found AS (SELECT list(x::${type}) AS list FROM read_parquet(${quoteText(path)}))
    SELECT * FROM told, found WHERE stats_null_count IS DISTINCT FROM len(list_filter(list, x -> x IS NULL)) OR
      ${hasExtremes ? `stats_min_value::${type}` : 'stats_min_value'} IS DISTINCT FROM ${hasExtremes ? 'list_min(list)' : 'NULL'} OR
      ${hasExtremes ? `stats_max_value::${type}` : 'stats_max_value'} IS DISTINCT FROM ${hasExtremes ? 'list_max(list)' : 'NULL'}`);
  await rm(path);
  return { odd, values: values.map(({ x }) => x), untrue };
}

async function cast(described: Column, texts: readonly string[]): Promise<unknown[]> {
  await sql.run('DROP TABLE IF EXISTS written');
  await sql.insert(
    'written',
    new Table({
      x: vectorFromArray(
        texts.map((text) => text || null),
        new Utf8(),
      ),
    }),
  );
  const rows = await sql.rows(`SELECT (${typedValue(described)})::VARCHAR AS x FROM written`);
  return rows.map(({ x }) => x);
}

const numbers = ['0', '-0', '7', '-12', '120', '0.5', '-3.25', '100.000', '9007199254740993', '0.1234567890123456789'];
const times = [
  '2026-02-28',
  '2024-02-29',
  '1900-02-29',
  '2026-02-28T13:45:00',
  '2026-02-28 13:45:00.123456Z',
  '1931-12-31T23:59:59.1+14:59',
  '2199-01-01T00:00:00-00:30',
];
const days = (min: string, max: string) =>
  fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true }).map((day) => day.toISOString());
const texts = fc
  .oneof(
    fc
      .tuple(
        fc.constantFrom(...numbers, ...times, 'true', 'false'),
        fc.nat(30),
        fc.constantFrom('', '', '0', '1', '-', '.', ':', '+', 'T', 'Z', ' ', 'e', 'é', '00', '6', '29'),
        fc.nat(2),
      )
      .map(([text, at, put, drop]) => text.slice(0, at) + put + text.slice(at + drop)),
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789-+.:TZ e')), maxLength: 30 }),
    fc.constantFrom('true', 'false'),
    fc.double({ noNaN: true }).map(String),
    fc.double({ noNaN: true, min: -1e7, max: 1e7 }).map((value) => value.toFixed(2)),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
    fc.integer({ min: -40_000, max: 40_000 }).map(String),
    days('0001-01-01', '9999-12-31').map((day) => day.slice(0, 10)),
    days('0001-01-01', '9999-12-31'),
    days('1900-01-01', '2199-12-31'),
    days('1900-01-01', '2199-12-31').map((day) => `${day.slice(0, 19).replace('T', ' ')}+05:30`),
  )
  .filter((text) => !text.includes(','));
const sample = fc.sample(texts, { numRuns: 4000, seed: 20_261_120 });

describe('what a reader of bytes gives is what SQL gives by the whole grammar, and it gives most', () => {
  test.each([
    ['integer', 'SMALLINT'],
    ['integer', 'INTEGER'],
    ['integer', 'BIGINT'],
    ['number', 'DOUBLE'],
    ['number', 'DECIMAL(5,1)'],
    ['number', 'DECIMAL(9,2)'],
    ['number', 'DECIMAL(18,6)'],
    ['boolean', 'BOOLEAN'],
    ['date', 'DATE'],
    ['timestamp', 'TIMESTAMP'],
    ['string', 'VARCHAR'],
  ] as const)('%s as %s', async (type, sqlType) => {
    const described = column(type, sqlType);
    const { odd, values, untrue } = await read(described, sample);
    expect(untrue).toEqual([]);
    for (const few of [['12'], ['-3'], ['', '7'], ['']]) expect((await read(described, few)).untrue).toEqual([]);
    const kept = sample.filter((text) => !odd.has(text));
    const wanted = await cast(described, kept);
    expect(values.map((value, i) => [kept[i], value])).toEqual(wanted.map((value, i) => [kept[i], value]));
    const good = (await cast(described, sample)).flatMap((value, i) => (value === null ? [] : [sample[i]]));
    expect(good.length).toBeGreaterThan(5);
    expect(good.filter((text) => !odd.has(text)).length / good.length).toBeGreaterThan(0.5);
    // a text is never missing to the one and there to the other
    expect(values.map((value) => value === null)).toEqual(kept.map((text) => text === ''));
  });

  test.each([1, 2, 255, 256, 257, 1000])('%i different texts', async (different) => {
    const described = column('string', 'VARCHAR');
    const words = Array.from({ length: different }, (_, i) => 'é'.repeat(i % 7) + String(i));
    const rows = Array.from({ length: 3000 }, (_, i) => (i % 11 === 3 ? '' : words[(i * i) % different]));
    const { values, untrue } = await read(described, [...words, ...rows, ...words]);
    expect(values).toEqual([...words, ...rows, ...words].map((text) => text || null));
    expect(untrue).toEqual([]);
  });

  test('columns whose texts are changed before they are read have none, nor have decimals of more than 64 bits', () => {
    expect(readerOf(column('boolean', 'BOOLEAN', { values: { y: 'true' } }), 0)).toBeUndefined();
    expect(readerOf(column('string', 'VARCHAR', { letterCase: 'lower' }), 0)).toBeUndefined();
    expect(readerOf(column('number', 'DECIMAL(19,2)'), 0)).toBeUndefined();
  });
});
