import { describe, expect, test } from 'vitest';
import {
  change,
  counted,
  duration,
  estimate,
  fit,
  instant,
  limit,
  listed,
  pValue,
  precision,
  quantity,
  range,
  signed,
  textWidth,
  tick,
  versionName,
} from '../../src/report/format.ts';

/** Narrow and wide no-break spaces read as plain ones in what is expected. */
const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ');

describe('a number is written the way people write it', () => {
  test.each([
    [4912, 'USD', '$4,912'],
    [12.5, 'USD', '$12.50'],
    [50, 'USD', '$50'],
    [-4912.4, 'USD', '−$4,912'],
    [1_234_567.8, 'GBP', '£1,234,568'],
    [980, 'CHF', 'CHF 980'],
    [0.8429, 'share', '84.3 %'],
    [0.0004, 'share', '0.04 %'],
    [0, 'share', '0 %'],
    [1, 'share', '100.0 %'],
    [4912, 'count', '4,912'],
    [0.8391, '', '0.839'],
    [-0.00123, '', '−0.001'],
    [0.00012, '', '0.00012'],
    [1.017, '', '1.02'],
    [15.24, '', '15.2'],
    [43, 'years', '43 years'],
    [44.83, 'years', '44.8 years'],
    [28, 'kg/m²', '28 kg/m²'],
    [NaN, 'USD', 'n/a'],
    [Infinity, 'share', 'n/a'],
  ])('%d in %s is %s', (value, unit, text) => {
    expect(plain(quantity(value, unit))).toBe(text);
  });

  test('a number never parts from its unit at the end of a line', () => {
    expect(quantity(0.5, 'share')).toBe('50.0\u202f%');
    expect(quantity(43, 'years')).toBe('43\u00a0years');
  });

  test('nothing that rounds to zero has a sign', () => {
    expect(quantity(-0.2, 'count')).toBe('0');
    expect(plain(signed(-0.0001, 'USD', 0))).toBe('$0');
    expect(signed(0, '')).toBe('0');
  });
});

test('an interval has the decimals of its value, and words where a dash would read as a sign', () => {
  expect(plain(estimate({ value: 0.8388, low: 0.8124, high: 0.8611 }, ''))).toBe('0.839 (0.812 – 0.861)');
  expect(plain(estimate({ value: 1302, low: 1214, high: 1397 }, 'USD'))).toBe('$1,302 ($1,214 – $1,397)');
  expect(plain(range(-0.011, 0.007, 'share'))).toBe('−1.1 % to 0.7 %');
});

test('a limit is written with the decimals it was given with', () => {
  expect([limit(0.8, ''), limit(3000, 'USD'), limit(-0.02, 'share'), limit(0.125, 'share')].map(plain)).toEqual([
    '0.8',
    '$3,000',
    '−2 %',
    '12.5 %',
  ]);
});

test('a change names its unit once, unless it stands before the number', () => {
  expect(plain(change(44.8, 51.23, 'years'))).toBe('44.8 → 51.2 years');
  expect(plain(change(6344, 7590, 'USD'))).toBe('$6,344 → $7,590');
  expect(plain(change(0.165, 0.214, 'share'))).toBe('16.5 % → 21.4 %');
});

test('a column of numbers lines up by its largest', () => {
  const values = [2210.4, 69.96, NaN];
  expect(values.map((value) => quantity(value, 'USD', precision(values, 'USD')))).toEqual(['$2,210', '$70', 'n/a']);
});

test('ticks have the decimals of their step', () => {
  expect([tick(0, 'USD', 5000), tick(5000, 'USD', 5000), tick(2500, 'USD', 2500), tick(2.5, 'USD', 0.5)]).toEqual([
    '$0',
    '$5k',
    '$2.5k',
    '$2.5',
  ]);
  expect([tick(0.8, '', 0.05), tick(20, 'years', 10), plain(tick(0.05, 'share', 0.05))]).toEqual(['0.80', '20', '5 %']);
});

test.each([
  [0.004, '0.00 s'],
  [0.41, '0.4 s'],
  [42.4, '42 s'],
  [200, '3 min 20 s'],
  [3900, '1 h 05 min'],
  [NaN, 'n/a'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('p-values are never said to be zero', () => {
  expect([0, 2e-12, 0.004, 0.41, NaN].map(pValue)).toEqual(['< 0.001', '< 0.001', '0.004', '0.41', 'n/a']);
});

test('times are in UTC, and what is none stays as it came', () => {
  expect(instant('2026-03-01T03:30:04+01:00')).toBe('1 March 2026, 02:30 UTC');
  expect(instant('yesterday')).toBe('yesterday');
});

test('words agree with their numbers', () => {
  expect([
    counted(1, 'row'),
    counted(4912, 'row'),
    listed(['age', 'bmi', 'smoker']),
    listed(['age']),
    listed([]),
  ]).toEqual(['1 row', '4,912 rows', 'age, bmi and smoker', 'age', '']);
  expect([versionName('3'), versionName('2026-03')]).toEqual(['v3', '2026-03']);
});

test('a name that does not fit keeps its two ends', () => {
  const name = 'engagement_channel_rate_last_12_days';
  const cut = fit(name, 150);
  expect(textWidth(cut)).toBeLessThanOrEqual(150);
  expect(cut).toMatch(/^engagement.*….*12_days$/);
  expect(fit('age', 150)).toBe('age');
  expect(fit('😀'.repeat(40), 100).isWellFormed()).toBe(true);
});
