import { expect, test } from 'vitest';
import { columnBaseline, constantBaseline, rulesBaseline } from '../../../src/ml/baselines/baseline.ts';
import { applyRatingTable, fitRatingTable } from '../../../src/ml/baselines/rating-table.ts';
import { mae, mse } from '../../../src/ml/metrics/regression.ts';

const label = Float64Array.of(1, 2, 3, 4, 90);

test('the mean is the constant that squared error cannot beat, the median the one of absolute error', () => {
  const rows = label.length;
  const mean = constantBaseline(label);
  const median = constantBaseline(label, { figure: 'median' });
  expect([mean.value, median.value]).toEqual([20, 3]);
  for (let value = 0; value <= 40; value += 0.5) {
    const rival = new Float64Array(rows).fill(value);
    expect(mse(label, rival)).toBeGreaterThanOrEqual(mse(label, mean.predict({}, rows)));
    expect(mae(label, rival)).toBeGreaterThanOrEqual(mae(label, median.predict({}, rows)));
  }
});

test('exposure weighs the mean', () => {
  expect(constantBaseline(Float64Array.of(1, 5), { weight: Float64Array.of(3, 1) }).value).toBe(2);
});

test('today’s rules are a column of the data or a function of a row', () => {
  const columns = { tariff: [100, null, 300], smoker: [true, false, true] };
  expect(Array.from(columnBaseline('tariff', 'tariff').predict(columns, 3))).toEqual([100, NaN, 300]);
  const rule = rulesBaseline('smokers pay double', ({ smoker }) => (smoker ? 200 : 100));
  expect(Array.from(rule.predict(columns, 3))).toEqual([200, 100, 200]);
});

test('a baseline whose column is absent says which', () => {
  expect(() => columnBaseline('tariff', 'premium').predict({ age: [1] }, 1)).toThrow(
    'The baseline "tariff" reads the column "premium", which is missing',
  );
  expect(() => columnBaseline('tariff', 'age').predict({ age: [1] }, 2)).toThrow('they must agree');
});

test('a rating table prices by the mean of the cell, and an unfilled cell by the mean of all', () => {
  const columns = { smoker: [true, true, false, false], region: ['SE', 'SE', 'SE', null] };
  const table = fitRatingTable(columns, Float64Array.of(10, 20, 4, 6), ['smoker', 'region']);
  const later = { smoker: [true, false, false, 'constructor'], region: ['SE', null, 'NW', null] };
  expect(Array.from(applyRatingTable(table, later, 4))).toEqual([15, 6, 10, 10]);
  expect(applyRatingTable(JSON.parse(JSON.stringify(table)) as typeof table, later, 4)[0]).toBe(15);
  expect(() => applyRatingTable(table, { smoker: [true] }, 1)).toThrow('reads the column "region", which is missing');
});
