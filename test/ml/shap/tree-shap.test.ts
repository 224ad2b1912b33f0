import { describe, expect, test } from 'vitest';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { gaussLegendre } from '../../../src/ml/shap/quadrature.ts';
import { treeShap } from '../../../src/ml/shap/tree-shap.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { trainForest } from '../../../src/ml/trees/forest.ts';
import type { Tree, TreeModel } from '../../../src/ml/trees/model.ts';
import { goesLeft, predict } from '../../../src/ml/trees/predictor.ts';
import { largestDifference } from '../formats/lightgbm-fixtures.ts';
import { mixedExample } from '../trees/example-data.ts';

/** The naive twin: what the tree expects when only the features in `known` (bits) of a row are given. */
function expectation(tree: Tree, row: ArrayLike<number>, known: number, node = tree.leaves > 1 ? 0 : -1): number {
  if (node < 0) return tree.leafValue[~node];
  const children = [tree.left[node], tree.right[node]];
  const feature = tree.splitFeature[node];
  if ((known >> feature) & 1)
    return expectation(tree, row, known, children[goesLeft(tree, node, row[feature]) ? 0 : 1]);
  const cover = (child: number) => (child >= 0 ? tree.nodeCount[child] : tree.leafCount[~child]);
  return (
    children.reduce((sum, child) => sum + cover(child) * expectation(tree, row, known, child), 0) / tree.nodeCount[node]
  );
}

/** Shapley values by enumerating every subset of the features. */
function shapleyByEnumeration(trees: readonly Tree[], row: ArrayLike<number>, features: number): number[] {
  const game = Array.from({ length: 1 << features }, (_, known) =>
    trees.reduce((sum, tree) => sum + expectation(tree, row, known), 0),
  );
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const size = (set: number) => set.toString(2).replaceAll('0', '').length;
  const phi = Array.from({ length: features + 1 }, () => 0);
  for (let j = 0; j < features; j++) {
    for (let set = 0; set < 1 << features; set++) {
      if ((set >> j) & 1) continue;
      const weight = (factorial(size(set)) * factorial(features - size(set) - 1)) / factorial(features);
      phi[j] += weight * (game[set | (1 << j)] - game[set]);
    }
  }
  phi[features] = game[0];
  return phi;
}

function rowOf(data: Matrix, row: number): number[] {
  return Array.from({ length: data.columns }, (_, c) => data.values[c * data.rows + row]);
}

const { data, target } = mixedExample(400, 'shap');
const asked = mixedExample(60, 'asked').data;

const models: [string, TreeModel][] = [
  ['boosting', trainBoosting(data, target, { iterations: 6, numLeaves: 12, minChildSamples: 5 })],
  ['a forest', trainForest(data, target, { trees: 4, minChildSamples: 2 })],
  [
    'two outputs',
    trainBoosting(
      data,
      Float64Array.from({ length: 800 }, (_, i) => target[i >> 1] * (i % 2 === 0 ? 1 : -3)),
      { iterations: 4, minChildSamples: 5 },
    ),
  ],
];

describe.each(models)('SHAP values of %s', (_, model) => {
  test('are the Shapley values found by enumerating all subsets', () => {
    const { values } = treeShap(model, asked);
    const run = data.columns + 1;
    const scale = model.averaged ? model.outputs / model.trees.length : 1;
    for (let row = 0; row < asked.rows; row++) {
      for (let output = 0; output < model.outputs; output++) {
        const trees = model.trees.filter((_, t) => t % model.outputs === output);
        const expected = shapleyByEnumeration(trees, rowOf(asked, row), data.columns).map((phi) => phi * scale);
        const at = (row * model.outputs + output) * run;
        expect(largestDifference(values.subarray(at, at + run), expected)).toBeLessThan(1e-12);
      }
    }
  });

  test('add up to the raw score on every row', () => {
    const { values } = treeShap(model, asked);
    const raw = predict(model, asked, { raw: true });
    const run = data.columns + 1;
    const sums = raw.map((_, i) => values.subarray(i * run, (i + 1) * run).reduce((a, b) => a + b, 0));
    expect(largestDifference(sums, raw)).toBeLessThan(1e-12);
  });

  test('do not depend on how many rows are asked for at once', () => {
    const together = treeShap(model, asked).values;
    const run = (data.columns + 1) * model.outputs;
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
    ...models[0][1].trees[0],
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
  const model = { ...models[0][1], featureNames: names, trees: [chain] };
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
