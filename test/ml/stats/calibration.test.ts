import { describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import { benjaminiHochberg } from '../../../src/ml/stats/benjamini-hochberg.ts';
import { countBins, quantileEdges } from '../../../src/ml/stats/bins.ts';
import { ecdf } from '../../../src/ml/stats/ecdf.ts';
import { kolmogorovSmirnov } from '../../../src/ml/stats/kolmogorov-smirnov.ts';
import { minimumDetectableShift } from '../../../src/ml/stats/minimum-detectable-shift.ts';
import { moments } from '../../../src/ml/stats/moments.ts';
import { expectedPsi, psi } from '../../../src/ml/stats/psi.ts';
import { wasserstein } from '../../../src/ml/stats/wasserstein.ts';
import { zTest } from '../../../src/ml/stats/z-test.ts';

const normals = (draw: ReturnType<typeof random>, count: number, mean = 0) =>
  Float64Array.from({ length: count }, () => draw.normal(mean));

function simulatePsi(n: number, m: number, runs: number): number[] {
  const draw = random(`psi ${n} ${m}`);
  return Array.from({ length: runs }, () => {
    const reference = normals(draw, n);
    const edges = quantileEdges(reference.slice().sort(), 10);
    return psi(countBins(reference, edges), countBins(normals(draw, m), edges));
  });
}

const shareAbove = (values: number[], limit: number) => values.filter((value) => value > limit).length / values.length;

describe('without any drift', () => {
  // the figures of the governance notes; 1,000 runs leave a standard error of about .015
  test.each([
    [100, 100, 0.84],
    [200, 200, 0.39],
    [10_000, 200, 0.05],
    [1_000, 1_000, 0],
  ])('at %d v %d rows PSI exceeds 0.1 with chance %d', (n, m, chance) => {
    const runs = n > 1_000 ? 200 : 1_000;
    expect(Math.abs(shareAbove(simulatePsi(n, m, runs), 0.1) - chance)).toBeLessThan(0.05);
  });

  test('the expected PSI is what simulations have on average', () => {
    for (const [n, m] of [
      [1_000, 500],
      [500, 500],
    ]) {
      const values = simulatePsi(n, m, 400);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(Math.abs(mean / expectedPsi(10, n, m) - 1)).toBeLessThan(0.1);
    }
  });

  test('the Kolmogorov–Smirnov test alarms no more often than it promises, small or large, bounded or not', () => {
    const draw = random('false alarms');
    for (const [n, m] of [
      [40, 60],
      [400, 150],
      [3_000, 500],
    ]) {
      let alarms = 0;
      for (let run = 0; run < 400; run++) {
        const reference = ecdf(normals(draw, n).sort(), 256);
        if (kolmogorovSmirnov(reference, normals(draw, m).sort()).pValue <= 0.05) alarms++;
      }
      expect(alarms / 400).toBeLessThan(0.08);
    }
  });
});

describe('twenty columns without any drift', () => {
  test('give a false alarm in 64 % of the looks at 5 % each, and in 5 % once adjusted', () => {
    const draw = random('family');
    const looks = Array.from({ length: 2_000 }, () => Array.from({ length: 20 }, () => draw.uniform()));
    const alarms = (pValues: readonly number[][]) =>
      pValues.filter((look) => look.some((p) => p <= 0.05)).length / 2_000;
    expect(Math.abs(alarms(looks) - 0.64)).toBeLessThan(0.03);
    expect(Math.abs(alarms(looks.map(benjaminiHochberg)) - 0.05)).toBeLessThan(0.02);
  });
});

describe('a bounded distribution function', () => {
  test('keeps the smallest and the largest value and exact heights between', () => {
    const values = normals(random('bounded'), 10_000).sort();
    const bounded = ecdf(values, 100);
    expect(bounded.values.length).toBeLessThanOrEqual(100);
    expect([bounded.values[0], bounded.values.at(-1)]).toEqual([values[0], values[9_999]]);
    bounded.values.forEach((value, i) => {
      expect(bounded.below[i]).toBe(values.filter((other) => other < value).length);
      expect(bounded.atOrBelow[i]).toBe(values.filter((other) => other <= value).length);
    });
  });

  test('never measures a wider gap than the whole sample does, and hardly a narrower one', () => {
    const draw = random('gap');
    for (let run = 0; run < 20; run++) {
      const reference = normals(draw, 5_000).sort();
      const current = normals(draw, 800, run / 20).sort();
      const whole = kolmogorovSmirnov(ecdf(reference), current).statistic;
      const bounded = kolmogorovSmirnov(ecdf(reference, 256), current).statistic;
      expect(bounded).toBeLessThanOrEqual(whole);
      expect(bounded).toBeGreaterThan(whole - 1 / 256);
    }
  });

  test('measures the Wasserstein distance within a hundredth of a standard deviation', () => {
    const draw = random('travel');
    const reference = normals(draw, 5_000).sort();
    const current = normals(draw, 800, 0.5).sort();
    const whole = wasserstein(ecdf(reference), current);
    expect(Math.abs(wasserstein(ecdf(reference, 256), current) - whole)).toBeLessThan(0.01);
  });

  test('holds ties together: few distinct values are all kept', () => {
    const levels = Float64Array.of(0, 0, 0, 1, 1, 2);
    expect(ecdf(levels, 4)).toEqual({ count: 6, values: [0, 1, 2], below: [0, 3, 5], atOrBelow: [3, 5, 6] });
  });
});

test('the minimum detectable shift is noticed with the power it names', () => {
  const draw = random('power');
  const shift = minimumDetectableShift(400, 100, { significance: 0.05, power: 0.8 });
  let noticed = 0;
  for (let run = 0; run < 1_000; run++) {
    if (zTest(moments(normals(draw, 400)), moments(normals(draw, 100, shift))).pValue <= 0.05) noticed++;
  }
  expect(Math.abs(noticed / 1_000 - 0.8)).toBeLessThan(0.04);
});
