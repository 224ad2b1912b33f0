import { expect, test } from 'vitest';
import { mae, rmse } from '../../../src/ml/metrics/regression.ts';
import { crossValidate } from '../../../src/ml/tune/cross-validate.ts';
import { kFold, timeOrderedFolds } from '../../../src/ml/tune/folds.ts';

const actual = Float64Array.from({ length: 30 }, (_, i) => (i * 7) % 11);
const meanOf = (rows: ArrayLike<number>) =>
  Array.from(rows, (row) => actual[row]).reduce((a, b) => a + b) / rows.length;
const byMean = {
  fit: meanOf,
  predict: (mean: number, rows: Uint32Array) => new Float64Array(rows.length).fill(mean),
};

test('every row is predicted by the model that has not seen it', () => {
  const splits = kFold(30, { folds: 3, seed: 1 });
  const { outOfFold } = crossValidate({ splits, actual, metrics: { mae }, ...byMean });
  for (const { train, test: judged } of splits) {
    for (const row of judged) expect(outOfFold[row]).toBe(meanOf(train));
  }
});

test('metrics are per fold, with their mean and sample standard deviation', () => {
  const splits = kFold(30, { folds: 3, seed: 1 });
  const result = crossValidate({ splits, actual, metrics: { mae, rmse }, ...byMean });
  const perFold = splits.map(({ train, test: judged }) => {
    const mean = meanOf(train);
    return Array.from(judged, (row) => Math.abs(actual[row] - mean)).reduce((a, b) => a + b) / judged.length;
  });
  perFold.forEach((value, fold) => expect(result.folds[fold].metrics.mae).toBeCloseTo(value, 12));
  const mean = (perFold[0] + perFold[1] + perFold[2]) / 3;
  expect(result.mean.mae).toBeCloseTo(mean, 12);
  const variance = perFold.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2;
  expect(result.standardDeviation.mae).toBeCloseTo(Math.sqrt(variance), 12);
});

test('rows of the first time block stay without a prediction', () => {
  const splits = timeOrderedFolds(
    actual.map((_, i) => i),
    { folds: 2 },
  );
  const { outOfFold } = crossValidate({ splits, actual, metrics: { mae }, ...byMean });
  expect(outOfFold.findIndex((value) => !Number.isNaN(value))).toBe(10);
});

test('weights follow their rows into the folds', () => {
  const weight = actual.map((_, i) => (i < 15 ? 1 : 0));
  const splits = kFold(30, { folds: 3, seed: 2 });
  const { folds } = crossValidate({ splits, actual, weight, metrics: { mae }, ...byMean });
  splits.forEach(({ train, test: judged }, fold) => {
    const kept = judged.filter((row) => row < 15);
    const expected = kept.reduce((sum, row) => sum + Math.abs(actual[row] - meanOf(train)), 0) / kept.length;
    expect(folds[fold].metrics.mae).toBeCloseTo(expected, 12);
  });
});

test('a row judged twice and a missing prediction are refused', () => {
  const [split] = kFold(30, { folds: 3, seed: 1 });
  expect(() => crossValidate({ splits: [split, split], actual, metrics: { mae }, ...byMean })).toThrow(
    'is judged by two folds',
  );
  const short = { fit: () => 0, predict: () => new Float64Array(3) };
  expect(() => crossValidate({ splits: [split], actual, metrics: { mae }, ...short })).toThrow('10 rows but 3');
});
