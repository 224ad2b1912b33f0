import { describe, expect, test } from 'vitest';
import { type DenseNetwork, predictDense } from '../../../src/ml/dense/network.ts';
import { denseShap } from '../../../src/ml/dense/shap.ts';
import { type Matrix, takeRows } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { InvalidExplanation } from '../../../src/ml/shap/explanation.ts';
import { largestGap, normals, randomNetwork } from '../formats/tflite/tflite-fixtures.ts';

function matrixOf(rows: number, columns: number, seed: string): Matrix {
  const names = Array.from({ length: columns }, (_, c) => `x${c}`);
  return { rows, columns, names, values: Float64Array.from(normals(rows * columns, random(seed))) };
}

/** The naive twin: the definition, over all orders of the features. */
function shapleyByDefinition(network: DenseNetwork, row: number[], reference: number[]): number[] {
  const n = row.length;
  const value = (taken: ReadonlySet<number>) => {
    const values = Float64Array.from(row, (own, i) => (taken.has(i) ? own : reference[i]));
    return predictDense(network, { rows: 1, columns: n, names: network.featureNames, values }, { raw: true })[0];
  };
  const phi = row.map(() => 0);
  let orders = 0;
  const visit = (taken: number[]): void => {
    if (taken.length === n) {
      orders++;
      taken.forEach((feature, k) => {
        phi[feature] += value(new Set(taken.slice(0, k + 1))) - value(new Set(taken.slice(0, k)));
      });
    }
    for (let i = 0; i < n; i++) if (!taken.includes(i)) visit([...taken, i]);
  };
  visit([]);
  return phi.map((sum) => sum / orders);
}

const rowOf = ({ rows, columns, values }: Matrix, row: number) =>
  Array.from({ length: columns }, (_, c) => values[c * rows + row]);

describe('exact, for few features', () => {
  const network = randomNetwork([4, 6, 5, 1], 'sigmoid', random('shap'));
  const matrix = matrixOf(3, 4, 'rows');
  const background = matrixOf(5, 4, 'background');
  const shap = denseShap(network, matrix, background);

  test('the values are those of the definition, over all orders of the features', () => {
    for (let row = 0; row < matrix.rows; row++) {
      const expected = [0, 0, 0, 0];
      for (let b = 0; b < background.rows; b++) {
        const phi = shapleyByDefinition(network, rowOf(matrix, row), rowOf(background, b));
        phi.forEach((value, i) => (expected[i] += value / background.rows));
      }
      expect(largestGap(shap.values.subarray(row * 5, row * 5 + 4), expected)).toBeLessThan(1e-10);
    }
  });

  test('a feature without weights gets exactly nothing, and a linear network its coefficients', () => {
    const [line] = randomNetwork([4, 1], 'linear', random('line')).layers;
    const weights = line.weights.with(2, 0);
    const { values } = denseShap({ ...network, layers: [{ ...line, weights }] }, matrix, background);
    const mean = (c: number) =>
      background.values.slice(c * 5, c * 5 + 5).reduce((sum, x) => sum + Math.fround(x), 0) / 5;
    for (let row = 0; row < 3; row++) {
      const expected = rowOf(matrix, row).map((x, c) => weights[c] * (Math.fround(x) - mean(c)));
      expect(largestGap(values.subarray(row * 5, row * 5 + 4), expected)).toBeLessThan(1e-12);
    }
  });
});

describe.each([
  { what: 'exact', columns: 7, options: {} },
  { what: 'sampled', columns: 20, options: { orders: 2 } },
])('$what values', ({ columns, options }) => {
  const network = randomNetwork([columns, 16, 8, 2], 'linear', random(columns));
  const matrix = matrixOf(20, columns, 'rows');
  const background = matrixOf(30, columns, 'background');
  const { values, outputs } = denseShap(network, matrix, background, options);

  test('add up to the raw output on every row, from the mean of the background', () => {
    const raw = predictDense(network, matrix, { raw: true });
    const mean = predictDense(network, background, { raw: true });
    const run = columns + 1;
    for (let i = 0; i < matrix.rows * outputs; i++) {
      const sum = values.subarray(i * run, (i + 1) * run).reduce((total, value) => total + value, 0);
      expect(Math.abs(sum - raw[i])).toBeLessThan(1e-9);
      const expected = mean.filter((_, k) => k % 2 === i % 2).reduce((total, value) => total + value, 0) / 30;
      expect(values[i * run + columns]).toBeCloseTo(expected, 10);
    }
  });
});

test('sampled values approach the exact ones, and the same seed gives the same', () => {
  const network = randomNetwork([7, 16, 1], 'sigmoid', random('approach'));
  const matrix = matrixOf(5, 7, 'rows');
  const background = matrixOf(40, 7, 'background');
  const exact = denseShap(network, matrix, background).values;
  const sampled = (orders: number) => denseShap(network, matrix, background, { exactUpTo: 0, orders, seed: 5 }).values;
  const scale = Math.max(...exact.map(Math.abs));
  expect(largestGap(sampled(64), exact)).toBeLessThan(0.02 * scale);
  expect(sampled(3)).toEqual(sampled(3));
});

test('no background and too much work are refused before anything is computed', () => {
  const network = randomNetwork([7, 16, 1], 'sigmoid', random('refused'));
  const matrix = matrixOf(5, 7, 'rows');
  expect(() => denseShap(network, matrix, takeRows(matrix, []))).toThrow(InvalidExplanation);
  expect(() => denseShap(network, matrix, matrix, { workLimit: 1000 })).toThrow(/the limit is 1000/);
});
