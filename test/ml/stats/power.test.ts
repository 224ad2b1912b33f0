import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { random, type Random } from '../../../src/ml/random.ts';
import { driftPower, minimumDetectableDrift } from '../../../src/ml/stats/drift-power.ts';
import { minimumDetectableShift } from '../../../src/ml/stats/minimum-detectable-shift.ts';
import { moments } from '../../../src/ml/stats/moments.ts';
import { simulatedMinimumShift, simulatedPower } from '../../../src/ml/stats/power.ts';
import { psi, psiPValue } from '../../../src/ml/stats/psi.ts';
import { psiPermutationPValue } from '../../../src/ml/stats/psi-permutation.ts';
import { zTest } from '../../../src/ml/stats/z-test.ts';

const normals = (draw: Random, count: number, mean = 0) =>
  Float64Array.from({ length: count }, () => draw.normal(mean));
const twoMeans = (n: number, m: number) => (draw: Random, shift: number) =>
  zTest(moments(normals(draw, n)), moments(normals(draw, m, shift))).pValue;

describe('power by simulation', () => {
  test('is the significance where nothing has moved, with an interval that holds it', () => {
    const draw = (stream: Random) => twoMeans(200, 100)(stream, 0);
    const { value, low, high } = simulatedPower(draw, { significance: 0.05, seed: 1, runs: 2_000 });
    expect(low).toBeLessThan(0.05);
    expect(high).toBeGreaterThan(0.05);
    expect(value).toBeGreaterThan(0.03);
  });

  test('is the same for the same seed', () => {
    const options = { significance: 0.05, seed: 5, runs: 100 };
    const draw = (stream: Random) => twoMeans(50, 50)(stream, 0.4);
    expect(simulatedPower(draw, options)).toEqual(simulatedPower(draw, options));
  });

  test.each([
    [400, 100, 0.05, 0.8],
    [200, 200, 0.01, 0.9],
  ])('at %d v %d rows finds the minimum detectable shift of the formula', (n, m, significance, power) => {
    const formula = minimumDetectableShift(n, m, { significance, power });
    const found = simulatedMinimumShift(twoMeans(n, m), { significance, power, seed: 2, runs: 600, upTo: 1 });
    expect(Math.abs(found / formula - 1)).toBeLessThan(0.06);
  });

  test('a shift that is never noticed is infinite', () => {
    expect(simulatedMinimumShift(() => 1, { significance: 0.05, power: 0.8, seed: 1, runs: 5, upTo: 3 })).toBe(
      Infinity,
    );
  });
});

describe('the power to notice that a column moves', () => {
  const stream = random('column');
  const charges = Float64Array.from({ length: 1_000 }, () => Math.exp(stream.normal(8, 1)));
  const look = { referenceRows: 300, rows: 150 };
  const options = { significance: 0.05, seed: 3, runs: 300 };

  test.each(['z', 'kolmogorovSmirnov', 'psi'] as const)(
    '%s rarely errs on skewed costs that stay as they are',
    (test) => {
      expect(driftPower(charges, { ...look, test, shiftSd: 0 }, options).low).toBeLessThan(0.07);
    },
  );

  test('on skewed costs the test of distributions notices what the test of means overlooks', () => {
    const power = (test: 'z' | 'kolmogorovSmirnov') => driftPower(charges, { ...look, test, shiftSd: 0.2 }, options);
    expect(power('kolmogorovSmirnov').low).toBeGreaterThan(power('z').high);
  });

  test('the smallest shift that is noticed falls with the square root of the rows', () => {
    const smallest = (rows: number) =>
      minimumDetectableDrift(
        normals(random('normal column'), 500),
        { test: 'z', referenceRows: rows, rows },
        { ...options, power: 0.8 },
      );
    expect(Math.abs(smallest(100) / smallest(400) - 2)).toBeLessThan(0.25);
  });
});

describe('the stability index of few rows', () => {
  const { psi: cases } = JSON.parse(
    readFileSync(new URL('../../fixtures/sequential/expected.json', import.meta.url), 'utf8'),
  ) as { psi: { reference: number[]; current: number[]; pValue: number }[] };

  test.each(cases)('$reference v $current has the p-value of all deals', ({ reference, current, pValue }) => {
    const runs = 20_000;
    const simulated = psiPermutationPValue(reference, current, { seed: 4, runs });
    expect(Math.abs(simulated - pValue)).toBeLessThan(4 * Math.sqrt((pValue * (1 - pValue)) / runs));
    expect(psiPermutationPValue(current, reference, { seed: 4, runs })).toBe(simulated);
  });

  test('agrees with the χ² approximation where rows are many', () => {
    const reference = [100, 120, 90, 110, 80];
    const current = [45, 70, 60, 40, 35];
    const approximate = psiPValue(psi(reference, current), 5, 500, 250);
    expect(Math.abs(psiPermutationPValue(reference, current, { seed: 1, runs: 4_000 }) - approximate)).toBeLessThan(
      0.02,
    );
  });

  test('errs in 5 % of the looks at rare levels, where the approximation errs in far more', () => {
    const draw = random('rare levels');
    const counts = (rows: number) => {
      const result = Array.from({ length: 12 }, () => 0);
      for (let i = 0; i < rows; i++) result[draw.uniform() < 0.8 ? 0 : 1 + draw.integer(11)]++;
      return result;
    };
    let exact = 0;
    let approximate = 0;
    for (let run = 0; run < 300; run++) {
      const [reference, current] = [counts(80), counts(40)];
      if (psiPermutationPValue(reference, current, { seed: run, runs: 199 }) <= 0.05) exact++;
      if (psiPValue(psi(reference, current), 12, 80, 40) <= 0.05) approximate++;
    }
    expect(exact / 300).toBeLessThan(0.09);
    expect(approximate / 300).toBeGreaterThan(0.5);
  });

  test('an empty side is no evidence', () => {
    expect(psiPermutationPValue([1, 2], [0, 0], { seed: 1 })).toBe(1);
  });
});
