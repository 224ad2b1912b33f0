import { describe, expect, test } from 'vitest';
import {
  compareWithChampion,
  type ComparisonCriteria,
  type ComparisonData,
} from '../../src/governance/champion-challenger.ts';
import { imbalance } from '../../src/governance/imbalance.ts';
import { mae } from '../../src/ml/metrics/regression.ts';
import { random } from '../../src/ml/random.ts';

const rows = 600;
const criteria: ComparisonCriteria = {
  metric: 'mae',
  minimumUsefulEffect: 20,
  calibrationMetric: 'imbalance',
  calibrationMargin: 0.02,
  groupMetric: 'mae',
  groupMargin: 0.1,
  minGroupRows: 50,
  confidence: 0.95,
  resamples: 300,
  seed: 7,
  testDigest: 'b'.repeat(64),
  testRows: rows,
};

const codes = Int32Array.from({ length: rows }, (_, row) => (row < 10 ? 2 : row % 2));
const draw = random('champion and challenger');
const actual = Float64Array.from({ length: rows }, () => 5000 + draw.normal(0, 2000));
const noise = Float64Array.from({ length: rows }, () => draw.normal(0, 400));
/** The truth plus so many standard errors of the same noise. */
const model = (scale: number, bias = (_row: number) => 0) =>
  actual.map((truth, row) => truth + scale * noise[row] + bias(row));

const compare = (champion: Float64Array, challenger: Float64Array, changed: Partial<ComparisonCriteria> = {}) => {
  const data: ComparisonData = {
    actual,
    champion,
    challenger,
    metrics: { mae: { metric: mae, better: 'lower' }, imbalance: { metric: imbalance, better: 'lower' } },
    groups: { region: { names: ['north', 'south', 'west'], codes } },
  };
  return compareWithChampion({ ...criteria, ...changed }, data);
};
const failed = ({ checks }: ReturnType<typeof compare>) => checks.filter((c) => !c.passed).map(({ name }) => name);

describe('a challenger is promoted', () => {
  test('when it is better for sure and usefully so, and the reason says by how much', () => {
    const result = compare(model(1), model(0.7));
    expect(result.promote).toBe(true);
    const { improvement, champion, challenger } = result.metrics[0];
    expect(improvement.value).toBeCloseTo(mae(actual, model(1)) - mae(actual, model(0.7)), 8);
    expect(champion.value - challenger.value).toBeCloseTo(improvement.value, 8);
    expect(improvement.low).toBeGreaterThan(0);
    expect(result.reason).toMatch(
      /^Better than the champion\. Mean absolute error goes from [\d.]+ to [\d.]+ on 600 frozen test rows/,
    );
  });
});

describe('a challenger is refused', () => {
  test('when it is the champion', () => {
    const result = compare(model(1), model(1));
    expect(failed(result)).toEqual(['beatsChampion']);
    expect(result.reason).toContain('does not lie above zero');
  });

  test('when it is worse', () => {
    expect(failed(compare(model(0.7), model(1)))).toContain('beatsChampion');
  });

  test('when the gain is certain but not worth a change', () => {
    const result = compare(model(1), model(0.97));
    expect(result.metrics[0].improvement.low).toBeGreaterThan(0);
    expect(failed(result)).toEqual(['beatsChampion']);
    expect(result.reason).toContain('less than the 20 that a change is worth');
  });

  test('when it buys accuracy with calibration', () => {
    const result = compare(
      model(1),
      model(0.2, () => 150),
    );
    expect(failed(result)).toEqual(['calibrationNotWorse']);
  });

  test('when one group pays for the others', () => {
    const result = compare(
      model(1),
      model(0.3, (row) => (codes[row] === 1 ? (row % 4 === 1 ? 400 : -400) : 0)),
    );
    expect(failed(result)).toEqual(['groupsNotWorse']);
    expect(result.reason).toContain('region = south (295 rows)');
    expect(result.groups.map(({ group, passed }) => [group, passed])).toEqual([
      ['north', true],
      ['south', false],
    ]);
  });
});

test('groups that are too small are not judged, and named', () => {
  const result = compare(model(1), model(0.7));
  expect(result.suppressedGroups).toEqual(['region = west (10 rows)']);
  expect(result.checks.find(({ name }) => name === 'groupsNotWorse')?.evidence.text).toContain('west (10 rows)');
});

test('the same criteria give the same comparison', () => {
  expect(compare(model(1), model(0.9))).toEqual(compare(model(1), model(0.9)));
});

test('another test set than the declared one is refused', () => {
  expect(() => compare(model(1), model(0.7), { testRows: 500 })).toThrow('declared for a test set of 500 rows');
  expect(() => compare(model(1), model(0.7), { calibrationMetric: 'brier' })).toThrow('name the metric brier');
});

test('a metric may hold both against another truth than the labels, in groups too', () => {
  // by the labels the challenger is the worse one, by the other truth the better one
  const other = actual.map((truth) => truth + 1000);
  const [champion, challenger] = [model(1), model(1, () => 900)];
  const criteriaOfOther = { ...criteria, metric: 'other', groupMetric: 'other' };
  const { metrics, groups } = compareWithChampion(criteriaOfOther, {
    actual,
    champion,
    challenger,
    metrics: {
      other: { metric: mae, better: 'lower', actual: other },
      imbalance: { metric: imbalance, better: 'lower' },
    },
    groups: { region: { names: ['north', 'south', 'west'], codes } },
  });
  expect(metrics[0].champion.value).toBeCloseTo(mae(other, champion), 8);
  expect(metrics[0].challenger.value).toBeCloseTo(mae(other, challenger), 8);
  expect(metrics[0].improvement.low).toBeGreaterThan(0);
  expect(metrics[1].challenger.value).toBeCloseTo(imbalance(actual, challenger), 8);
  const north = Uint32Array.from(codes.keys()).filter((row) => codes[row] === 0);
  const of = (values: Float64Array) => Float64Array.from(north, (row) => values[row]);
  expect(groups.find(({ group }) => group === 'north')!.champion.value).toBeCloseTo(mae(of(other), of(champion)), 8);
});
