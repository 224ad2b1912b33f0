import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bootstrap, pairedBootstrap } from '../../../src/ml/metrics/bootstrap.ts';
import { bcaLevels, jackknife } from '../../../src/ml/metrics/bca.ts';
import type { Metric } from '../../../src/ml/metrics/metric.ts';
import { mae, weightedMean } from '../../../src/ml/metrics/regression.ts';
import { random } from '../../../src/ml/random.ts';

type Known = { confidence: number; low: number; high: number };
const { bca } = JSON.parse(
  readFileSync(new URL('../../fixtures/intervals/expected.json', import.meta.url), 'utf8'),
) as {
  bca: { values: number[]; mean: Known[]; percentile: Known };
};
const values = Float64Array.from(bca.values);
const mean: Metric = (actual, _, weight) => weightedMean(actual, weight);
const logMean: Metric = (actual, _, weight) => Math.log(weightedMean(actual, weight));

describe('the BCa interval', () => {
  test.each(bca.mean)('of the mean of skewed costs at $confidence is that of scipy', ({ confidence, low, high }) => {
    const options = { seed: 1, resamples: 10_000, interval: 'bca', confidence } as const;
    const found = bootstrap({ mean }, values, values, options).mean;
    expect(Math.abs(found.low - low)).toBeLessThan(0.03 * (high - low));
    expect(Math.abs(found.high - high)).toBeLessThan(0.03 * (high - low));
  });

  test('reaches further up than the percentile interval, as skewed costs do', () => {
    const options = { seed: 1, resamples: 10_000 };
    const found = bootstrap({ mean }, values, values, options).mean;
    const { low, high } = bca.percentile;
    expect(Math.abs(found.low - low)).toBeLessThan(0.03 * (high - low));
    expect(Math.abs(found.high - high)).toBeLessThan(0.03 * (high - low));
    expect(bca.mean[1].high).toBeGreaterThan(found.high);
  });

  test('of a logarithm is nearly the logarithm of the interval', () => {
    const options = { seed: 2, resamples: 4_000, interval: 'bca' } as const;
    const found = bootstrap({ mean, logMean }, values, values, options);
    // not exactly: the skewness of the jackknife is not that of a transformed one
    expect(Math.abs(Math.exp(found.logMean.low) / found.mean.low - 1)).toBeLessThan(0.01);
    expect(Math.abs(Math.exp(found.logMean.high) / found.mean.high - 1)).toBeLessThan(0.01);
  });

  test('of an unbiased, symmetric statistic is the percentile interval', () => {
    const replicates = Float64Array.from({ length: 101 }, (_, i) => i - 50);
    const [low, high] = bcaLevels(0, replicates, Float64Array.of(-1, 0, 1), 0.9);
    expect(low).toBeCloseTo(0.05, 12);
    expect(high).toBeCloseTo(0.95, 12);
  });

  test('is undefined where every replicate lies below the estimate', () => {
    expect(bcaLevels(5, Float64Array.of(1, 2, NaN), Float64Array.of(1, 2), 0.95)).toEqual([NaN, NaN]);
  });

  test('on more than 200 rows leaves out parts of them, with nearly the same result', () => {
    const stream = random(5);
    const rows = Float64Array.from({ length: 1_000 }, () => stream.gamma(1));
    const units = { codes: Uint32Array.from(rows, (_, i) => i), count: rows.length };
    const parts = jackknife((weight) => weightedMean(rows, weight), units, { seed: 1, weight: undefined });
    const eachRow = rows.map((_, left) => weightedMean(rows.filter((_, i) => i !== left)));
    expect(parts.length).toBe(200);

    const replicates = Float64Array.from({ length: 101 }, (_, i) => i - 50);
    const exact = bcaLevels(0, replicates, eachRow, 0.9);
    const found = bcaLevels(0, replicates, parts, 0.9);
    const correction = exact[1] - 0.95;
    expect(correction).toBeGreaterThan(0.003);
    expect(Math.abs(found[0] - exact[0])).toBeLessThan(correction / 2);
    expect(Math.abs(found[1] - exact[1])).toBeLessThan(correction / 2);
  });

  test('covers the mean of skewed costs more often than the percentile interval does', () => {
    const truth = Math.exp(0.5 * 1.2 ** 2);
    let plain = 0;
    let corrected = 0;
    for (let seed = 0; seed < 200; seed++) {
      const stream = random(`costs ${seed}`);
      const costs = Float64Array.from({ length: 40 }, () => Math.exp(stream.normal(0, 1.2)));
      const options = { seed, resamples: 300 };
      const holds = ({ low, high }: { low: number; high: number }) => low <= truth && truth <= high;
      if (holds(bootstrap({ mean }, costs, costs, options).mean)) plain++;
      if (holds(bootstrap({ mean }, costs, costs, { ...options, interval: 'bca' }).mean)) corrected++;
    }
    expect(corrected).toBeGreaterThan(plain);
    expect(corrected / 200).toBeGreaterThan(0.83);
  });

  test('is taken of the improvement too, where a challenger is compared', () => {
    const stream = random(6);
    const champion = values.map((value) => value * stream.gamma(4, 1 / 4));
    const challenger = values.map((value) => value * stream.gamma(9, 1 / 9));
    const metrics = { mae: { metric: mae, better: 'lower' } } as const;
    const compare = (interval: 'bca' | 'percentile') =>
      pairedBootstrap(metrics, values, { champion, challenger }, { seed: 1, interval }).mae.improvement;
    expect(compare('bca').value).toBe(compare('percentile').value);
    expect(compare('bca').high).not.toBe(compare('percentile').high);
    expect(compare('bca').low).toBeGreaterThan(0);
  });
});

describe('rows of one entity', () => {
  const stream = random(9);
  const members = 60;
  const months = 8;
  const rows = members * months;
  const ids = Array.from({ length: rows }, (_, i) => `member ${Math.floor(i / months)}`);
  const own = Array.from({ length: members }, () => stream.normal());
  // three quarters of the variance lie between members
  const costs = Float64Array.from(ids, (_, i) => own[Math.floor(i / months)] + stream.normal(0, 0.577));
  const widthOf = ({ low, high }: { low: number; high: number }) => high - low;

  test('are drawn together: the interval of a mean is the normal one of the members’ means', () => {
    const found = bootstrap({ mean }, costs, costs, { seed: 1, resamples: 4_000, clusters: ids }).mean;
    const means = own.map((_, member) => weightedMean(costs.subarray(member * months, (member + 1) * months)));
    const grand = means.reduce((sum, value) => sum + value, 0) / members;
    const spread = Math.sqrt(means.reduce((sum, value) => sum + (value - grand) ** 2, 0) / members);
    expect(Math.abs(widthOf(found) / (2 * 1.96 * (spread / Math.sqrt(members))) - 1)).toBeLessThan(0.06);
  });

  test('drawn on their own they make an interval that is far too narrow', () => {
    const together = bootstrap({ mean }, costs, costs, { seed: 1, clusters: ids }).mean;
    const apart = bootstrap({ mean }, costs, costs, { seed: 1 }).mean;
    expect(widthOf(together) / widthOf(apart)).toBeGreaterThan(2);
  });

  test('each with a name of its own are rows again', () => {
    const numbers = Array.from({ length: rows }, (_, i) => i);
    for (const interval of ['percentile', 'bca'] as const) {
      const options = { seed: 4, resamples: 200, interval };
      expect(bootstrap({ mean }, costs, costs, { ...options, clusters: numbers })).toEqual(
        bootstrap({ mean }, costs, costs, options),
      );
    }
  });

  test('need one name per row', () => {
    expect(() => bootstrap({ mean }, costs, costs, { seed: 1, clusters: ids.slice(1) })).toThrow(
      'clusters has 479 rows',
    );
  });
});
