import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expected } from '../ml/metrics/fixture.ts';
import { csvOf, runCli, runJson, scratch } from './run-cli.ts';

type Estimate = { value: number; low: number; high: number };
type Group = { group: string; rows: number; actualOverExpected: Estimate };
type Evaluated = {
  kind: string;
  leftOutRows: number;
  metrics: { name: string; estimate: Estimate; ofConstant: number }[];
  actuarial: null | {
    gini: { value: Estimate; standardError: number };
    balance: Estimate;
    murphy: Record<string, number>;
    byPrediction: Group[];
    byColumn: { column: string; groups: Group[] }[];
  };
};
const valuesOf = ({ metrics }: Evaluated) =>
  Object.fromEntries(metrics.map(({ name, estimate }) => [name, estimate.value]));

const { rows } = expected;
const judge = ['--label', 'actual', '--prediction', 'predicted', '--resamples', '100'];

describe('a regression', () => {
  const data = csvOf({ actual: rows.actual, predicted: rows.predicted, exposure: rows.exposure });

  test('has scikit-learn’s R², MAE and RMSE, plain and weighted', async () => {
    const file = scratch()('scored.csv', data);
    const plain = await runJson<Evaluated>('evaluate', file, ...judge);
    expect(plain.kind).toBe('regression');
    const weighted = await runJson<Evaluated>('evaluate', file, ...judge, '--weights', 'exposure');
    for (const [told, from] of [
      [plain, expected.regression.plain],
      [weighted, expected.regression.weighted],
    ] as const) {
      const { r2, mae, rmse } = valuesOf(told);
      expect(r2).toBeCloseTo(from.r2, 10);
      expect(mae / from.mae).toBeCloseTo(1, 10);
      expect(rmse / from.rmse).toBeCloseTo(1, 10);
    }
    for (const { estimate } of plain.metrics) {
      expect(estimate.low).toBeLessThanOrEqual(estimate.value);
      expect(estimate.high).toBeGreaterThanOrEqual(estimate.value);
    }
  });

  test('rows without label or prediction are left out and said to be', async () => {
    const file = scratch()('scored.csv', 'actual,predicted\n1,1\n2,\n,3\n4,5\n');
    const { code, err } = await runCli('evaluate', file, ...judge);
    expect(code).toBe(0);
    expect(err).toContain('2 of 4 rows');
    expect((await runJson<Evaluated>('evaluate', file, ...judge)).leftOutRows).toBe(2);
  });
});

describe('totals over exposure', () => {
  const total = (rates: number[]) => rates.map((rate, row) => rate * rows.exposure[row]);
  const severe = { actual: total(rows.severity), predicted: total(rows.predicted) };
  const data = csvOf({ ...severe, exposure: rows.exposure, level: rows.level });
  const argv = [...judge, '--exposure', 'exposure'];

  test('are judged as rates: Gini, Gamma deviance, D² and the Murphy decomposition of other implementations', async () => {
    const told = await runJson<Evaluated>('evaluate', scratch()('scored.csv', data), ...argv);
    const { deviance, d2 } = valuesOf(told);
    expect(deviance / expected.deviances.gamma.weighted).toBeCloseTo(1, 10);
    expect(d2).toBeCloseTo(expected.deviances.gamma.d2Weighted, 10);
    expect(told.actuarial!.byPrediction.length).toBe(10);
  });

  test('some of which are zero take the Tweedie family, and A/E agrees with a Poisson GLM with offset', async () => {
    const zeros = csvOf({
      actual: total(rows.actual),
      predicted: total(rows.predicted),
      exposure: rows.exposure,
      level: rows.level,
    });
    const told = await runJson<Evaluated>('evaluate', scratch()('scored.csv', zeros), ...argv, '--by', 'level');
    expect(valuesOf(told).deviance / expected.deviances.tweedie.weighted).toBeCloseTo(1, 10);
    expect(valuesOf(told).gini).toBeCloseTo(expected.gini.exposure.gini, 10);
    expect(told.actuarial!.gini.standardError).toBeCloseTo(expected.gini.exposure.standardError, 10);
    const [{ column, groups }] = told.actuarial!.byColumn;
    expect(column).toBe('level');
    for (const { group, actualOverExpected } of groups) {
      const oracle = expected.actualOverExpected[group as 'north' | 'south' | 'west'];
      for (const side of ['value', 'low', 'high'] as const)
        expect(actualOverExpected[side]).toBeCloseTo(oracle[side], 7);
    }
    expect(told.actuarial!.balance.low).toBeCloseTo(expected.actualOverExpected.all.low, 7);
  });

  test('whole numbers over exposure are counts, with the Poisson deviance', async () => {
    const counts = csvOf({
      actual: [0, 1, 0, 2, 1, 0],
      predicted: [0.2, 0.8, 0.4, 1.5, 0.9, 0.1],
      years: [1, 1, 0.5, 2, 1, 0.2],
    });
    const { out, err } = await runCli('evaluate', scratch()('scored.csv', counts), ...judge, '--exposure', 'years');
    expect(err).toContain('judged as count');
    for (const word of ['Poisson deviance', 'A/E', 'lift', 'constant']) expect(out).toContain(word);
  });

  test('predictions of zero leave the deviances out, and say so', async () => {
    const file = scratch()('scored.csv', 'actual,predicted,years\n0,0,1\n1,1,1\n2,1,2\n');
    const { code, err } = await runCli('evaluate', file, ...judge, '--exposure', 'years');
    expect(code).toBe(0);
    expect(err).toContain('predictions above 0');
  });
});

describe('a classification', () => {
  type Fixture = { threshold: number; actual: number[]; predicted: number[]; weight: number[] } & Record<
    'plain' | 'weighted',
    Record<string, number>
  >;
  const fixture = JSON.parse(
    readFileSync(new URL('../fixtures/metrics/classification.json', import.meta.url), 'utf8'),
  ) as Fixture;
  const { actual, predicted, weight, threshold } = fixture;
  const names = {
    rocAuc: 'roc_auc',
    averagePrecision: 'average_precision',
    logLoss: 'log_loss',
    brier: 'brier',
    accuracy: 'accuracy',
    precision: 'precision',
    recall: 'recall',
    f1: 'f1',
    kappa: 'kappa',
    matthews: 'matthews',
  };

  test.each([
    ['plain', []],
    ['weighted', ['--weights', 'weight']],
  ] as const)('has scikit-learn’s figures, %s', async (kind, more) => {
    const file = scratch()('scored.csv', csvOf({ actual, predicted, weight }));
    const told = await runJson<Evaluated>('evaluate', file, ...judge, '--threshold', String(threshold), ...more);
    expect(told.kind).toBe('classification');
    for (const [theirs, ours] of Object.entries(names))
      expect(valuesOf(told)[ours]).toBeCloseTo(fixture[kind][theirs], 10);
  });

  test('of texts needs to know which one counts as 1', async () => {
    const file = scratch()('scored.csv', csvOf({ actual: actual.map((y) => (y === 1 ? 'yes' : 'no')), predicted }));
    expect((await runCli('evaluate', file, ...judge)).err).toContain('--positive');
    const told = await runJson<Evaluated>('evaluate', file, ...judge, '--positive', 'yes');
    expect(valuesOf(told)['roc_auc']).toBeCloseTo(fixture.plain['rocAuc'], 10);
  });

  test('a constant is printed beside: no ranking, and the entropy of the label', async () => {
    const file = scratch()('scored.csv', csvOf({ actual, predicted }));
    const { metrics } = await runJson<Evaluated>('evaluate', file, ...judge);
    const constant = Object.fromEntries(metrics.map(({ name, ofConstant }) => [name, ofConstant]));
    const share = actual.reduce((sum, y) => sum + y, 0) / actual.length;
    expect(constant['roc_auc']).toBe(0.5);
    expect(constant['log_loss']).toBeCloseTo(-share * Math.log(share) - (1 - share) * Math.log(1 - share), 12);
  });
});

test.each([
  ['a missing column', ['--label', 'actul', '--prediction', 'p'], 'Did you mean "actual"?'],
  ['no label', ['--prediction', 'p'], '--label is missing'],
  [
    'probabilities that are none',
    ['--label', 'actual', '--prediction', 'p', '--kind', 'classification'],
    'outside 0 to 1',
  ],
  ['exposure of zero', ['--label', 'actual', '--prediction', 'p', '--exposure', 'years'], 'row 2'],
  ['an unknown kind', ['--label', 'actual', '--prediction', 'p', '--kind', 'clusters'], '--kind takes auto'],
  ['--by without rates', ['--label', 'actual', '--prediction', 'p', '--by', 'actual'], 'needs --exposure'],
])('%s is refused with exit code 2', async (_, argv, message) => {
  const file = scratch()('scored.csv', 'actual,p,years\n0,0.1,1\n1,2,0\n');
  const { code, out, err } = await runCli('evaluate', file, ...argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
});
