import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bootstrap } from '../../../src/ml/metrics/bootstrap.ts';
import {
  calibrationCurve,
  expectedCalibrationError,
  maximumCalibrationError,
} from '../../../src/ml/metrics/calibration-error.ts';
import {
  accuracyAt,
  accuracyOf,
  confusionAt,
  confusionMatrix,
  f1At,
  falsePositiveRateAt,
  kappaAt,
  matthewsAt,
  matthewsOf,
  precisionAt,
  quadraticKappaOf,
  recallAt,
} from '../../../src/ml/metrics/confusion.ts';
import { brier, logLoss } from '../../../src/ml/metrics/probability.ts';
import { averagePrecision, operatingPoints, rocAuc } from '../../../src/ml/metrics/roc.ts';
import { random } from '../../../src/ml/random.ts';

type Suite = Record<
  | 'rocAuc'
  | 'averagePrecision'
  | 'logLoss'
  | 'brier'
  | 'accuracy'
  | 'precision'
  | 'recall'
  | 'f1'
  | 'kappa'
  | 'matthews',
  number
>;
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/metrics/classification.json', import.meta.url), 'utf8'),
) as {
  threshold: number;
  actual: number[];
  predicted: number[];
  weight: number[];
  plain: Suite;
  weighted: Suite;
  roc: { falsePositiveRate: number[]; recall: number[] };
  curve: { bins: number; observed: number[]; meanPredicted: number[] };
  multiclass: {
    actual: number[];
    assigned: number[];
    counts: number[][];
    accuracy: number;
    quadraticKappa: number;
    matthews: number;
  };
};
const [actual, predicted, weight] = [fixture.actual, fixture.predicted, fixture.weight].map((values) =>
  Float64Array.from(values),
);
const { threshold } = fixture;
const metrics = {
  rocAuc,
  averagePrecision,
  logLoss,
  brier,
  accuracy: accuracyAt(threshold),
  precision: precisionAt(threshold),
  recall: recallAt(threshold),
  f1: f1At(threshold),
  kappa: kappaAt(threshold),
  matthews: matthewsAt(threshold),
};

test.each(Object.keys(metrics) as (keyof Suite)[])('%s agrees with scikit-learn, weighted and not', (name) => {
  expect(metrics[name](actual, predicted)).toBeCloseTo(fixture.plain[name], 12);
  expect(metrics[name](actual, predicted, weight)).toBeCloseTo(fixture.weighted[name], 12);
});

test.each(Object.keys(metrics) as (keyof Suite)[])('%s under resampling weights equals copying the rows', (name) => {
  const stream = random(6);
  const rows = Array.from({ length: 200 }, () => stream.integer(200));
  const counts = new Float64Array(200);
  for (const row of rows) counts[row]++;
  const copied = metrics[name](
    Float64Array.from(rows, (row) => actual[row]),
    Float64Array.from(rows, (row) => predicted[row]),
  );
  expect(metrics[name].over?.(actual, predicted)(counts)).toBeCloseTo(copied, 12);
});

describe('ROC', () => {
  test('is the share of pairs in the right order, ties counted half', () => {
    let right = 0;
    let pairs = 0;
    actual.forEach((y, i) => {
      if (y === 0) return;
      actual.forEach((other, j) => {
        if (other === 1) return;
        pairs++;
        right += predicted[i] > predicted[j] ? 1 : predicted[i] === predicted[j] ? 0.5 : 0;
      });
    });
    expect(rocAuc(actual, predicted)).toBeCloseTo(right / pairs, 12);
  });

  test('has the operating points of scikit-learn', () => {
    const points = operatingPoints(actual, predicted);
    expect(points.map((point) => point.recall)).toEqual(
      fixture.roc.recall.map((value) => expect.closeTo(value, 12) as number),
    );
    expect(points.map((point) => point.falsePositiveRate)).toEqual(
      fixture.roc.falsePositiveRate.map((value) => expect.closeTo(value, 12) as number),
    );
  });

  test('is thinned to the points asked for, both ends kept', () => {
    const points = operatingPoints(actual, predicted, { points: 20 });
    expect(points.length).toBeGreaterThanOrEqual(19);
    expect(points.length).toBeLessThanOrEqual(22);
    expect(points[0]).toMatchObject({ recall: 0, falsePositiveRate: 0, precision: 1 });
    expect(points.at(-1)).toMatchObject({ recall: 1, falsePositiveRate: 1 });
  });

  test('is undefined for one class and in an interval leaves such resamples out', () => {
    expect(rocAuc(Float64Array.of(1, 1), Float64Array.of(0.2, 0.4))).toBeNaN();
    const one = Float64Array.of(0, 0, 0, 0, 0, 1);
    const { low, high } = bootstrap({ rocAuc }, one, Float64Array.of(1, 2, 3, 4, 5, 6), { seed: 1 }).rocAuc;
    expect([low, high]).toEqual([1, 1]);
  });
});

describe('labels and probabilities', () => {
  test('a label that is neither 0 nor 1 is refused by row', () => {
    expect(() => rocAuc(Float64Array.of(0, 1, 2), Float64Array.of(0, 0.5, 1))).toThrow('row 2 is neither');
  });

  test('a probability outside [0, 1] is refused by row', () => {
    expect(() => logLoss(Float64Array.of(0, 1), Float64Array.of(0.2, 1.2))).toThrow('row 1 does not');
  });

  test('one certain mistake leaves the log loss finite', () => {
    expect(logLoss(Float64Array.of(1), Float64Array.of(0))).toBeCloseTo(-Math.log(Number.EPSILON), 9);
    expect(logLoss(Float64Array.of(1), Float64Array.of(1))).toBeLessThan(1e-14);
  });
});

describe('confusion', () => {
  const { multiclass } = fixture;
  const matrix = confusionMatrix(['a', 'b', 'c', 'd'], multiclass.actual, multiclass.assigned);

  test('of several classes agrees with scikit-learn', () => {
    expect(matrix.counts).toEqual(multiclass.counts);
    expect(accuracyOf(matrix)).toBeCloseTo(multiclass.accuracy, 12);
    expect(quadraticKappaOf(matrix)).toBeCloseTo(multiclass.quadraticKappa, 12);
    expect(matthewsOf(matrix)).toBeCloseTo(multiclass.matthews, 12);
  });

  test('at a threshold counts a probability at it as positive', () => {
    const { counts } = confusionAt(0.5, Float64Array.of(1, 0, 1, 0), Float64Array.of(0.5, 0.5, 0.4, 0.1));
    expect(counts).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test('a prediction that never says positive has precision, F1 and Matthews 0, and the rates say why', () => {
    const never = new Float64Array(actual.length).fill(0.1);
    for (const metric of [precisionAt, f1At, matthewsAt, recallAt, falsePositiveRateAt]) {
      expect(metric(0.5)(actual, never)).toBe(0);
    }
  });

  test('a class code that does not exist is refused by row', () => {
    expect(() => confusionMatrix(['a', 'b'], [0, 1], [0, 2])).toThrow('Row 1 has a class code outside 0 … 1');
    expect(() => confusionMatrix(['a', 'b'], [0.5], [0])).toThrow('Row 0');
  });
});

describe('calibration', () => {
  test('the uniform curve agrees with scikit-learn', () => {
    const curve = calibrationCurve(actual, predicted, { bins: fixture.curve.bins, strategy: 'uniform' });
    expect(curve.map((point) => point.observed.value)).toEqual(
      fixture.curve.observed.map((value) => expect.closeTo(value, 12) as number),
    );
    expect(curve.map((point) => point.meanPredicted)).toEqual(
      fixture.curve.meanPredicted.map((value) => expect.closeTo(value, 12) as number),
    );
  });

  test('the errors are the mean and the largest distance of that curve from the diagonal', () => {
    const options = { bins: 8, strategy: 'uniform' } as const;
    const curve = calibrationCurve(actual, predicted, options);
    const distances = curve.map((point) => Math.abs(point.observed.value - point.meanPredicted));
    const mean = curve.reduce((sum, point, i) => sum + point.rows * distances[i], 0) / actual.length;
    expect(expectedCalibrationError(options)(actual, predicted)).toBeCloseTo(mean, 12);
    expect(maximumCalibrationError(options)(actual, predicted)).toBeCloseTo(Math.max(...distances), 12);
  });

  test('a calibrated probability has a small error, one that is too sure a large one', () => {
    const stream = random(2);
    const honest = Float64Array.from({ length: 20_000 }, () => stream.uniform());
    const truth = honest.map((p) => Number(stream.uniform() < p));
    const overconfident = honest.map((p) => (p < 0.5 ? p * p : 1 - (1 - p) ** 2));
    const error = expectedCalibrationError();
    expect(error(truth, honest)).toBeLessThan(0.02);
    expect(error(truth, overconfident)).toBeGreaterThan(0.1);
  });
});
