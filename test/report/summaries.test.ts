import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import { calibrationGroups, residualGroups } from '../../src/report/summaries/deciles.ts';
import { explain, swarmMarks, typicalCase } from '../../src/report/summaries/explanation.ts';
import { histogram, levels, overlay, overlayLevels } from '../../src/report/summaries/histogram.ts';
import { quantile } from '../../src/report/summaries/quantile.ts';
import { samplePolicies } from './sample-facts.ts';

const numbers = fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), { minLength: 0, maxLength: 300 });

describe('quantiles', () => {
  // Python 3: statistics.quantiles([1, 3, 4, 8, 9, 15], n=20, method='inclusive')[1], [4], [9] and [17]
  test.each([
    [0.1, 2],
    [0.25, 3.25],
    [0.5, 6],
    [0.9, 12],
  ])("the %d-quantile is interpolated as in Python's statistics", (p, expected) => {
    expect(quantile(Float64Array.of(1, 3, 4, 8, 9, 15), p)).toBeCloseTo(expected, 12);
  });

  test('of nothing is missing', () => {
    expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
  });
});

describe('groups by prediction', () => {
  const { actual, predicted } = samplePolicies(3, 1003);

  test('hold all rows, in order, in sizes that differ by one at most', () => {
    const groups = calibrationGroups(actual, predicted);
    const sizes = groups.map((group) => group.rows);
    expect(sizes.reduce((sum, rows) => sum + rows, 0)).toBe(1003);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    const means = groups.map((group) => group.meanPredicted);
    expect(means).toEqual([...means].sort((a, b) => a - b));
  });

  test('have the mean of their rows, as a plain sort finds it', () => {
    const rows = [...predicted.keys()].sort((a, b) => predicted[a] - predicted[b]);
    const [lowest] = calibrationGroups(actual, predicted);
    const kept = rows.slice(0, lowest.rows);
    expect(lowest.meanPredicted).toBeCloseTo(kept.reduce((sum, row) => sum + predicted[row], 0) / kept.length, 8);
    expect(lowest.meanActual.value).toBeCloseTo(kept.reduce((sum, row) => sum + actual[row], 0) / kept.length, 8);
  });

  // the table of Student's t, 97.5 %: 2.2281 at 10 degrees, 2.0010 at 59, 1.9842 at 99
  test.each([
    [11, 2.2281, 0.003],
    [60, 2.001, 0.0005],
    [100, 1.9842, 0.0005],
  ])('have intervals after Student for %i rows', (rows, critical, tolerance) => {
    const values = Float64Array.from({ length: rows }, (_, row) => row);
    const [{ meanActual }] = calibrationGroups(values, new Float64Array(rows), 1);
    const mean = (rows - 1) / 2;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows - 1));
    const reach = (meanActual.high - meanActual.value) / (deviation / Math.sqrt(rows));
    expect(Math.abs(reach - critical)).toBeLessThan(tolerance);
  });

  test('are fewer where they would be small, and none below 11 rows', () => {
    const of = (rows: number) =>
      calibrationGroups(new Float64Array(rows), new Float64Array(rows)).map((group) => group.rows);
    expect(of(10)).toEqual([]);
    expect(of(11)).toEqual([11]);
    expect(of(40)).toEqual([13, 14, 13]);
  });

  test('spread their residuals as quantiles, and half of all rows are within the median error', () => {
    const { groups, medianAbsolute } = residualGroups(actual, predicted);
    expect(groups).toHaveLength(10);
    for (const { p10, p25, p50, p75, p90 } of groups) {
      const spread = [p10, p25, p50, p75, p90];
      expect(spread).toEqual([...spread].sort((a, b) => a - b));
    }
    const within = actual.filter((value, row) => Math.abs(value - predicted[row]) <= medianAbsolute).length;
    expect(Math.abs(within - 1003 / 2)).toBeLessThanOrEqual(1);
  });
});

describe('histograms', () => {
  test('lose no row and hold no small bin', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const bins = histogram(values);
        const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
        expect(rows).toBe(values.length < 11 ? 0 : values.length);
        for (const bin of bins) expect(bin.rows === 0 || bin.rows >= 11).toBe(true);
        bins.slice(1).forEach((bin, b) => expect(bin.from).toBe(bins[b].to));
      }),
    );
  });

  test('say what their ends hold', () => {
    const values = Array.from({ length: 2000 }, (_, i) => 20 + (i % 50));
    const labels = histogram(values, 'years', 5).map((bin) => bin.label);
    expect(labels[0]).toBe('< 30\u00a0years');
    expect(labels[1]).toBe('30\u00a0years – 40\u00a0years');
    expect(labels.at(-1)).toBe('≥ 60\u00a0years');
  });

  test('count a value on an edge to the bin above', () => {
    const values = [...Array(50).fill(0), ...Array(30).fill(10), ...Array(20).fill(20)] as number[];
    const bins = histogram(values, '', 2);
    expect(bins.map(({ from, rows }) => [from, rows])).toEqual([
      [0, 50],
      [10, 50],
    ]);
  });

  test('of equal values are one bin', () => {
    expect(histogram(Array(20).fill(7) as number[]).map((bin) => bin.rows)).toEqual([20]);
  });

  test('over two samples are shares of each, and small in neither', () => {
    fc.assert(
      fc.property(numbers, numbers, (reference, analysis) => {
        const bins = overlay(reference, analysis);
        const total = (key: 'referenceShare' | 'analysisShare') => bins.reduce((sum, bin) => sum + bin[key], 0);
        const totals = [total('referenceShare'), total('analysisShare')];
        expect(totals.every((sum) => sum === 0 || Math.abs(sum - 1) < 1e-9)).toBe(true);
        const rows = bins.flatMap((bin) => [
          bin.referenceShare * reference.length,
          bin.analysisShare * analysis.length,
        ]);
        expect(rows.filter((count) => count > 1e-6 && count < 11 - 1e-6)).toEqual([]);
      }),
    );
  });
});

describe('levels of a category', () => {
  test('stand by frequency, rare ones as one', () => {
    expect(levels({ yes: 40, no: 300, maybe: 3, never: 9 })).toEqual([
      { label: 'no', rows: 300 },
      { label: 'yes', rows: 40 },
      { label: 'other (2)', rows: 12 },
    ]);
  });

  test('rare ones that stay small together take the next one with them', () => {
    expect(levels({ yes: 40, no: 300, maybe: 3 })).toEqual([
      { label: 'no', rows: 300 },
      { label: 'other (2)', rows: 43 },
    ]);
    expect(levels({ maybe: 3 })).toEqual([]);
  });

  test('are compared as shares, also those that only one sample has', () => {
    expect(overlayLevels({ yes: 50, no: 150 }, { no: 60, new: 20 })).toEqual([
      { label: 'no', referenceShare: 0.75, analysisShare: 0.75 },
      { label: 'yes', referenceShare: 0.25, analysisShare: 0 },
      { label: 'new', referenceShare: 0, analysisShare: 0.25 },
    ]);
  });
});

describe('a beeswarm', () => {
  const { matrix, shap } = samplePolicies(5, 2000);
  const { features, baseValue } = explain(matrix, shap);

  test('has features by falling mean |SHAP|, as a plain mean finds it', () => {
    const naive = matrix.names.map((name, c) => {
      let sum = 0;
      for (let row = 0; row < matrix.rows; row++) sum += Math.abs(shap[row * 7 + c]);
      return [name, sum / matrix.rows] as const;
    });
    const expected = naive.sort((a, b) => b[1] - a[1]);
    expect(features.map(({ name, meanAbsolute }) => [name, meanAbsolute])).toEqual(expected);
    expect(baseValue).toBe(5100);
  });

  test('stands every mark for 11 rows or more', () => {
    for (const { marks } of features) {
      expect(marks!.length).toBeGreaterThan(100);
      expect(marks!.length * 11).toBeLessThanOrEqual(2000);
    }
  });

  test('keeps the way of an effect: high age raises, low age lowers', () => {
    const { marks } = features.find(({ name }) => name === 'age')!;
    const raised = marks!.filter(([contribution]) => contribution > 500).map(([, rank]) => rank!);
    const lowered = marks!.filter(([contribution]) => contribution < -500).map(([, rank]) => rank!);
    expect(Math.min(...raised)).toBeGreaterThan(Math.max(...lowered));
  });

  test('colours two levels as low and high, and more levels not at all', () => {
    const ranks = (name: string) =>
      new Set(features.find((feature) => feature.name === name)!.marks!.map(([, rank]) => rank));
    expect(ranks('region')).toEqual(new Set([null]));
    const smoker = features.find(({ name }) => name === 'smoker')!.marks!;
    expect(smoker.filter(([contribution]) => contribution > 1000).every(([, rank]) => rank === 1)).toBe(true);
    expect(smoker.filter(([contribution]) => contribution < 0).every(([, rank]) => rank === 0)).toBe(true);
  });

  test('never has a mark of fewer rows, whatever the contributions', () => {
    const draw = random(11);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 60 }), (rows, different) => {
        const contributions = Float64Array.from({ length: rows }, () => draw.integer(different) ** 2);
        const values = Float64Array.from({ length: rows }, () => (draw.uniform() < 0.2 ? NaN : draw.integer(5)));
        const marks = swarmMarks(contributions, values, 400);
        expect(marks.length * 11).toBeLessThanOrEqual(rows);
        expect(marks.length > 0).toBe(rows >= 11);
        const [low, high] = [Math.min(...contributions), Math.max(...contributions)];
        expect(
          marks.every(
            ([at, rank]) => at >= low - 1e-3 && at <= high + 1e-3 && (rank === null || (rank >= 0 && rank <= 1)),
          ),
        ).toBe(true);
      }),
    );
  });
});

describe('a typical case', () => {
  const { matrix, shap, predicted } = samplePolicies(6, 800);
  const smokers = [...Array(800).keys()].filter((row) => matrix.values[3 * 800 + row] === 1);

  test('adds up to the mean prediction of its group', () => {
    const { prediction, contributions, rows } = typicalCase(matrix, shap, smokers, 'smoker');
    expect(rows).toBe(smokers.length);
    expect(prediction).toBeCloseTo(smokers.reduce((sum, row) => sum + predicted[row], 0) / rows, 6);
    expect(5100 + contributions.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(prediction, 6);
  });

  test('names medians with their unit and the commonest level', () => {
    const words = { age: { unit: 'years' }, smoker: { levels: ['no', 'yes'] } };
    const { contributions } = typicalCase(matrix, shap, smokers, 'smoker', words);
    expect(contributions.find(({ feature }) => feature === 'age')!.value).toMatch(/^\d\d(\.5)?\u00a0years$/);
    expect(contributions.find(({ feature }) => feature === 'smoker')!.value).toBe('yes');
  });

  test('is refused for a group that could be recognised', () => {
    expect(() => typicalCase(matrix, shap, smokers.slice(0, 10), 'smoker')).toThrow(
      '"smoker" has 10: choose a wider group',
    );
  });
});
