import { describe, expect, test } from 'vitest';
import type { Columns } from '../../../src/ml/encoders/columns.ts';
import { applyDesign, fitDesign } from '../../../src/ml/encoders/design.ts';
import { glmContributions } from '../../../src/ml/glm/contributions.ts';
import { fitGlm, predictGlm } from '../../../src/ml/glm/glm.ts';
import { random } from '../../../src/ml/random.ts';

const stream = random('contributions');
const rows = 200;
const columns: Columns = {
  age: Array.from({ length: rows }, () => 18 + stream.integer(60)),
  smoker: Array.from({ length: rows }, () => stream.choice(['yes', 'no'])),
  region: Array.from({ length: rows }, () => stream.choice(['north', 'south', 'west'])),
};
const cost = Float64Array.from({ length: rows }, (_, i) => {
  const eta = 5 + 0.03 * Number(columns['age'][i]) + (columns['smoker'][i] === 'yes' ? 1 : 0);
  return Math.exp(eta) * stream.gamma(3, 1 / 3);
});
const design = fitDesign(columns, [
  { column: 'age', as: 'number', impute: 'median' },
  { column: 'smoker', as: 'oneHot', dropFirst: true },
  { column: 'region', as: 'oneHot', dropFirst: true },
]);
const matrix = applyDesign(design, columns);
const names = Object.keys(columns);

describe.each(['normal', 'gamma', 'binomial'] as const)('the contributions to a %s model', (family) => {
  const label = family === 'binomial' ? cost.map((value) => Number(value > 1_000)) : cost;
  const glm = fitGlm(matrix, label, { family });
  const predicted = predictGlm(glm, matrix);
  const contributions = glmContributions(glm, design, matrix);
  const of = (row: number) => contributions.subarray(row * 4, row * 4 + 4);

  test('add up to each prediction from that of the average row', () => {
    for (let row = 0; row < rows; row++) {
      const sum = of(row).reduce((total, value) => total + value, 0);
      expect(Math.abs(sum / predicted[row] - 1)).toBeLessThan(1e-9);
      expect(of(row)[3]).toBe(of(0)[3]);
    }
  });

  test('stand in the proportion of those on the scale of the linear predictor', () => {
    const link = { normal: (p: number) => p, gamma: Math.log, binomial: (p: number) => Math.log(p / (1 - p)) }[family];
    for (let row = 0; row < rows; row++) {
      // one column exchanged for its mean moves the linear predictor by what that column contributes to it
      const moved = link(predicted[row]) - link(of(row)[3]);
      const age = glm.terms[1].coefficient * (matrix.values[row] - mean(matrix.values.subarray(0, rows)));
      const total = of(row)[0] + of(row)[1] + of(row)[2];
      expect(of(row)[0] * moved).toBeCloseTo(age * total, 6);
    }
  });
});

test('of a linear model are its Shapley values over these very rows', () => {
  const glm = fitGlm(matrix, cost, { family: 'normal' });
  const contributions = glmContributions(glm, design, matrix);
  const row = 17;
  // naive: the mean prediction with the columns of a coalition set to the row's, over all rows as background
  const worth = (known: readonly string[]) => {
    const mixed = Object.fromEntries(
      names.map((name) => [
        name,
        known.includes(name) ? Array.from({ length: rows }, () => columns[name][row]) : columns[name],
      ]),
    );
    return mean(predictGlm(glm, applyDesign(design, mixed)));
  };
  names.forEach((name, c) => {
    const [a, b] = names.filter((other) => other !== name);
    const gain = (coalition: string[]) => worth([...coalition, name]) - worth(coalition);
    const shapley = gain([]) / 3 + gain([a]) / 6 + gain([b]) / 6 + gain([a, b]) / 3;
    expect(contributions[row * 4 + c]).toBeCloseTo(shapley, 6);
  });
});

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
