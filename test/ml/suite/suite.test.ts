import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../src/ml/ensure.ts';
import { mae } from '../../../src/ml/metrics/regression.ts';
import { random } from '../../../src/ml/random.ts';
import { suggestFamily } from '../../../src/ml/suite/actuarial.ts';
import { evaluatePredictions, kindOf, ratesOf, withoutRoundingError } from '../../../src/ml/suite/evaluate.ts';
import { pinballLoss, quantileSuite, shareAtOrBelow } from '../../../src/ml/suite/quantile.ts';
import { regressionSuite } from '../../../src/ml/suite/regression.ts';
import { evaluateSuite } from '../../../src/ml/suite/suite.ts';

const of = (...values: number[]) => Float64Array.of(...values);

describe('the best constant beside every metric', () => {
  const r = random('suite');
  const actual = Float64Array.from({ length: 31 }, () => r.gamma(2, 5));
  const weight = Float64Array.from({ length: 31 }, () => 0.2 + r.uniform());
  const results = evaluateSuite(regressionSuite, actual, actual, { seed: 1, resamples: 5, weight });

  const withLoss = results.filter(({ better }) => better === 'lower');
  test.each(withLoss)('$name: no constant on a grid is better', (result) => {
    const { metric } = regressionSuite[result.name];
    for (let constant = 0; constant < 30; constant += 0.01) {
      const value = metric(actual, new Float64Array(31).fill(constant), weight);
      expect(value).toBeGreaterThanOrEqual(result.ofConstant - 1e-12);
    }
  });

  test('perfect predictions have no error and all of the spread', () => {
    const value = (name: string) => results.find((result) => result.name === name)!.estimate.value;
    expect([value('r2'), value('mae'), value('rmse'), value('mean_error')]).toEqual([1, 0, 0, 0]);
  });
});

describe('what the values suggest', () => {
  test('classes, counts and amounts are told apart', () => {
    expect(kindOf({ actual: of(0, 1), predicted: of(0.2, 0.9) })).toBe('classification');
    expect(kindOf({ actual: of(0, 1), predicted: of(0.2, 1.1) })).toBe('regression');
    expect(kindOf({ actual: of(0, 1), predicted: of(0.2, 0.9), exposure: of(1, 1) })).toBe('count');
    expect(kindOf({ actual: of(0, 1.5), predicted: of(0.2, 0.9), exposure: of(1, 1) })).toBe('regression');
  });

  test('the family fits the label, and there is none for what has no likelihood', () => {
    expect(suggestFamily(of(0, 2), of(1, 1), true)).toBe('poisson');
    expect(suggestFamily(of(3, 2), of(1, 1), false)).toBe('gamma');
    expect(suggestFamily(of(0, 2), of(1, 1), false)).toEqual({ tweedie: 1.5 });
    expect(suggestFamily(of(-1, 2), of(1, 1), false)).toBeNull();
    expect(suggestFamily(of(1, 2), of(1, 0), false)).toBeNull();
  });

  test('a class has no exposure', () => {
    const rows = { actual: of(0, 1), predicted: of(0.2, 0.9), exposure: of(1, 1) };
    expect(() => evaluatePredictions(rows, { kind: 'classification', seed: 1 })).toThrow(ArgumentError);
  });
});

describe('a quantile', () => {
  const r = random('quantile');
  const actual = Float64Array.from({ length: 99 }, () => r.gamma(2, 5));

  test('no constant on a grid has a lower pinball loss than the quantile of the rows', () => {
    const loss = pinballLoss(0.8);
    const [{ ofConstant }] = evaluateSuite(quantileSuite(0.8), actual, actual, { seed: 1, resamples: 5 });
    for (let constant = 0; constant < 60; constant += 0.01) {
      expect(loss(actual, new Float64Array(99).fill(constant))).toBeGreaterThanOrEqual(ofConstant - 1e-12);
    }
  });

  test('half the absolute error is the pinball loss of the median', () => {
    const predicted = actual.map((value) => value + r.normal());
    expect(2 * pinballLoss(0.5)(actual, predicted)).toBeCloseTo(mae(actual, predicted), 12);
    expect(shareAtOrBelow(actual, actual)).toBe(1);
  });
});

describe('rates', () => {
  test('that were equal are equal again after a trip through totals', () => {
    const exposure = Float64Array.from({ length: 1000 }, (_, i) => (i + 1) / 700);
    const predicted = exposure.map((years) => 0.1 * years);
    expect(new Set(predicted.map((total, i) => total / exposure[i])).size).toBeGreaterThan(1);
    const rates = ratesOf({ actual: predicted, predicted }, exposure);
    expect(new Set(rates.predicted)).toEqual(new Set([0.1]));
  });

  test('scaled exposure changes the level and no ratio', () => {
    const r = random('rates');
    const exposure = Float64Array.from({ length: 60 }, () => 0.1 + r.uniform());
    const predicted = exposure.map((years) => years * (0.5 + r.uniform()));
    const actual = predicted.map((mean) => r.poisson(mean));
    const evaluate = (unit: number) =>
      evaluatePredictions(
        { actual, predicted, exposure: exposure.map((years) => years * unit) },
        { kind: 'count', seed: 1, resamples: 5 },
      );
    const [years, months] = [evaluate(1), evaluate(12)];
    const value = ({ metrics }: typeof years, name: string) =>
      metrics.find((metric) => metric.name === name)!.estimate.value;
    for (const name of ['r2', 'gini', 'd2', 'actual_over_expected']) {
      expect(value(months, name)).toBeCloseTo(value(years, name), 9);
    }
    expect(value(months, 'mae') * 12).toBeCloseTo(value(years, 'mae'), 9);
  });
});

test('a probability a rounding error outside 0 … 1 is brought back, a real one is not', () => {
  expect(Array.from(withoutRoundingError(of(0, 1, 1), of(-1e-17, 1 + 1e-16, 1.1)))).toEqual([0, 1, 1.1]);
  expect(Array.from(withoutRoundingError(of(0, 2), of(-1e-17, 2)))).toEqual([-1e-17, 2]);
});
