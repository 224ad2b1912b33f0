import { describe, expect, test } from 'vitest';
import { mae, mse, r2, rmse } from '../../../src/ml/metrics/regression.ts';
import { actual, expected, exposure, predicted, relativeError } from './fixture.ts';

describe.each(['plain', 'weighted'] as const)('%s regression metrics', (kind) => {
  const weight = kind === 'weighted' ? exposure : undefined;
  const reference = expected.regression[kind];

  test.each(Object.entries({ r2, mae, mse, rmse }))('%s agrees with scikit-learn', (name, metric) => {
    expect(relativeError(metric(actual, predicted, weight), reference[name as keyof typeof reference])).toBeLessThan(
      1e-12,
    );
  });
});

test('a row of weight two counts as two rows, a row of weight zero as none', () => {
  const once = [Float64Array.of(1, 2, 2, 5), Float64Array.of(1.5, 2.5, 2.5, 4)] as const;
  const weighted = [Float64Array.of(1, 2, 5, 9), Float64Array.of(1.5, 2.5, 4, 0), Float64Array.of(1, 2, 1, 0)] as const;
  for (const metric of [r2, mae, mse, rmse]) expect(metric(...weighted)).toBeCloseTo(metric(...once), 14);
});

test('the mean of the rows has R² 0', () => {
  const label = Float64Array.of(3, 5, 10);
  expect(r2(label, Float64Array.of(6, 6, 6))).toBe(0);
});

test('R² of a label that does not vary is undefined', () => {
  expect(r2(Float64Array.of(2, 2), Float64Array.of(2, 2))).toBeNaN();
});

test('predictions of another length are refused with both lengths', () => {
  expect(() => mae(Float64Array.of(1, 2), Float64Array.of(1))).toThrow('predicted has 1 rows, actual has 2');
});

test('no rows are refused', () => {
  expect(() => rmse(new Float64Array(0), new Float64Array(0))).toThrow('actual has no rows');
});
