import { describe, expect, test } from 'vitest';
import { correctPrior } from '../../../src/ml/calibration/prior-correction.ts';
import { rocAuc } from '../../../src/ml/metrics/roc.ts';
import { random } from '../../../src/ml/random.ts';
import { undersample } from '../../../src/ml/tune/undersample.ts';

/** Bayes' rule for classes N(0, 1) and N(2, 1) with this share of positives. */
const posterior = (x: number, share: number) => {
  const [positive, negative] = [share * Math.exp(-((x - 2) ** 2) / 2), (1 - share) * Math.exp(-(x ** 2) / 2)];
  return positive / (positive + negative);
};

describe('correcting the prior', () => {
  const points = Float64Array.from({ length: 81 }, (_, i) => -3 + i / 10);

  test.each([
    [0.5, 0.16],
    [0.16, 0.5],
    [0.9, 0.01],
    [0.3, 0.3],
  ])("turns Bayes' probabilities at a share of %d into those at a share of %d", (trained, actual) => {
    const corrected = correctPrior(
      points.map((x) => posterior(x, trained)),
      { trained, actual },
    );
    points.forEach((x, i) => expect(corrected[i]).toBeCloseTo(posterior(x, actual), 12));
  });

  test('is the published formula for undersampled negatives: βp / (βp − p + 1), β the share of them that was kept', () => {
    // Dal Pozzolo, Caelen, Johnson and Bontempi, "Calibrating probability with undersampling for unbalanced classification", 2015
    const [positives, negatives, kept] = [160, 840, 160];
    const beta = kept / negatives;
    const probabilities = Float64Array.of(0, 0.01, 0.2, 0.5, 0.93, 1);
    const corrected = correctPrior(probabilities, {
      trained: positives / (positives + kept),
      actual: positives / (positives + negatives),
    });
    probabilities.forEach((p, i) => expect(corrected[i]).toBeCloseTo((beta * p) / (beta * p - p + 1), 12));
  });

  test('there and back is where it was, and the ranking stays', () => {
    const stream = random('ranking');
    const predicted = Float64Array.from({ length: 500 }, () => stream.uniform());
    const actual = predicted.map((p) => (stream.uniform() < p ? 1 : 0));
    const corrected = correctPrior(predicted, { trained: 0.5, actual: 0.1 });
    expect(rocAuc(actual, corrected)).toBe(rocAuc(actual, predicted));
    correctPrior(corrected, { trained: 0.1, actual: 0.5 }).forEach((p, i) => expect(p).toBeCloseTo(predicted[i], 12));
  });

  test('refuses shares and probabilities that are none', () => {
    expect(() => correctPrior(Float64Array.of(0.5), { trained: 0, actual: 0.1 })).toThrow('positives in training');
    expect(() => correctPrior(Float64Array.of(0.5), { trained: 0.5, actual: 1 })).toThrow('actual share');
    expect(() => correctPrior(Float64Array.of(1.5), { trained: 0.5, actual: 0.1 })).toThrow('row 0');
  });
});

describe('undersampling', () => {
  const label = Float64Array.from({ length: 1000 }, (_, row) => (row % 8 === 0 ? 1 : 0));

  test.each([
    [0.5, 125],
    [0.25, 375],
    [0.2, 500],
  ])('to a share of %d keeps every positive and %d negatives, in their order', (positives, negatives) => {
    const rows = undersample(label, { positives, seed: 3 });
    expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.filter((row) => label[row] === 1)).toHaveLength(125);
    expect(rows.filter((row) => label[row] === 0)).toHaveLength(negatives);
  });

  test('keeps each negative as likely, the same ones for the same seed', () => {
    const kept = new Float64Array(label.length);
    for (let seed = 0; seed < 400; seed++) for (const row of undersample(label, { positives: 0.5, seed })) kept[row]++;
    // 125 of 875 in 400 draws: 57.1 ± 7 each; five standard deviations
    expect(kept.filter((_, row) => label[row] === 1).every((times) => times === 400)).toBe(true);
    for (const times of kept.filter((_, row) => label[row] === 0)) expect(Math.abs(times - 57.1)).toBeLessThan(35);
    expect(undersample(label, { positives: 0.5, seed: 1 })).toEqual(undersample(label, { positives: 0.5, seed: 1 }));
    expect(undersample(label, { positives: 0.5, seed: 1 })).not.toEqual(
      undersample(label, { positives: 0.5, seed: 2 }),
    );
  });

  test('leaves all rows where positives have the share already', () => {
    expect(undersample(label, { positives: 0.1, seed: 1 })).toHaveLength(1000);
    expect(() => undersample(label, { positives: 1, seed: 1 })).toThrow('share of positives');
  });
});
