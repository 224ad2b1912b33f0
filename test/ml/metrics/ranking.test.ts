import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { replicate } from '../../../src/ml/metrics/bootstrap.ts';
import { concordance, meanOverRows, ndcgAtK, precisionAtK, topKOverlap } from '../../../src/ml/metrics/ranking.ts';
import { rocAuc } from '../../../src/ml/metrics/roc.ts';
import { random } from '../../../src/ml/random.ts';

const { ranking } = JSON.parse(
  readFileSync(new URL('../../fixtures/metrics/classification.json', import.meta.url), 'utf8'),
) as { ranking: { items: number; k: number; relevance: number[][]; scores: number[][]; ndcg: number[] } };
const lists = {
  items: ranking.items,
  actual: Float64Array.from(ranking.relevance.flat()),
  predicted: Float64Array.from(ranking.scores.flat()),
};

test('NDCG of each row agrees with scikit-learn, ties included', () => {
  const values = ndcgAtK(lists, ranking.k);
  ranking.ndcg.forEach((value, row) => expect(values[row]).toBeCloseTo(value, 12));
});

describe('the top k', () => {
  const one = (actual: number[], predicted: number[]) => ({
    items: actual.length,
    actual: Float64Array.from(actual),
    predicted: Float64Array.from(predicted),
  });

  test('precision is the share of relevant items among the k predicted highest', () => {
    expect(precisionAtK(one([90, 10, 60, 80], [4, 3, 2, 1]), 3, 60)[0]).toBeCloseTo(2 / 3, 14);
  });

  test('overlap is the share of the k actually highest found', () => {
    expect(topKOverlap(one([90, 10, 60, 80], [4, 3, 2, 1]), 2)[0]).toBe(0.5);
    expect(topKOverlap(one([9, 1, 6, 8], [9, 1, 6, 8]), 3)[0]).toBeCloseTo(1, 14);
  });

  test('items of equal prediction share their places, so a constant has what chance would find', () => {
    const constant = one([9, 1, 6, 8], [5, 5, 5, 5]);
    expect(topKOverlap(constant, 2)[0]).toBe(0.5);
    expect(precisionAtK(constant, 2, 8)[0]).toBe(0.5);
    const reversed = one([8, 6, 1, 9], [5, 5, 5, 5]);
    expect(ndcgAtK(constant, 2)[0]).toBe(ndcgAtK(reversed, 2)[0]);
  });

  test('a row without any relevance has no NDCG and does not count in the mean', () => {
    const two = { items: 2, actual: Float64Array.of(0, 0, 1, 0), predicted: Float64Array.of(1, 2, 1, 2) };
    const values = ndcgAtK(two, 1);
    expect(Array.from(values)).toEqual([NaN, 0]);
    expect(meanOverRows(values)()).toBe(0);
  });

  test('an item that nothing is known of counts as little as if it were not there', () => {
    const some = { items: 5, actual: Float64Array.of(9, NaN, 1, 6, NaN), predicted: Float64Array.of(2, 9, 1, 3, 0) };
    const without = one([9, 1, 6], [2, 1, 3]);
    for (const measure of [ndcgAtK, topKOverlap]) expect(measure(some, 2)).toEqual(measure(without, 2));
    expect(concordance(some)).toEqual(concordance(without));
    expect(topKOverlap(one([NaN, NaN], [1, 2]), 1)[0]).toBeNaN();
  });

  test('rows are what a bootstrap resamples', () => {
    const values = Float64Array.of(0.2, 0.4, 0.9);
    const { mean } = replicate({ mean: meanOverRows(values) }, 3, { seed: 1, resamples: 500 });
    expect(Math.min(...mean)).toBeCloseTo(0.2, 12);
    expect(Math.max(...mean)).toBeCloseTo(0.9, 12);
  });
});

describe('concordance within a row', () => {
  const of = (actual: number[], predicted: number[]) =>
    concordance({
      items: actual.length,
      actual: Float64Array.from(actual),
      predicted: Float64Array.from(predicted),
    })[0];

  test('of two actual values is the ROC AUC of that row', () => {
    const draw = random(5);
    for (let trial = 0; trial < 50; trial++) {
      const actual = [0, 1, ...Array.from({ length: 8 }, () => draw.integer(2))];
      // few values, so that some are equal
      const predicted = actual.map(() => draw.integer(4));
      expect(of(actual, predicted)).toBeCloseTo(rocAuc(Float64Array.from(actual), Float64Array.from(predicted)), 12);
    }
  });

  test('compares only items whose values are known and differ', () => {
    expect(of([3, NaN, 0, 0], [2, 9, 1, 3])).toBe(0.5);
    expect(of([3, 1, NaN], [2, 1, 0])).toBe(1);
    expect(of([3, 1, 0], [0, 1, 2])).toBe(0);
    expect(of([2, 2, NaN], [0, 1, 2])).toBeNaN();
    expect(of([NaN, NaN], [0, 1])).toBeNaN();
  });

  test('of equal predictions is what chance would find', () => {
    expect(of([3, 1, 0, 2], [7, 7, 7, 7])).toBe(0.5);
  });
});
