import { describe, expect, test } from 'vitest';
import {
  actualOverExpected,
  actualOverExpectedByPrediction,
  balance,
  equalExposureBins,
  groupsOf,
} from '../../../src/ml/metrics/actual-expected.ts';
import { d2, deviance, unitDeviance, type DevianceFamily } from '../../../src/ml/metrics/deviance.ts';
import { doubleLift } from '../../../src/ml/metrics/double-lift.ts';
import { gini, orderedLorenz } from '../../../src/ml/metrics/gini.ts';
import { murphyDecomposition } from '../../../src/ml/metrics/murphy.ts';
import { mse } from '../../../src/ml/metrics/regression.ts';
import { actual, base, expected, exposure, level, other, predicted, relativeError, severity } from './fixture.ts';

describe('deviances', () => {
  const families: Record<keyof typeof expected.deviances, DevianceFamily> = {
    normal: 'normal',
    poisson: 'poisson',
    gamma: 'gamma',
    tweedie: { tweedie: 1.5 },
  };

  test.each(Object.entries(families))('%s deviance and D² agree with scikit-learn', (name, family) => {
    const reference = expected.deviances[name as keyof typeof families];
    const label = family === 'gamma' ? severity : actual;
    expect(relativeError(deviance(family)(label, predicted), reference.plain)).toBeLessThan(1e-12);
    expect(relativeError(deviance(family)(label, predicted, exposure), reference.weighted)).toBeLessThan(1e-12);
    expect(d2(family)(label, predicted)).toBeCloseTo(reference.d2, 12);
    expect(d2(family)(label, predicted, exposure)).toBeCloseTo(reference.d2Weighted, 12);
  });

  test.each(Object.entries(families))(
    '%s deviance is 0 for a perfect prediction and grows away from it',
    (_, family) => {
      const unit = unitDeviance(family);
      for (const y of [0.3, 1, 250]) {
        expect(unit(y, y)).toBeCloseTo(0, 10);
        for (const mu of [y / 3, y / 1.5, y * 1.5, y * 3]) expect(unit(y, mu)).toBeGreaterThan(0.001);
      }
    },
  );

  test('Tweedie tends to Poisson as p → 1 and to Gamma as p → 2', () => {
    expect(unitDeviance({ tweedie: 1 + 1e-7 })(3, 5)).toBeCloseTo(unitDeviance('poisson')(3, 5), 5);
    expect(unitDeviance({ tweedie: 2 - 1e-7 })(3, 5)).toBeCloseTo(unitDeviance('gamma')(3, 5), 5);
  });

  test('a label outside the family is refused by row, without its value', () => {
    expect(() => deviance('gamma')(Float64Array.of(4711, 0), Float64Array.of(1, 1))).toThrow(
      /gamma deviance is not defined in row 1: it needs actual > 0 and predicted > 0/,
    );
    expect(() => deviance('poisson')(Float64Array.of(1), Float64Array.of(0))).toThrow('row 0');
  });

  test('a Tweedie power outside 1 … 2 is refused', () => {
    expect(() => deviance({ tweedie: 2.5 })).toThrow('between 1 and 2');
  });
});

describe('ordered-Lorenz Gini', () => {
  test.each([
    ['flat premium', orderedLorenz(actual, predicted), expected.gini.flat],
    ['exposure', orderedLorenz(actual, predicted, { weight: exposure }), expected.gini.exposure],
    ['a base premium', orderedLorenz(actual, predicted, { weight: exposure, base }), expected.gini.base],
  ])('with %s agrees with the formula of the paper over all pairs', (_, lorenz, reference) => {
    expect(lorenz.gini.value).toBeCloseTo(reference.gini, 12);
    expect(lorenz.standardError).toBeCloseTo(reference.standardError, 12);
    expect(lorenz.gini.high - lorenz.gini.low).toBeCloseTo(2 * 1.959963984540054 * reference.standardError, 12);
  });

  test('the metric is the same number without the standard error', () => {
    expect(gini(actual, predicted)).toBeCloseTo(expected.gini.flat.gini, 12);
    expect(gini(actual, predicted, exposure)).toBeCloseTo(expected.gini.exposure.gini, 12);
  });

  test('a constant has Gini 0, and turning the score turns the sign', () => {
    expect(gini(actual, new Float64Array(actual.length).fill(3))).toBeCloseTo(0, 14);
    expect(
      gini(
        actual,
        predicted.map((value) => -value),
      ),
    ).toBeCloseTo(-gini(actual, predicted), 12);
  });

  test('the order of rows with equal scores does not matter', () => {
    const forward = gini(Float64Array.of(0, 9, 4), Float64Array.of(1, 1, 2));
    const backward = gini(Float64Array.of(9, 0, 4), Float64Array.of(1, 1, 2));
    expect(forward).toBe(backward);
  });

  test('the curve rises from (0, 0) to (1, 1), and the area under it gives the index', () => {
    const { curve, gini: index } = orderedLorenz(actual, predicted, { weight: exposure, points: 1000 });
    expect(curve[0]).toEqual({ premiumShare: 0, lossShare: 0 });
    expect(curve.at(-1)?.premiumShare).toBeCloseTo(1, 12);
    expect(curve.at(-1)?.lossShare).toBeCloseTo(1, 12);
    let area = 0;
    for (let i = 1; i < curve.length; i++) {
      const width = curve[i].premiumShare - curve[i - 1].premiumShare;
      expect(width).toBeGreaterThan(0);
      area += (width * (curve[i].lossShare + curve[i - 1].lossShare)) / 2;
    }
    expect(1 - 2 * area).toBeCloseTo(index.value, 12);
  });

  test('the curve is thinned to about the number of points asked for', () => {
    const { curve } = orderedLorenz(actual, other, { points: 20 });
    expect(curve.length).toBeGreaterThanOrEqual(20);
    expect(curve.length).toBeLessThanOrEqual(22);
  });
});

describe('actual over expected', () => {
  test('ratio and interval by factor level agree with a robust Poisson regression', () => {
    const table = actualOverExpected(actual, predicted, groupsOf(level), exposure);
    expect(table.map(({ group }) => group)).toEqual(['north', 'south', 'west']);
    for (const { group, actualOverExpected: ratio } of table) {
      const reference = expected.actualOverExpected[group as 'north' | 'south' | 'west'];
      for (const end of ['value', 'low', 'high'] as const) {
        expect(relativeError(ratio[end], reference[end])).toBeLessThan(1e-8);
      }
    }
  });

  test('the balance of the portfolio is its overall A/E', () => {
    const ratio = balance(actual, predicted, exposure);
    for (const end of ['value', 'low', 'high'] as const) {
      expect(relativeError(ratio[end], expected.actualOverExpected.all[end])).toBeLessThan(1e-8);
    }
  });

  test('the table by prediction adds up to the portfolio, bins of about equal exposure, predictions ascending', () => {
    const table = actualOverExpectedByPrediction(actual, other, { weight: exposure });
    expect(table).toHaveLength(10);
    const total = (column: (row: (typeof table)[number]) => number) => table.reduce((sum, row) => sum + column(row), 0);
    const all = exposure.reduce((sum, value) => sum + value, 0);
    expect(total(({ rows }) => rows)).toBe(actual.length);
    expect(total((row) => row.exposure)).toBeCloseTo(all, 9);
    expect(total((row) => row.exposure * row.lift)).toBeCloseTo(all, 9);
    const means = table.map((row) => row.meanPredicted);
    expect(means).toEqual(means.toSorted((a, b) => a - b));
    table.forEach((row) => {
      expect(Math.abs(row.exposure - all / 10)).toBeLessThan(1);
      expect(row.actualOverExpected.value).toBeCloseTo(row.meanActual / row.meanPredicted, 12);
    });
  });

  test('equal scores share a bin, whatever their number', () => {
    const { codes } = equalExposureBins(Float64Array.of(5, 1, 5, 5, 5, 9), 3);
    expect(Array.from(codes)).toEqual([1, 0, 1, 1, 1, 2]);
  });

  test('a group of one row or without any actual has a ratio but no interval', () => {
    const groups = groupsOf(['a', 'b', 'b']);
    const [one, none] = actualOverExpected(Float64Array.of(2, 0, 0), Float64Array.of(1, 1, 1), groups);
    expect(one.actualOverExpected).toEqual({ value: 2, low: NaN, high: NaN });
    expect(none.actualOverExpected).toEqual({ value: 0, low: NaN, high: NaN });
  });

  test('missing levels are a group of their own', () => {
    expect(groupsOf(['b', null, 'a']).names).toEqual(['a', 'b', 'missing']);
  });
});

describe('double lift', () => {
  test('sorts by B over A and shows the A/E of both per bin', () => {
    const table = doubleLift(actual, { a: predicted, b: other }, { bins: 4, weight: exposure });
    // the naive twin: sort rows by the ratio, cut where the exposure so far passes a quarter
    const rows = Array.from(actual.keys()).sort((i, j) => other[i] / predicted[i] - other[j] / predicted[j]);
    const total = exposure.reduce((sum, value) => sum + value, 0);
    let before = 0;
    const sums = Array.from({ length: 4 }, () => ({ rows: 0, exposure: 0, actual: 0, a: 0, b: 0 }));
    for (const row of rows) {
      const bin = sums[Math.floor((4 * (before + exposure[row] / 2)) / total)];
      before += exposure[row];
      bin.rows++;
      bin.exposure += exposure[row];
      bin.actual += exposure[row] * actual[row];
      bin.a += exposure[row] * predicted[row];
      bin.b += exposure[row] * other[row];
    }
    table.forEach((row, i) => {
      expect(row.bin).toBe(String(i + 1));
      expect(row.rows).toBe(sums[i].rows);
      expect(row.meanActual).toBeCloseTo(sums[i].actual / sums[i].exposure, 9);
      expect(row.actualOverExpectedA.value).toBeCloseTo(sums[i].actual / sums[i].a, 12);
      expect(row.actualOverExpectedB.value).toBeCloseTo(sums[i].actual / sums[i].b, 12);
    });
  });

  test('the true model stays near 1 at both ends, its rival does not', () => {
    const truth = Float64Array.from({ length: 1000 }, (_, i) => 100 + i);
    const rival = truth.map((value, i) => value * (i % 2 === 0 ? 0.5 : 1.5));
    const table = doubleLift(truth, { a: truth, b: rival }, { bins: 2 });
    expect(table.map((row) => row.actualOverExpectedA.value)).toEqual([1, 1]);
    expect(table[0].actualOverExpectedB.value).toBeCloseTo(2, 12);
    expect(table[1].actualOverExpectedB.value).toBeCloseTo(2 / 3, 12);
  });
});

describe('Murphy decomposition', () => {
  test.each([
    ['squaredError', mse, actual],
    ['poisson', deviance('poisson'), severity],
    ['gamma', deviance('gamma'), severity],
  ] as const)('of %s agrees with model-diagnostics', (name, loss, label) => {
    const parts = murphyDecomposition(loss, label, predicted, exposure);
    const reference = expected.murphy[name];
    for (const part of ['score', 'miscalibration', 'discrimination', 'uncertainty'] as const) {
      expect(relativeError(parts[part], reference[part])).toBeLessThan(1e-9);
    }
  });

  test('adds up where isotonic recalibration predicts exactly 0 for a run of claim-free policies', () => {
    const label = Float64Array.of(0, 0, 0, 2, 1, 4);
    const forecast = Float64Array.of(0.5, 0.6, 0.7, 1.4, 1.5, 2);
    const parts = murphyDecomposition(deviance('poisson'), label, forecast);
    expect(parts.miscalibration - parts.discrimination + parts.uncertainty).toBeCloseTo(parts.score, 12);
    expect(parts.miscalibration).toBeGreaterThan(0);
  });

  test('a constant discriminates nothing', () => {
    const parts = murphyDecomposition(mse, actual, new Float64Array(actual.length).fill(100));
    expect(relativeError(parts.uncertainty + parts.miscalibration, parts.score)).toBeLessThan(1e-12);
    expect(Math.abs(parts.discrimination)).toBeLessThan(1e-6 * parts.uncertainty);
  });
});
