import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exactProportion } from '../../../src/ml/metrics/exact-proportion.ts';
import { proportion } from '../../../src/ml/metrics/proportion.ts';
import { betaQuantile, incompleteBeta } from '../../../src/ml/stats/beta.ts';

type Interval = { successes: number; trials: number; confidence: number; low: number; high: number };
type Quadruple = [a: number, b: number, argument: number, value: number];
const expected = JSON.parse(
  readFileSync(new URL('../../fixtures/intervals/expected.json', import.meta.url), 'utf8'),
) as { incompleteBeta: Quadruple[]; betaQuantile: Quadruple[]; clopperPearson: Interval[] };

test.each(expected.incompleteBeta)('I(%d, %d) at %d is that of scipy', (a, b, x, value) => {
  expect(Math.abs(incompleteBeta(a, b, x) / value - 1)).toBeLessThan(1e-11);
});

test.each(expected.betaQuantile)('the quantile of beta(%d, %d) at %d is that of scipy', (a, b, p, value) => {
  expect(Math.abs(betaQuantile(a, b, p) / value - 1)).toBeLessThan(1e-11);
});

describe('the exact interval of a share', () => {
  test.each(expected.clopperPearson)(
    '$successes of $trials at $confidence is the Clopper–Pearson interval of statsmodels',
    ({ successes, trials, confidence, low, high }) => {
      const exact = exactProportion(successes, trials, confidence);
      expect(exact.value).toBe(successes / trials);
      expect(exact.low).toBeCloseTo(low, 10);
      expect(exact.high).toBeCloseTo(high, 10);
    },
  );

  test('never covers less often than it says, where Wilson’s does', () => {
    const trials = 20;
    const coverageAt = (share: number, interval: typeof exactProportion) => {
      let covered = 0;
      let chance = (1 - share) ** trials; // of no success
      for (let k = 0; k <= trials; k++) {
        const { low, high } = interval(k, trials);
        if (low <= share && share <= high) covered += chance;
        chance *= ((trials - k) / (k + 1)) * (share / (1 - share));
      }
      return covered;
    };
    const shares = Array.from({ length: 199 }, (_, i) => (i + 1) / 200);
    expect(Math.min(...shares.map((share) => coverageAt(share, exactProportion)))).toBeGreaterThanOrEqual(0.95);
    expect(Math.min(...shares.map((share) => coverageAt(share, proportion)))).toBeLessThan(0.95);
  });

  test('is undefined without trials and refuses half a success', () => {
    expect(exactProportion(0, 0)).toEqual({ value: NaN, low: NaN, high: NaN });
    expect(() => exactProportion(1.5, 3)).toThrow('whole successes from 0 to 3');
  });
});
