import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyConformal, coverage, fitConformal } from '../../../src/ml/calibration/conformal.ts';
import { conformalQuantile } from '../../../src/ml/calibration/conformal-quantiles.ts';
import { random } from '../../../src/ml/random.ts';

type Reference = { miscoverage: number; low: number[]; high: number[] };
const { conformal: fixture } = JSON.parse(
  readFileSync(new URL('../../fixtures/calibration/calibration.json', import.meta.url), 'utf8'),
) as {
  conformal: Record<'predicted' | 'actual' | 'newPredicted', number[]> & Record<'absolute' | 'relative', Reference[]>;
};
const actual = Float64Array.from(fixture.actual);
const predicted = Float64Array.from(fixture.predicted);
const fresh = Float64Array.from(fixture.newPredicted);

describe.each(['absolute', 'relative'] as const)('%s conformal intervals', (score) => {
  test.each(fixture[score])('at miscoverage $miscoverage are those of MAPIE', ({ miscoverage, low, high }) => {
    const intervals = applyConformal(fitConformal(actual, predicted, { score, miscoverage }), fresh);
    low.forEach((value, i) => {
      expect(Math.abs(intervals.low[i] - value)).toBeLessThan(1e-9 * 10_000);
      expect(Math.abs(intervals.high[i] - high[i])).toBeLessThan(1e-9 * 10_000);
    });
  });
});

test('the quantile has the finite-sample rank ⌈(n + 1)(1 − α)⌉', () => {
  const scores = Float64Array.from({ length: 19 }, (_, i) => 19 - i);
  expect(conformalQuantile(scores, 0.1)).toBe(18);
  expect(conformalQuantile(scores, 0.05)).toBe(19);
  expect(conformalQuantile(scores, 0.04)).toBeUndefined();
});

test('coverage on exchangeable rows is 1 − α on average, and the last rank is not lost to rounding', () => {
  // 99 rows at 10 %: the average coverage is exactly 90 / 100
  const stream = random(8);
  let covered = 0;
  for (let repeat = 0; repeat < 400; repeat++) {
    const truth = Float64Array.from({ length: 149 }, () => stream.normal());
    const zero = new Float64Array(149);
    const fitted = fitConformal(truth.subarray(0, 99), zero.subarray(0, 99), { score: 'absolute', miscoverage: 0.1 });
    const intervals = applyConformal(fitted, zero.subarray(99));
    covered += coverage(truth.subarray(99), intervals).coverage.value;
  }
  expect(Math.abs(covered / 400 - 0.9)).toBeLessThan(0.006);
});

test('too few rows for the level are refused with the number needed', () => {
  expect(() =>
    fitConformal(actual.subarray(0, 18), predicted.subarray(0, 18), { score: 'absolute', miscoverage: 0.05 }),
  ).toThrow('A conformal interval of 95 % needs at least 19 calibration rows, there are 18');
});

test('intervals are cut at the smallest value that the label can take', () => {
  const fitted = fitConformal(actual, predicted, { score: 'absolute', miscoverage: 0.05 });
  const { low, high } = applyConformal(fitted, Float64Array.of(10), { atLeast: 0 });
  expect(low[0]).toBe(0);
  expect(high[0]).toBe(10 + fitted.quantile);
});

test('a relative score needs predictions other than 0', () => {
  const rows = Float64Array.of(1, 2, 3);
  expect(() => fitConformal(rows, Float64Array.of(1, 0, 3), { score: 'relative', miscoverage: 0.5 })).toThrow('row 1');
});

test('a residual that is not a number is refused by row', () => {
  const rows = Float64Array.of(1, NaN, 3);
  expect(() => fitConformal(rows, Float64Array.of(1, 1, 3), { score: 'absolute', miscoverage: 0.5 })).toThrow(
    'actual is not a finite number in row 1',
  );
});

describe('group-wise intervals', () => {
  const stream = random(21);
  const rows = 4000;
  const groups = Array.from({ length: rows }, (_, i) => (i % 100 === 0 ? 'rare' : i % 2 ? 'calm' : 'wild'));
  const truth = Float64Array.from(groups, (group) => stream.normal(0, group === 'wild' ? 5 : 1));
  const zero = new Float64Array(rows);
  const half = rows / 2;
  const fitted = fitConformal(truth.subarray(0, half), zero.subarray(0, half), {
    score: 'absolute',
    miscoverage: 0.02,
    groups: groups.slice(0, half),
  });

  test('cover every group at its level, where a pooled interval fails the volatile one', () => {
    const later = groups.slice(half);
    const own = coverage(truth.subarray(half), applyConformal(fitted, zero.subarray(half), { groups: later }), later);
    for (const name of ['calm', 'wild']) expect(own.byGroup?.[name].coverage.high).toBeGreaterThan(0.98);
    const { groups: _groups, pooled: _pooled, ...pooled } = fitted;
    const together = coverage(truth.subarray(half), applyConformal(pooled, zero.subarray(half)), later);
    expect(together.byGroup?.wild.coverage.high).toBeLessThan(0.98);
    expect(own.byGroup?.calm.meanWidth).toBeLessThan((together.byGroup?.calm.meanWidth ?? 0) / 2);
  });

  test('use the pooled width for groups too small or unseen, and say which', () => {
    expect(fitted.pooled).toEqual(['rare']);
    const { high } = applyConformal(fitted, Float64Array.of(0, 0), { groups: ['rare', 'constructor'] });
    expect(Array.from(high)).toEqual([fitted.quantile, fitted.quantile]);
  });

  test('survive JSON and refuse rows without groups', () => {
    const loaded = JSON.parse(JSON.stringify(fitted)) as typeof fitted;
    const options = { groups: ['calm', 'wild'] };
    expect(applyConformal(loaded, Float64Array.of(1, 2), options)).toEqual(
      applyConformal(fitted, Float64Array.of(1, 2), options),
    );
    expect(() => applyConformal(loaded, Float64Array.of(1))).toThrow('give the group of each row');
  });
});

test('measured coverage counts both ends as inside and has a Wilson interval', () => {
  const truth = Float64Array.of(1, 2, 3, 4);
  const result = coverage(truth, { low: Float64Array.of(1, 0, 4, 0), high: Float64Array.of(2, 2, 5, 3) });
  expect(result.rows).toBe(4);
  expect(result.coverage.value).toBe(0.5);
  expect(result.coverage.low).toBeGreaterThan(0.1);
  expect(result.coverage.high).toBeLessThan(0.9);
  expect(result.meanWidth).toBe((1 + 2 + 1 + 3) / 4);
});

test('no rows have no intervals, but calibrate nothing', () => {
  const none = new Float64Array(0);
  const fitted = fitConformal(actual, predicted, { score: 'absolute', miscoverage: 0.1 });
  expect(applyConformal(fitted, none)).toEqual({ low: none, high: none });
  expect(() => fitConformal(none, none, { score: 'absolute', miscoverage: 0.1 })).toThrow('actual has no rows');
});
