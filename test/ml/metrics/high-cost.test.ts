import { describe, expect, test } from 'vitest';
import {
  highCostAccuracy,
  highCostPrecision,
  highCostRecall,
  highCostThreshold,
} from '../../../src/ml/metrics/high-cost.ts';
import { random } from '../../../src/ml/random.ts';
import { actual, expected } from './fixture.ts';

test('the threshold is the linearly interpolated p95 that numpy computes', () => {
  expect(highCostThreshold(actual)).toBeCloseTo(expected.p95, 9);
});

test('accuracy, recall and precision count rows on the sides of one threshold', () => {
  const truth = Float64Array.of(10, 20, 30, 40, 50);
  const said = Float64Array.of(35, 10, 30, 20, 60);
  // high are truth 30, 40, 50 and said 35, 30, 60: two in common
  expect(highCostAccuracy(30)(truth, said)).toBe(3 / 5);
  expect(highCostRecall(30)(truth, said)).toBe(2 / 3);
  expect(highCostPrecision(30)(truth, said)).toBe(2 / 3);
});

describe('a model that never predicts high', () => {
  const stream = random(5);
  const truth = Float64Array.from({ length: 2000 }, () => stream.gamma(2, 1000));
  const never = new Float64Array(2000).fill(2000);
  const threshold = highCostThreshold(truth);

  test('scores 95 % accuracy', () => {
    expect(highCostAccuracy(threshold)(truth, never)).toBe(0.95);
  });

  test('finds nothing: recall and precision are 0', () => {
    expect(highCostRecall(threshold)(truth, never)).toBe(0);
    expect(highCostPrecision(threshold)(truth, never)).toBe(0);
  });
});

test('the true mean of the P0 generator at σ = 0.3 recalls about .65, its published ceiling', () => {
  const stream = random(42);
  const rows = 40_000;
  const truth = new Float64Array(rows);
  const mean = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const age = Math.min(85, Math.max(18, Math.trunc(stream.normal(45, 15))));
    const bmi = Math.min(50, Math.max(16, stream.normal(28, 6)));
    const smokerFactor = stream.uniform() < 0.15 + 0.001 * (age - 30) ? 2.5 : 1;
    const typical =
      3000 * (age / 40) ** 1.5 * (1 + Math.max(0, (bmi - 25) / 25)) * smokerFactor * (1 + 0.1 * stream.poisson(1.2));
    truth[i] = typical * Math.exp(stream.normal(0, 0.3));
    mean[i] = typical * Math.exp(0.3 ** 2 / 2);
  }
  const recall = highCostRecall(highCostThreshold(truth))(truth, mean);
  expect(Math.abs(recall - 0.65)).toBeLessThan(0.03);
});

test('recall is undefined where no row is truly high', () => {
  expect(highCostRecall(100)(Float64Array.of(1, 2), Float64Array.of(150, 2))).toBeNaN();
});

test('a threshold needs reference labels', () => {
  expect(() => highCostThreshold(new Float64Array(0))).toThrow('needs reference labels');
});
