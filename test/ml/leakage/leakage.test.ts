import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkLeakage } from '../../../src/ml/leakage/check.ts';
import { correlation, rankCorrelation } from '../../../src/ml/leakage/correlation.ts';
import { applyDesign, fitDesign } from '../../../src/ml/encoders/design.ts';
import { labelDerivedFeatures } from '../../../src/ml/leakage/label-derived.ts';
import { postEventFeatures } from '../../../src/ml/leakage/post-event.ts';
import { singleFeatureR2 } from '../../../src/ml/leakage/single-feature-tree.ts';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';

const fixture = JSON.parse(readFileSync(new URL('../../fixtures/leakage/leakage.json', import.meta.url), 'utf8')) as {
  label: number[];
  features: { name: string; values: number[]; pearson: number; spearman: number; treeR2: number }[];
};

describe.each(fixture.features)('feature "$name"', ({ values, pearson, spearman, treeR2 }) => {
  const label = Float64Array.from(fixture.label);
  const feature = Float64Array.from(values);

  test('has the correlations of scipy', () => {
    expect(correlation(feature, label)).toBeCloseTo(pearson, 9);
    expect(rankCorrelation(feature, label)).toBeCloseTo(spearman, 9);
  });

  test('has the tree R² of scikit-learn', () => {
    expect(singleFeatureR2(feature, label, { leaves: 16 })).toBeCloseTo(treeR2, 9);
  });
});

test('rows where the feature is missing form a leaf of their own', () => {
  const label = Float64Array.from({ length: 100 }, (_, i) => (i % 4 < 2 ? 10 : 20));
  const feature = label.map((value) => (value === 10 ? NaN : 1));
  expect(singleFeatureR2(feature, label)).toBe(1);
  expect(correlation(feature, label)).toBeNaN();
});

/** 600 policies with honest features; the checks must let them pass. */
function honest(): { matrix: (more?: Record<string, Float64Array>) => Matrix; label: Float64Array } {
  const stream = random(99);
  const rows = 600;
  const age = Float64Array.from({ length: rows }, () => 18 + stream.integer(60));
  const smoker = Float64Array.from({ length: rows }, () => Number(stream.uniform() < 0.2));
  const bmi = Float64Array.from({ length: rows }, () => stream.normal(28, 6));
  const label = age.map((years, i) => (100 + years * 60) * (1 + 1.5 * smoker[i]) * Math.exp(stream.normal(0, 0.25)));
  return {
    label,
    matrix(more = {}) {
      const columns = { age, smoker, bmi, ...more };
      return {
        rows,
        columns: Object.keys(columns).length,
        names: Object.keys(columns),
        values: Float64Array.from(Object.values(columns).flatMap((values) => Array.from(values))),
      };
    },
  };
}

describe('checks before training', () => {
  const { matrix, label } = honest();
  const split = {
    train: Array.from({ length: 480 }, (_, i) => i),
    test: Array.from({ length: 120 }, (_, i) => 480 + i),
  };
  const found = (more: Record<string, Float64Array>) =>
    checkLeakage({ features: matrix(more), label, split }).map(({ check, feature }) => ({ check, feature }));

  test('find nothing in honest features', () => {
    expect(checkLeakage({ features: matrix(), label, split, postEventColumns: ['charges', 'paid'] })).toEqual([]);
  });

  test('find the label in another unit, on a log scale, and where it only fills gaps', () => {
    const formula = label.map((_, i) => i);
    expect(found({ cents: label.map((value) => Math.round(value * 100)) })).toEqual([
      { check: 'label-derived', feature: 'cents' },
    ]);
    expect(found({ log: label.map((value) => -Math.log(value)) })).toEqual([
      { check: 'label-derived', feature: 'log' },
    ]);
    const coalesce = label.map((value, i) => (i % 3 === 0 ? formula[i] : value));
    expect(found({ coalesce })).toContainEqual({ check: 'label-derived', feature: 'coalesce' });
  });

  test('find a nearly perfect feature that is not monotone in the label', () => {
    const stream = random(3);
    const valley = label.map((value) => Math.abs(Math.log(value) - 8.1) * (1 + stream.normal(0, 0.001)));
    const signed = label.map((value, i) => (value > Math.exp(8.1) ? 100 + valley[i] : valley[i]));
    expect(found({ signed })).toEqual([{ check: 'near-perfect-feature', feature: 'signed' }]);
  });

  test('find identifiers that follow the order of arrival, as numbers or as time', () => {
    const serial = label.map((_, i) => 1_000_000 + i);
    expect(found({ serial })).toEqual([{ check: 'order-identifier', feature: 'serial' }]);
    const shuffled = random(1).shuffle(serial.slice());
    expect(found({ shuffled })).toEqual([]);
    const byTime = checkLeakage({ features: matrix({ shuffled }), label, eventTime: shuffled.map((v) => v * 1000) });
    expect(byTime.map(({ check }) => check)).toEqual(['order-identifier']);
  });

  test('find rows that stand on both sides of the split, above the limit', () => {
    const features = matrix();
    const overlapping = { train: split.train, test: [...split.test, 1, 2, 3, 4] };
    const [finding] = checkLeakage({ features, label, split: overlapping });
    expect(finding.check).toBe('duplicated-rows');
    expect(finding.evidence).toEqual({ duplicates: 4, testRows: 124, share: 4 / 124, maxShare: 0.01 });
    expect(checkLeakage({ features, label, split: overlapping, limits: { maxDuplicateShare: 0.05 } })).toEqual([]);
  });

  test('do not take different people who are alike in all their classes for one', () => {
    const stream = random(8);
    const classes = (count: number) => label.map(() => stream.integer(count));
    const features = matrix({ region: classes(4), band: classes(5), group: classes(3) });
    const score = classes(4);
    const rows = Array.from(label.keys());
    const split = { train: rows.filter((row) => row % 5 > 0), test: rows.filter((row) => row % 5 === 0) };
    expect(checkLeakage({ features, label: score, split })).toEqual([]);
    // a label that is measured tells them apart again
    const copied = { train: rows, test: split.test };
    expect(checkLeakage({ features, label, split: copied }).map(({ check }) => check)).toEqual(['duplicated-rows']);
  });

  test('find fields declared as known after the event, encoded ones too', () => {
    const findings = postEventFeatures(['age', 'status=paid', 'statuses'], ['status']);
    expect(findings.map(({ feature, evidence }) => ({ feature, evidence }))).toEqual([
      { feature: 'status=paid', evidence: { column: 'status' } },
    ]);
  });

  test('do not take zeros that meet zeros, or two flags that often agree, for the label', () => {
    const stream = random(6);
    const cost = label.map((value) => (stream.uniform() < 0.8 ? 0 : value));
    const priorCost = label.map((value, i) => (cost[i] === 0 || stream.uniform() < 0.5 ? 0 : value * stream.uniform()));
    const features = matrix({ priorCost });
    expect(checkLeakage({ features, label: cost }).map(({ check }) => check)).not.toContain('label-derived');
    const claimed = cost.map((value) => Number(value > 0));
    const flagged = claimed.map((value) => (stream.uniform() < 0.1 ? 1 - value : value));
    expect(checkLeakage({ features: matrix({ flagged }), label: claimed })).toEqual([]);
  });

  test('find a score of few values that is copied into part of the rows, by what chance does not explain', () => {
    const stream = random(12);
    const score = label.map(() => [0, 0, 0, 15, 25, 40, 65][stream.integer(7)]);
    const copied = (share: number) => score.map((value) => (stream.uniform() < share ? value : 20 * stream.integer(6)));
    const derived = (values: Float64Array, of = score) =>
      labelDerivedFeatures(matrix({ values }), of).map(({ feature }) => feature);
    expect(derived(copied(0.7))).toEqual(['values']);
    expect(derived(copied(0.3))).toEqual([]);
    // as often the same number as a copy, but only because nearly all rows have that one
    const rare = label.map((_, i) => (i % 10 === 0 ? stream.integer(8) : 3));
    expect(
      derived(
        rare.map((value) => (value === 3 ? 3 : stream.integer(8))),
        rare,
      ),
    ).toEqual([]);
    expect(derived(random(2).shuffle(score.slice()))).toEqual([]);
  });

  test('say what share is copied, whatever the rest meets by chance', () => {
    const stream = random(14);
    const score = Float64Array.from({ length: 20_000 }, () => [0, 0, 0, 0, 15, 15, 15, 25, 40, 65][stream.integer(10)]);
    const others = stream.shuffle(score.filter((value) => value > 0));
    let next = 0;
    const values = score.map((value) => (value === 0 || stream.uniform() < 0.6 ? value : others[next++]));
    const features: Matrix = { rows: score.length, columns: 1, names: ['values'], values };
    const [{ evidence }] = labelDerivedFeatures(features, score);
    expect(evidence['equalShare']).toBeCloseTo(0.6, 1);
  });

  test('give evidence without row values', () => {
    const [finding] = checkLeakage({ features: matrix({ copy: label }), label });
    expect(finding.evidence).toEqual({
      equalShare: 1,
      maxEqualShare: 0.5,
      absoluteRankCorrelation: expect.closeTo(1, 9) as number,
      maxRankCorrelation: 0.999,
    });
  });
});

const medicalCost = new URL('../../../../shared/data/A_medical_cost/insurance.csv', import.meta.url);
const isPresent = existsSync(medicalCost);
if (!isPresent) console.warn('Not run: the leakage check of the public data needs ../shared/data/A_medical_cost.');

test.skipIf(!isPresent)('the public medical cost data leaks nothing (needs ../shared/data/A_medical_cost)', () => {
  const [header, ...lines] = readFileSync(medicalCost, 'utf8').trim().split(/\r?\n/);
  const cells = lines.map((line) => line.split(','));
  const columns = Object.fromEntries(header.split(',').map((name, i) => [name, cells.map((row) => row[i])]));
  const numeric = Object.fromEntries(
    ['age', 'bmi', 'children', 'charges'].map((name) => [name, columns[name].map(Number)]),
  );
  const rows = { ...columns, ...numeric };
  const design = fitDesign(rows, [
    ...['age', 'bmi', 'children'].map((name) => ({ column: name, as: 'number' as const })),
    ...['sex', 'smoker', 'region'].map((name) => ({ column: name, as: 'ordinal' as const })),
  ]);
  const split = {
    train: Array.from({ length: 1070 }, (_, i) => i),
    test: Array.from({ length: 268 }, (_, i) => 1070 + i),
  };
  const label = Float64Array.from(numeric.charges);
  expect(label).toHaveLength(1338);
  expect(checkLeakage({ features: applyDesign(design, rows), label, split })).toEqual([]);
  const leaking = fitDesign(rows, [{ column: 'charges', as: 'number' }]);
  expect(checkLeakage({ features: applyDesign(leaking, rows), label }).map(({ check }) => check)).toEqual([
    'label-derived',
  ]);
});
