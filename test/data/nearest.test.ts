import { describe, expect, test } from 'vitest';
import { conditionFindings } from '../../src/data/condition.ts';
import { didYouMean, nearest } from '../../src/data/nearest.ts';

describe('the nearest name', () => {
  const known = ['severity', 'metric', 'name', 'r2', 'rmse'];
  test.each([
    ['severty', 'severity'],
    ['Metric', 'metric'],
    ['mteric', 'metric'],
    ['nmae', 'name'],
    ['rmsee', 'rmse'],
    ['r3', 'r2'],
    ['weather', undefined],
    ['', undefined],
  ])('%s → %s', (written, meant) => {
    expect(nearest(written, known)).toBe(meant);
  });

  test('becomes a question, or nothing', () => {
    expect(didYouMean('severty', known)).toBe(' Did you mean "severity"?');
    expect(didYouMean('weather', known)).toBe('');
  });
});

describe('conditions', () => {
  const columns = ['charges', 'smoker', 'category', 'odd name'];
  test.each([
    "charges > 15000 OR category = 'very_high'",
    'charges > 25000 OR (smoker AND charges > 10000)',
    'abs(charges) BETWEEN 1 AND 1e5 AND NOT smoker IS NULL',
    `"odd name" IN ('select; -- from', 'it''s')`,
    "charges::DOUBLE < 5 AND DATE '2026-01-01' < CAST('x' AS TIMESTAMP) ",
  ])('accepted: %s', (condition) => {
    expect(conditionFindings(condition, columns)).toEqual([]);
  });

  test.each([
    ['', 'the condition is empty'],
    ['charges > 1; DROP TABLE x', 'without queries'],
    ['charges > (SELECT max(charges) FROM t)', 'without queries'],
    ['charges > 1 -- always', 'without queries'],
    ['charge > 1', 'there is no column "charge". Did you mean "charges"?'],
    ['"smokr"', 'there is no column "smokr". Did you mean "smoker"?'],
  ])('refused: %s', (condition, finding) => {
    expect(conditionFindings(condition, columns).join()).toContain(finding);
  });
});
