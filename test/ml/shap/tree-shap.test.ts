import { describe, expect, test } from 'vitest';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { gaussLegendre } from '../../../src/ml/shap/quadrature.ts';
import { treeShap } from '../../../src/ml/shap/tree-shap.ts';
import type { Tree } from '../../../src/ml/trees/model.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { largestDifference } from '../formats/lightgbm-fixtures.ts';
import { mixedExample } from '../trees/example-data.ts';
import { pathDependentGame, rowOf, shapleyValues } from './brute-force.ts';
import { exampleModels, treesOf } from './example-models.ts';

const asked = mixedExample(60, 'asked').data;

describe.each(exampleModels)('SHAP values of %s', (_, model) => {
  test('are the Shapley values found by enumerating all subsets', () => {
    const { values } = treeShap(model, asked);
    const run = asked.columns + 1;
    for (let row = 0; row < asked.rows; row++) {
      for (let output = 0; output < model.outputs; output++) {
        const { trees, scale } = treesOf(model, output);
        const game = pathDependentGame(trees, rowOf(asked, row), asked.columns);
        const expected = shapleyValues(game).map((phi) => phi * scale);
        const at = (row * model.outputs + output) * run;
        expect(largestDifference(values.subarray(at, at + run), expected)).toBeLessThan(1e-12);
      }
    }
  });

  test('add up to the raw score on every row', () => {
    const { values } = treeShap(model, asked);
    const raw = predict(model, asked, { raw: true });
    const run = asked.columns + 1;
    const sums = raw.map((_, i) => values.subarray(i * run, (i + 1) * run).reduce((a, b) => a + b, 0));
    expect(largestDifference(sums, raw)).toBeLessThan(1e-12);
  });

  test('do not depend on how many rows are asked for at once', () => {
    const together = treeShap(model, asked).values;
    const run = (asked.columns + 1) * model.outputs;
    for (let row = 0; row < 5; row++) {
      const alone: Matrix = { ...asked, rows: 1, values: Float64Array.from(rowOf(asked, row)) };
      expect(
        largestDifference(treeShap(model, alone).values, together.subarray(row * run, (row + 1) * run)),
      ).toBeLessThan(1e-13);
    }
  });
});

test('a path through more features than an integer has bits is explained too', () => {
  const features = 40;
  const rows = 400;
  const chain: Tree = {
    ...exampleModels[0][1].trees[0],
    leaves: features + 1,
    splitFeature: Int32Array.from({ length: features }, (_, i) => i),
    threshold: new Float64Array(features),
    decision: new Uint8Array(features).fill(8),
    left: Int32Array.from({ length: features }, (_, i) => (i + 1 < features ? i + 1 : ~features)),
    right: Int32Array.from({ length: features }, (_, i) => ~i),
    leafValue: Float64Array.from({ length: features + 1 }, (_, i) => (i * 7) % 5),
    leafCount: new Float64Array(features + 1).fill(1).fill(2, features),
    nodeCount: Float64Array.from({ length: features }, (_, i) => features + 2 - i),
  };
  const names = Array.from({ length: features }, (_, i) => `x${i}`);
  const model = { ...exampleModels[0][1], featureNames: names, trees: [chain] };
  const values = Float64Array.from({ length: rows * features }, (_, i) => ((i * 31) % 17 === 0 ? 1 : -1));
  const matrix: Matrix = { rows, columns: features, names, values };
  const { values: phi } = treeShap(model, matrix);
  const raw = predict(model, matrix, { raw: true });
  const sums = raw.map((_, row) => phi.subarray(row * 41, row * 41 + 41).reduce((a, b) => a + b, 0));
  expect(largestDifference(sums, raw)).toBeLessThan(1e-12);
});

test('Gauss–Legendre integrates polynomials exactly up to twice its points', () => {
  for (let points = 1; points <= 20; points++) {
    const { nodes, weights } = gaussLegendre(points);
    for (let power = 0; power < 2 * points; power++) {
      const integral = nodes.reduce((sum, t, q) => sum + weights[q] * t ** power, 0);
      expect(Math.abs(integral - 1 / (power + 1))).toBeLessThan(1e-14);
    }
  }
});
