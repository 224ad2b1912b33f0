import { describe, expect, test } from 'vitest';
import {
  bandCost,
  bandWithinCapacity,
  cheapestThreshold,
  decide,
  decisionBand,
} from '../../../src/ml/calibration/decision-band.ts';
import { random } from '../../../src/ml/random.ts';

const costs = { falsePositive: 100, falseNegative: 400, review: 30 };

describe('the band of least cost', () => {
  test('reviews where both ways of deciding cost more than a look', () => {
    // a look costs 30: worth it from p · 400 > 30 to (1 − p) · 100 > 30
    expect(decisionBand(costs)).toEqual({ reviewFrom: 0.075, positiveFrom: 0.7 });
  });

  test('without review, or with one that is too dear, is the classic threshold', () => {
    const threshold = { reviewFrom: 0.2, positiveFrom: 0.2 };
    expect(decisionBand({ falsePositive: 100, falseNegative: 400 })).toEqual(threshold);
    expect(decisionBand({ ...costs, review: 80 })).toEqual(threshold);
  });

  test('costs less in expectation than any other band, for any calibrated probability', () => {
    const band = decisionBand(costs);
    for (let p = 0.005; p < 1; p += 0.01) {
      const price = { negative: p * 400, positive: (1 - p) * 100, review: 30 };
      const [decision] = decide(band, Float64Array.of(p));
      expect(price[decision]).toBeCloseTo(Math.min(price.negative, price.positive, price.review), 9);
    }
  });

  test('decides at its edges upwards', () => {
    expect(decide({ reviewFrom: 0.2, positiveFrom: 0.8 }, Float64Array.of(0.19, 0.2, 0.79, 0.8))).toEqual([
      'negative',
      'review',
      'review',
      'positive',
    ]);
  });

  test('refuses costs that are not above 0', () => {
    expect(() => decisionBand({ falsePositive: 0, falseNegative: 1 })).toThrow(
      'falsePositive must be a number above 0',
    );
  });
});

describe('a team with little time', () => {
  const stream = random(4);
  const predicted = Float64Array.from({ length: 1000 }, () => stream.uniform());
  const reviews = (band: { reviewFrom: number; positiveFrom: number }) =>
    decide(band, predicted).filter((decision) => decision === 'review').length;

  test.each([0, 0.01, 0.1, 0.3])('reviews a share of %d and no more, those that save most', (share) => {
    const band = bandWithinCapacity(costs, predicted, share);
    expect(reviews(band)).toBe(Math.floor(1000 * share));
    const saving = (p: number) => Math.min(p * 400, (1 - p) * 100);
    const kept = predicted.filter((p) => p >= band.reviewFrom && p < band.positiveFrom).map(saving);
    const left = predicted.filter((p) => !(p >= band.reviewFrom && p < band.positiveFrom)).map(saving);
    expect(Math.min(...kept, Infinity)).toBeGreaterThan(
      Math.max(...left.filter((value) => value > 30 && share > 0), 0),
    );
  });

  test('has the band of the costs where it has time enough', () => {
    expect(bandWithinCapacity(costs, predicted, 1)).toEqual(decisionBand(costs));
  });

  test('reviews none of many rows of one probability rather than more than it can', () => {
    const same = new Float64Array(100).fill(0.3);
    const band = bandWithinCapacity(costs, same, 0.5);
    expect(decide(band, same)).not.toContain('review');
  });
});

test('the cost of a band counts errors and reviews', () => {
  const actual = Float64Array.of(1, 0, 1, 0, 1);
  const predicted = Float64Array.of(0.1, 0.9, 0.5, 0.1, 0.9);
  expect(bandCost(costs, { reviewFrom: 0.4, positiveFrom: 0.8 }, actual, predicted)).toEqual({
    costPerRow: (400 + 100 + 30) / 5,
    reviewShare: 0.2,
    falsePositives: 1,
    falseNegatives: 1,
  });
});

describe('the cheapest threshold', () => {
  const stream = random(9);
  const predicted = Float64Array.from({ length: 300 }, () => Math.round(stream.uniform() * 50) / 50);
  const actual = predicted.map((p) => Number(stream.uniform() < p));
  const costOf = (threshold: number) =>
    bandCost(costs, { reviewFrom: threshold, positiveFrom: threshold }, actual, predicted).costPerRow;

  test('beats every other on its rows', () => {
    const best = costOf(cheapestThreshold(costs, actual, predicted));
    for (let threshold = -0.01; threshold <= 1.03; threshold += 0.01) {
      expect(costOf(threshold)).toBeGreaterThanOrEqual(best);
    }
  });

  test('is infinite where nothing positive is worth calling so', () => {
    expect(cheapestThreshold(costs, new Float64Array(3), Float64Array.of(0.1, 0.5, 0.9))).toBe(Infinity);
  });
});
