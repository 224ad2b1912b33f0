import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyBeta, fitBeta } from '../../../src/ml/calibration/beta.ts';
import { applyCalibrator, fitCalibrator } from '../../../src/ml/calibration/calibrator.ts';
import {
  applyConformalQuantileRegression,
  fitConformalQuantileRegression,
} from '../../../src/ml/calibration/conformal-quantile-regression.ts';
import { applyPlatt, fitPlatt } from '../../../src/ml/calibration/platt.ts';
import { expectedCalibrationError } from '../../../src/ml/metrics/calibration-error.ts';
import { rocAuc } from '../../../src/ml/metrics/roc.ts';
import { random } from '../../../src/ml/random.ts';

type Numbers = number[];
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/calibration/calibration.json', import.meta.url), 'utf8'),
) as {
  conformal: Record<'predicted' | 'actual' | 'newPredicted', Numbers>;
  quantileRegression: Record<'low' | 'high' | 'newLow' | 'newHigh', Numbers> & {
    fits: { miscoverage: number; low: Numbers; high: Numbers }[];
  };
  probabilities: Record<
    'predicted' | 'actual' | 'weight' | 'grid' | 'plattScikit' | 'betaPackage' | 'oneSided',
    Numbers
  > & {
    platt: { intercept: number; slope: number };
    beta: { a: number; b: number; c: number };
    oneSidedBeta: { a: number; b: number; c: number };
  };
};
const { probabilities } = fixture;
const predicted = Float64Array.from(probabilities.predicted);
const actual = Float64Array.from(probabilities.actual);
const weight = Float64Array.from(probabilities.weight);
const grid = Float64Array.from(probabilities.grid);

describe('Platt scaling', () => {
  const platt = fitPlatt(predicted, actual);

  test('has the coefficients of a logistic regression on Platt’s targets by statsmodels', () => {
    expect(platt.slope).toBeCloseTo(probabilities.platt.slope, 8);
    expect(platt.intercept).toBeCloseTo(probabilities.platt.intercept, 8);
  });

  test('calibrates as scikit-learn does, to the tolerance of its optimiser', () => {
    applyPlatt(platt, grid).forEach((value, i) => expect(value).toBeCloseTo(probabilities.plattScikit[i], 3));
  });

  test('stays finite where the scores separate the classes', () => {
    const { slope } = fitPlatt(Float64Array.of(0.1, 0.2, 0.8, 0.9), Float64Array.of(0, 0, 1, 1));
    expect(slope).toBeGreaterThan(0);
    expect(slope).toBeLessThan(5);
  });
});

describe('beta calibration', () => {
  test('has the coefficients of the weighted logistic regression by statsmodels', () => {
    const beta = fitBeta(predicted, actual, weight);
    for (const name of ['a', 'b', 'c'] as const) expect(beta[name]).toBeCloseTo(probabilities.beta[name], 7);
  });

  test('calibrates as the authors’ package does, to the tolerance of its optimiser', () => {
    const calibrated = applyBeta(fitBeta(predicted, actual, weight), grid);
    calibrated.forEach((value, i) => expect(value).toBeCloseTo(probabilities.betaPackage[i], 3));
  });

  test('drops a slope that comes out negative and fits the rest again', () => {
    const beta = fitBeta(predicted, Float64Array.from(probabilities.oneSided));
    for (const name of ['a', 'b', 'c'] as const) expect(beta[name]).toBeCloseTo(probabilities.oneSidedBeta[name], 7);
  });

  test('gives scores that rank backwards the share of positives', () => {
    const stream = random(1);
    const backwards = predicted.map((p) => Number(stream.uniform() > p));
    const share = backwards.reduce((sum, y) => sum + y, 0) / backwards.length;
    const calibrated = applyBeta(fitBeta(predicted, backwards), grid);
    calibrated.forEach((value) => expect(value).toBeCloseTo(share, 12));
  });
});

describe.each(['isotonic', 'platt', 'beta'] as const)('an overconfident model calibrated by %s', (method) => {
  const stream = random(14);
  const truth = Float64Array.from({ length: 8000 }, () => stream.uniform());
  const labels = truth.map((p) => Number(stream.uniform() < p));
  const sure = truth.map((p) => p ** 3 / (p ** 3 + (1 - p) ** 3));
  const half = 4000;
  const calibrator = fitCalibrator(method, sure.subarray(0, half), labels.subarray(0, half));
  const calibrated = applyCalibrator(calibrator, sure.subarray(half));

  test('loses most of its calibration error on rows it has not seen, and keeps its ranking', () => {
    const error = expectedCalibrationError();
    const later = labels.subarray(half);
    expect(error(later, sure.subarray(half))).toBeGreaterThan(0.08);
    expect(error(later, calibrated)).toBeLessThan(0.04);
    expect(rocAuc(later, calibrated)).toBeCloseTo(rocAuc(later, sure.subarray(half)), 2);
  });

  test('survives JSON', () => {
    const loaded = JSON.parse(JSON.stringify(calibrator)) as typeof calibrator;
    expect(applyCalibrator(loaded, grid)).toEqual(applyCalibrator(calibrator, grid));
  });
});

describe('conformalised quantile regression', () => {
  const truth = Float64Array.from(fixture.conformal.actual);
  const quantiles = fixture.quantileRegression;
  const between = (low: Numbers, high: Numbers) => ({ low: Float64Array.from(low), high: Float64Array.from(high) });

  test.each(quantiles.fits)('at miscoverage $miscoverage is that of MAPIE', ({ miscoverage, low, high }) => {
    const fitted = fitConformalQuantileRegression(truth, between(quantiles.low, quantiles.high), { miscoverage });
    const intervals = applyConformalQuantileRegression(fitted, between(quantiles.newLow, quantiles.newHigh));
    low.forEach((value, i) => expect(intervals.low[i]).toBeCloseTo(value, 8));
    high.forEach((value, i) => expect(intervals.high[i]).toBeCloseTo(value, 8));
  });

  test('narrows intervals that are too wide, and never turns one inside out', () => {
    const stream = random(3);
    const y = Float64Array.from({ length: 500 }, () => stream.normal());
    const wide = { low: y.map(() => -5), high: y.map(() => 5) };
    const fitted = fitConformalQuantileRegression(y, wide, { miscoverage: 0.2 });
    expect(fitted.quantile).toBeLessThan(-3);
    const narrow = { low: Float64Array.of(-5, -1), high: Float64Array.of(5, 2) };
    const { low, high } = applyConformalQuantileRegression(fitted, narrow);
    expect(high[0]).toBeCloseTo(5 + fitted.quantile, 12);
    expect([low[1], high[1]]).toEqual([0.5, 0.5]);
  });

  test('is group-wise on request', () => {
    const y = Float64Array.from({ length: 200 }, (_, i) => (i % 2 ? 10 : 1) * (((i * 7) % 100) / 100));
    const groups = Array.from(y, (_, i) => (i % 2 ? 'wild' : 'calm'));
    const zero = { low: y.map(() => 0), high: y.map(() => 0) };
    const fitted = fitConformalQuantileRegression(y, zero, { miscoverage: 0.1, groups });
    const { high } = applyConformalQuantileRegression(
      fitted,
      { low: Float64Array.of(0, 0), high: Float64Array.of(0, 0) },
      {
        groups: ['wild', 'calm'],
      },
    );
    expect(high[0]).toBeGreaterThan(9 * high[1]);
  });
});
