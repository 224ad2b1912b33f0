import { Table, Utf8, vectorFromArray } from 'apache-arrow';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Column } from '../../../src/data/contract/contract.ts';
import type { Json } from '../../../src/data/json.ts';
import { typedValue } from '../../../src/data/quality/cast.ts';
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

/** What the column makes of each text. */
async function cast(described: Column, texts: readonly string[]): Promise<Json[]> {
  await sql.run('DROP TABLE IF EXISTS written');
  await sql.insert('written', new Table({ x: vectorFromArray(texts, new Utf8()) }));
  return (await sql.rows(`SELECT ${typedValue(described)} AS value FROM written`)).map(({ value }) => value);
}

const refused = (texts: readonly string[]): null[] => texts.map(() => null);

describe('nothing is coerced', () => {
  test('5. integers', async () => {
    const good = ['0', '7', '-3', '42', '2147483647', '-2147483648'];
    const bad = [
      '007',
      '+5',
      '1,000',
      '1e5',
      '0x10',
      ' 12',
      '12 ',
      '12.0',
      '-',
      '--1',
      '٣',
      'forty',
      'NaN',
      '2147483648',
      '1_000',
      '-0x1',
      '1\n',
    ];
    expect(await cast(column('integer', 'INTEGER'), good)).toEqual(good.map(Number));
    expect(await cast(column('integer', 'INTEGER'), bad)).toEqual(refused(bad));
    expect(await cast(column('integer', 'SMALLINT'), ['32767', '32768'])).toEqual([32767, null]);
    expect(await cast(column('integer', 'BIGINT'), ['9223372036854775808'])).toEqual([null]);
  });

  test('5. decimals', async () => {
    const good = ['0', '0.5', '-0.25', '16884.924', '27.9', '100000', '0.1', '-0'];
    const bad = [
      '.5',
      '5.',
      '1e5',
      '1E5',
      '1,5',
      '1.5.2',
      'NaN',
      'nan',
      'inf',
      'Infinity',
      '-Infinity',
      '$5',
      ' 1',
      '1 ',
      '0x1p3',
      '00.5',
      '1_0',
      '٣.٥',
      '½',
      `1${'0'.repeat(400)}`,
    ];
    expect(await cast(column('number', 'DOUBLE'), good)).toEqual(good.map(Number));
    expect(await cast(column('number', 'DOUBLE'), bad)).toEqual(refused(bad));
  });

  test('decimals of fixed places are never rounded', async () => {
    const fixed = column('number', 'DECIMAL(9,2)');
    expect(await cast(fixed, ['12.30', '12.3', '12', '-9999999.99'])).toEqual([12.3, 12.3, 12, -9999999.99]);
    expect(await cast(fixed, ['12.345', '12.300', '10000000', '1e2'])).toEqual(refused(['', '', '', '']));
  });

  test('5. dates are dates of the calendar', async () => {
    const good = ['2026-02-28', '2024-02-29', '1969-12-31', '0001-01-01', '9999-12-31'];
    const bad = [
      '2026-02-30',
      '2026-02-29',
      '2026-13-01',
      '2026-00-10',
      '2026-2-3',
      '28/02/2026',
      '02/03/2026',
      '20260228',
      '2026-02-28T00:00:00',
      'infinity',
      'today',
      '0000-01-01x',
    ];
    expect(await cast(column('date', 'DATE'), good)).toEqual(good);
    expect(await cast(column('date', 'DATE'), bad)).toEqual(refused(bad));
  });

  test('points in time are UTC unless they say otherwise', async () => {
    const moments = [
      '2026-02-28T13:45:00Z',
      '2026-02-28 13:45:00',
      '2026-02-28T13:45:00.250Z',
      '2026-02-28T13:45:00+02:00',
      '2026-01-01T00:30:00-05:30',
    ];
    expect(await cast(column('timestamp', 'TIMESTAMP'), moments)).toEqual([
      '2026-02-28T13:45:00.000Z',
      '2026-02-28T13:45:00.000Z',
      '2026-02-28T13:45:00.250Z',
      '2026-02-28T11:45:00.000Z',
      '2026-01-01T06:00:00.000Z',
    ]);
    const bad = [
      '2026-02-30T00:00:00Z',
      '2026-02-28T24:30:00Z',
      '2026-02-28T13:60:00Z',
      '2026-02-28',
      '2026-02-28T13:45Z',
      '2026-02-28T13:45:00+99:00',
      'now',
      '2026-02-28T13:45:00 UTC',
      '28.02.2026 13:45:00',
    ];
    expect(await cast(column('timestamp', 'TIMESTAMP'), bad)).toEqual(refused(bad));
  });

  test('booleans are true and false, or what the contract lists', async () => {
    expect(await cast(column('boolean', 'BOOLEAN'), ['true', 'false', 'True', '1', 'yes', 't', 'on', ''])).toEqual([
      true,
      false,
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
    const smoker = column('boolean', 'BOOLEAN', {
      letterCase: 'lower',
      values: { yes: 'true', no: 'false', '1': 'true' },
    });
    expect(await cast(smoker, ['YES', 'No', '1', '0', 'true', 'maybe'])).toEqual([true, false, true, null, null, null]);
  });

  test('texts keep every character but their case where the contract asks for it', async () => {
    const texts = [' a ', 'Zürich', '\u200B', "'; DROP TABLE written; --", '=cmd()'];
    expect(await cast(column('string', 'VARCHAR'), texts)).toEqual(texts);
    expect(await cast(column('string', 'VARCHAR', { letterCase: 'upper' }), ['southeast'])).toEqual(['SOUTHEAST']);
  });
});

describe('agrees with a naive twin on texts made of likely characters', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123459-+.,eExT:Z /'.split('')), minLength: 1, maxLength: 11 });

  const twins: [string, Column, (written: string) => Json][] = [
    [
      'integers',
      column('integer', 'BIGINT'),
      (written) => (String(parseInt(written, 10)) === written || written === '-0' ? Number(written) : null),
    ],
    ['decimals', column('number', 'DOUBLE'), naiveDecimal],
    ['dates', column('date', 'DATE'), naiveDate],
  ];
  test.each(twins)('%s', async (_, described, twin) => {
    const likely = fc.oneof(
      text,
      fc.double({ min: -1e6, max: 1e6 }).map(String),
      fc.integer().map(String),
      naturalDate(),
    );
    const texts = fc.sample(likely, { numRuns: 3000, seed: 42 });
    expect(await cast(described, texts)).toEqual(texts.map(twin));
  });
});

function naiveDecimal(written: string): Json {
  const [whole, places, ...more] = written.replace(/^-/, '').split('.');
  const digits = (part: string): boolean =>
    part !== '' && part.split('').every((letter) => letter >= '0' && letter <= '9');
  if (more.length > 0 || !digits(whole) || (places !== undefined && !digits(places))) return null;
  return whole.length > 1 && whole.startsWith('0') ? null : Number(written);
}

function naiveDate(written: string): Json {
  const moment = new Date(`${written}T00:00:00Z`);
  return written.length === 10 &&
    !Number.isNaN(moment.getTime()) &&
    moment.toISOString().slice(0, 10) === written &&
    !written.startsWith('0000')
    ? written
    : null;
}

function naturalDate(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.integer({ min: 1990, max: 2030 }), fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 33 }))
    .map(([year, month, day]) => `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`);
}
