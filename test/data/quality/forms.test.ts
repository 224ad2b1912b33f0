import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Column, LogicalType } from '../../../src/data/contract/contract.ts';
import { formOf } from '../../../src/data/quality/forms.ts';
import { patterns } from '../../../src/data/quality/grammar.ts';

const column = (type: LogicalType, sqlType = 'ANY'): Column => ({
  name: 'c',
  headers: ['c'],
  type,
  sqlType,
  required: false,
  unique: false,
  primaryKey: false,
});

const fits = (type: LogicalType, text: string, sqlType?: string): boolean => {
  const bytes = new TextEncoder().encode(`x${text}y`);
  return formOf(column(type, sqlType))!(bytes, 1, bytes.length - 1);
};

// near misses: a text of the grammar with one place changed, and texts of its letters
const seeds = {
  integer: ['0', '-0', '7', '-12', '120'],
  number: ['0.5', '-0', '12', '-3.25', '100.000'],
  boolean: ['true', 'false'],
  date: ['2026-02-28'],
  timestamp: ['2026-02-28T13:45:00', '2026-02-28 13:45:00.123456Z', '2026-02-28T13:45:00.1+14:59'],
};
const nearMiss = (texts: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.nat(30),
      fc.constantFrom('', '0', '1', '-', '.', ':', '+', 'T', 'Z', ' ', 'e', 'é', '00', '6'),
      fc.nat(2),
    )
    .map(([text, at, put, drop]) => text.slice(0, at) + put + text.slice(at + drop));
const soup = fc.string({ unit: fc.constantFrom(...Array.from('0123456789-+.:TZ e')), minLength: 1, maxLength: 30 });

describe('a form says what the grammar says', () => {
  test.each(Object.keys(seeds) as (keyof typeof seeds)[])('of a column of type %s', (type) => {
    const grammar = new RegExp(`^(?:${patterns[type]})$`);
    const text = fc.oneof(nearMiss(seeds[type]), soup).filter((value) => value !== '');
    for (const value of seeds[type]) expect(fits(type, value)).toBe(true);
    fc.assert(
      fc.property(text, (value) => {
        expect([value, fits(type, value)]).toEqual([value, grammar.test(value)]);
      }),
      { seed: 4, numRuns: 3000 },
    );
  });

  test('and of a decimal, that its places after the point fit', () => {
    expect(['1', '1.5', '1.25', '1.255', '.25', '1.'].map((text) => fits('number', text, 'DECIMAL(9,2)'))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('columns whose texts are changed before they are read have none', () => {
    expect(formOf({ ...column('boolean'), values: { y: 'true' } })).toBeUndefined();
    expect(formOf({ ...column('integer'), letterCase: 'lower' })).toBeUndefined();
    expect(formOf(column('string'))).toBeUndefined();
  });
});
