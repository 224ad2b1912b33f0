import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyConformal, coverage, fitConformal } from '../../../src/ml/calibration/conformal.ts';
import { applyConformalTails, fitConformalTails } from '../../../src/ml/calibration/conformal-tails.ts';
import { random } from '../../../src/ml/random.ts';

type Reference = { miscoverage: number; low: number[]; high: number[] };
const { tails: fixture } = JSON.parse(
  readFileSync(new URL('../../fixtures/intervals/expected.json', import.meta.url), 'utf8'),
) as {
  tails: Record<'predicted' | 'actual' | 'newPredicted', number[]> & Record<'absolute' | 'relative', Reference[]>;
};
const actual = Float64Array.from(fixture.actual);
const predicted = Float64Array.from(fixture.predicted);
const fresh = Float64Array.from(fixture.newPredicted);

describe.each(['absolute', 'relative'] as const)('%s conformal intervals with a quantile per tail', (score) => {
  test.each(fixture[score])('at miscoverage $miscoverage are those of MAPIE', ({ miscoverage, low, high }) => {
    const intervals = applyConformalTails(fitConformalTails(actual, predicted, { score, miscoverage }), fresh);
    low.forEach((value, i) => {
      expect(Math.abs(intervals.low[i] - value)).toBeLessThan(1e-5);
      expect(Math.abs(intervals.high[i] - high[i])).toBeLessThan(1e-5);
    });
  });
});

describe('skewed costs', () => {
  /** Costs that scatter in proportion to their prediction, with a long tail above it. */
  function costs(rows: number, seed: string) {
    const stream = random(seed);
    const expectedCost = Float64Array.from({ length: rows }, () => stream.gamma(4, 800) + 200);
    return { predicted: expectedCost, actual: expectedCost.map((value) => value * stream.gamma(2, 1 / 2)) };
  }
  const calibration = costs(999, 'calibration');
  const later = costs(20_000, 'later');
  const options = { score: 'relative', miscoverage: 0.1 } as const;
  const tails = fitConformalTails(calibration.actual, calibration.predicted, options);
  const intervals = applyConformalTails(tails, later.predicted, { atLeast: 0 });

  test('are covered as promised, in either tail by itself', () => {
    expect(Math.abs(coverage(later.actual, intervals).coverage.value - 0.9)).toBeLessThan(0.03);
    const below = later.actual.filter((value, i) => value < intervals.low[i]).length / later.actual.length;
    const above = later.actual.filter((value, i) => value > intervals.high[i]).length / later.actual.length;
    for (const share of [below, above]) expect(Math.abs(share - 0.05)).toBeLessThan(0.02);
  });

  test('are missed nearly always from above by one half-width for both sides, whose lower end says next to nothing', () => {
    const symmetric = fitConformal(calibration.actual, calibration.predicted, options);
    const one = applyConformal(symmetric, later.predicted, { atLeast: 0 });
    expect(later.actual.filter((value, i) => value < one.low[i]).length / later.actual.length).toBeLessThan(0.01);
    expect(later.actual.filter((value, i) => value > one.high[i]).length / later.actual.length).toBeGreaterThan(0.08);
    expect(intervals.low.every((value) => value > 0)).toBe(true);
  });

  test('coverage on exchangeable rows is at least 1 − α on average', () => {
    let covered = 0;
    for (let repeat = 0; repeat < 300; repeat++) {
      const { actual: truth, predicted: guess } = costs(149, `repeat ${repeat}`);
      const fitted = fitConformalTails(truth.subarray(0, 99), guess.subarray(0, 99), options);
      covered += coverage(truth.subarray(99), applyConformalTails(fitted, guess.subarray(99))).coverage.value;
    }
    // 99 rows at 5 % a tail: the average is exactly 90 / 100
    expect(Math.abs(covered / 300 - 0.9)).toBeLessThan(0.01);
  });
});

test('predictions that are all too low make intervals that lie above them', () => {
  const truth = Float64Array.from({ length: 99 }, (_, i) => 100 + i);
  const tails = fitConformalTails(truth, new Float64Array(99), { score: 'absolute', miscoverage: 0.1 });
  const { low, high } = applyConformalTails(tails, Float64Array.of(0));
  expect([low[0], high[0]]).toEqual([104, 194]);
});

test('ends that would cross meet halfway', () => {
  const one = { miscoverage: 0.05, calibrationRows: 100 };
  const tails = {
    kind: 'conformal-tails',
    score: 'absolute',
    miscoverage: 0.1,
    below: { ...one, quantile: -3 },
    above: { ...one, quantile: 1 },
  } as const;
  const { low, high } = applyConformalTails(tails, Float64Array.of(10));
  expect([low[0], high[0]]).toEqual([12, 12]);
});

test('too few rows for half of the miscoverage are refused with the number needed', () => {
  const rows = Float64Array.from({ length: 30 }, (_, i) => i + 1);
  expect(() => fitConformalTails(rows, rows, { score: 'absolute', miscoverage: 0.05 })).toThrow(
    'A conformal interval of 97.5 % needs at least 39 calibration rows, there are 30',
  );
});

test('groups have their own tails, and small ones the pooled ones', () => {
  const stream = random(3);
  const groups = Array.from({ length: 2_000 }, (_, i) => (i % 200 === 0 ? 'rare' : i % 2 === 0 ? 'calm' : 'wild'));
  const truth = Float64Array.from(groups, (group) => stream.normal(0, group === 'wild' ? 5 : 1));
  const zero = new Float64Array(2_000);
  const tails = fitConformalTails(truth, zero, { score: 'absolute', miscoverage: 0.1, groups });
  const { low, high } = applyConformalTails(tails, Float64Array.of(0, 0, 0), { groups: ['calm', 'wild', 'rare'] });
  expect(high[1]).toBeGreaterThan(3 * high[0]);
  expect(low[1]).toBeLessThan(3 * low[0]);
  expect(tails.above.pooled).toEqual(['rare']);
  expect(high[2]).toBe(tails.above.quantile);
});
