import { describe, expect, test } from 'vitest';
import { bootstrap, pairedBootstrap, percentileInterval, replicate } from '../../../src/ml/metrics/bootstrap.ts';
import { gini } from '../../../src/ml/metrics/gini.ts';
import type { Metric } from '../../../src/ml/metrics/metric.ts';
import { mae, r2, rmse, weightedMean } from '../../../src/ml/metrics/regression.ts';
import { random } from '../../../src/ml/random.ts';

/** Truth and predictions of unit noise. */
function sample(rows: number, seed: number, noise = 1) {
  const stream = random(seed);
  const predicted = Float64Array.from({ length: rows }, () => stream.normal(10, 2));
  const actual = predicted.map((value) => value + stream.normal(0, noise));
  return { actual, predicted };
}

/** Residuals of unit spread around 0, and their mean as a metric. */
const residuals = (rows: number, seed: number) => {
  const { actual, predicted } = sample(rows, seed);
  return actual.map((value, i) => value - predicted[i]);
};
const mean: Metric = (actual, _, weight) => weightedMean(actual, weight);

describe('bootstrap intervals', () => {
  test('the same seed gives the same interval, another seed nearly the same', () => {
    const { actual, predicted } = sample(300, 1);
    const first = bootstrap({ r2, mae, rmse }, actual, predicted, { seed: 7 });
    expect(bootstrap({ r2, mae, rmse }, actual, predicted, { seed: 7 })).toEqual(first);
    const second = bootstrap({ mae }, actual, predicted, { seed: 8 });
    expect(second.mae.low).not.toBe(first.mae.low);
    expect(Math.abs(second.mae.low - first.mae.low)).toBeLessThan(0.02);
  });

  test('a metric has the same interval alone and beside others', () => {
    const { actual, predicted } = sample(200, 2);
    const together = bootstrap({ r2, mae, gini }, actual, predicted, { seed: 3 });
    expect(bootstrap({ mae }, actual, predicted, { seed: 3 }).mae).toEqual(together.mae);
  });

  test('the interval of a mean is the normal one: 1.96 standard errors either side', () => {
    const rows = residuals(500, 4);
    const { value, low, high } = bootstrap({ mean }, rows, rows, { seed: 1, resamples: 4000 }).mean;
    const spread = Math.sqrt(rows.reduce((sum, residual) => sum + (residual - value) ** 2, 0) / 500);
    const standardError = spread / Math.sqrt(500);
    expect(Math.abs((high - low) / (2 * 1.96 * standardError) - 1)).toBeLessThan(0.05);
    expect(Math.abs((high + low) / 2 - value)).toBeLessThan(0.1 * standardError);
  });

  test('95 % intervals hold the truth in about 95 % of samples', () => {
    let hits = 0;
    for (let seed = 0; seed < 200; seed++) {
      const rows = residuals(100, 1000 + seed);
      const { low, high } = bootstrap({ mean }, rows, rows, { seed, resamples: 200 }).mean;
      if (low <= 0 && 0 <= high) hits++;
    }
    expect(hits).toBeGreaterThanOrEqual(180);
    expect(hits).toBeLessThanOrEqual(199);
  });

  test('resampling by weights equals copying the drawn rows', () => {
    const { actual, predicted } = sample(50, 5);
    const byWeights = replicate({ r2: (weight) => r2(actual, predicted, weight) }, 50, { seed: 9, resamples: 20 }).r2;
    const stream = random(9);
    const byCopies = byWeights.map(() => {
      const rows = Array.from({ length: 50 }, () => stream.integer(50));
      return r2(
        Float64Array.from(rows, (row) => actual[row]),
        Float64Array.from(rows, (row) => predicted[row]),
      );
    });
    byCopies.forEach((value, i) => expect(byWeights[i]).toBeCloseTo(value, 12));
  });

  test('exposure multiplies how often a row was drawn: constant exposure changes nothing', () => {
    const { actual, predicted } = sample(100, 6);
    const plain = bootstrap({ mae }, actual, predicted, { seed: 1 }).mae;
    const weighted = bootstrap({ mae }, actual, predicted, { seed: 1, weight: new Float64Array(100).fill(0.5) }).mae;
    for (const end of ['value', 'low', 'high'] as const) expect(weighted[end]).toBeCloseTo(plain[end], 12);
  });

  test('weights that are negative or all zero are refused', () => {
    const { actual, predicted } = sample(3, 1);
    const options = (weight: Float64Array) => ({ seed: 1, weight });
    expect(() => bootstrap({ mae }, actual, predicted, options(Float64Array.of(1, -1, 1)))).toThrow('weight of row 1');
    expect(() => bootstrap({ mae }, actual, predicted, options(new Float64Array(3)))).toThrow('All weights are zero');
  });
});

describe('undefined replicates', () => {
  test('are left out of the interval', () => {
    expect(percentileInterval(Float64Array.of(NaN, 1, 2, 3, NaN, 4, 5), 0.5)).toEqual({ low: 2, high: 4 });
  });

  test('make the interval undefined where they are the majority', () => {
    expect(percentileInterval(Float64Array.of(NaN, NaN, 1))).toEqual({ low: NaN, high: NaN });
  });
});

describe('paired difference of challenger and champion', () => {
  const { actual, predicted } = sample(500, 11);
  const stream = random(12);
  const worse = predicted.map((value) => value + stream.normal(0, 0.6));
  const metrics = { mae: { metric: mae, better: 'lower' }, r2: { metric: r2, better: 'higher' } } as const;

  test('a better challenger improves on both metrics, with an interval above 0', () => {
    const result = pairedBootstrap(metrics, actual, { champion: worse, challenger: predicted }, { seed: 1 });
    for (const { improvement, probabilityOfSuperiority, champion, challenger } of [result.mae, result.r2]) {
      expect(improvement.low).toBeGreaterThan(0);
      expect(Math.abs(challenger.value - champion.value)).toBeCloseTo(improvement.value, 14);
      expect(probabilityOfSuperiority).toBeGreaterThan(0.99);
    }
  });

  test('exchanging the two turns every sign', () => {
    const one = pairedBootstrap(metrics, actual, { champion: worse, challenger: predicted }, { seed: 1 }).mae;
    const two = pairedBootstrap(metrics, actual, { champion: predicted, challenger: worse }, { seed: 1 }).mae;
    expect(two.improvement.low).toBeCloseTo(-one.improvement.high, 14);
    expect(two.probabilityOfSuperiority).toBeCloseTo(1 - one.probabilityOfSuperiority, 14);
  });

  test('the same predictions are no improvement, and as likely better as worse', () => {
    const same = pairedBootstrap(metrics, actual, { champion: worse, challenger: worse }, { seed: 1 }).mae;
    expect(same.improvement).toEqual({ value: 0, low: 0, high: 0 });
    expect(same.probabilityOfSuperiority).toBe(0.5);
  });

  test('pairing makes the interval narrower than the two alone', () => {
    const { champion, challenger, improvement } = pairedBootstrap(
      metrics,
      actual,
      { champion: worse, challenger: predicted },
      { seed: 1 },
    ).mae;
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    expect(width(improvement)).toBeLessThan(0.8 * Math.hypot(width(champion), width(challenger)));
  });
});
