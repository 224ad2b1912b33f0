import { describe, expect, test } from 'vitest';
import { type Matrix, takeRows } from '../../../src/ml/matrix.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { trainForest } from '../../../src/ml/trees/forest.ts';
import { random } from '../../../src/ml/random.ts';
import { type Tree, type TreeModel, categoricalBit, defaultLeftBit, emptyTree } from '../../../src/ml/trees/model.ts';
import { goesLeft, predict } from '../../../src/ml/trees/predictor.ts';
import { readLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import { lightgbmText } from '../formats/lightgbm-fixtures.ts';
import { mixedExample } from './example-data.ts';

/** The naive twin: one row down one tree, every decision asked for by itself. */
function leafValue(tree: Tree, row: ArrayLike<number>): number {
  let node = tree.leaves > 1 ? 0 : -1;
  while (node >= 0) node = goesLeft(tree, node, row[tree.splitFeature[node]]) ? tree.left[node] : tree.right[node];
  return tree.leafValue[~node];
}

function naiveScores(model: TreeModel, data: Matrix): Float64Array {
  const scores = new Float64Array(data.rows * model.outputs);
  for (let r = 0; r < data.rows; r++) {
    const row = Float64Array.from({ length: data.columns }, (_, c) => data.values[c * data.rows + r]);
    model.trees.forEach((tree, t) => (scores[r * model.outputs + (t % model.outputs)] += leafValue(tree, row)));
  }
  return model.averaged ? scores.map((score) => score / (model.trees.length / model.outputs)) : scores;
}

const { data, target } = mixedExample(700, 'predictor');
const asked = mixedExample(457, 'asked').data; // no multiple of any block
const complete: Matrix = { ...asked, values: asked.values.map((value) => (Number.isNaN(value) ? 0.25 : value)) };
const numbersOnly: Matrix = { ...data, categorical: [] };

const models: [string, TreeModel][] = [
  ['numbers with missing values', trainBoosting(numbersOnly, target, { iterations: 20 })],
  ['trees with and without categories', trainBoosting(data, target, { iterations: 20, featureFraction: 0.3 })],
  ['a deep forest', trainForest(numbersOnly, target, { trees: 5 })],
  ['three classes', readLightgbmText(lightgbmText('multiclass'))],
  ['zeros for missing', readLightgbmText(lightgbmText('zero-as-missing'))],
  ['nothing for missing', readLightgbmText(lightgbmText('no-missing'))],
  ['one leaf', readLightgbmText(lightgbmText('constant'))],
];

describe.each(models)('scores of %s', (_, model) => {
  test.each([
    ['with missing values', asked],
    ['without', complete],
  ])('are the same to the last bit by kernel, by TypeScript and one by one, on rows %s', (_, rows) => {
    const expected = naiveScores(model, rows);
    expect(predict(model, rows, { raw: true })).toEqual(expected);
    expect(predict(model, rows, { raw: true, kernel: 'typescript' })).toEqual(expected);
  });

  test('of a few rows are those of many', () => {
    const few = predict(model, takeRows(asked, [3, 100, 456]));
    const all = predict(model, asked);
    const { outputs } = model;
    const expected = [3, 100, 456].flatMap((row) => [...all.subarray(row * outputs, (row + 1) * outputs)]);
    expect([...few]).toEqual(expected);
  });
});

test('any set of categories is decided by the kernel as one by one, whatever the code', () => {
  const chance = random('sets of categories');
  const bits = () => (chance.integer(2 ** 16) * 2 ** 16 + chance.integer(2 ** 16)) >>> 0;
  const sets = [0, 0xffffffff, 1, 0x80000000, 0x0000ff00, ...Array.from({ length: 60 }, bits)];
  const trees = sets.flatMap((first) =>
    [0, defaultLeftBit].map((missing): Tree => {
      const tree = emptyTree(3);
      tree.decision.set([categoricalBit | missing, categoricalBit | (defaultLeftBit - missing)]);
      tree.threshold.set([0, 1]);
      tree.left.set([1, ~0]);
      tree.right.set([~1, ~2]);
      tree.leafValue.set([1, 2, 4].map((value) => value * (1 + chance.uniform())));
      return {
        ...tree,
        categoryBoundaries: Int32Array.of(0, 1, 3),
        categoryBits: Uint32Array.of(first, bits(), bits()),
      };
    }),
  );
  const [, { featureNames: _, ...like }] = models[0];
  const model: TreeModel = { ...like, featureNames: ['category'], categorical: [0], trees, averaged: false };
  const odd = [NaN, -1, -0.5, -0, 0.5, 31.999, 63.5, 64, 1e9, 2 ** 53, Infinity, -Infinity, Number.MIN_VALUE];
  const codes = Float64Array.from([...odd, ...Array.from({ length: 300 }, (_, i) => i % 70)]);
  const rows = { rows: codes.length, columns: 1, names: ['category'], values: codes, categorical: [0] };
  expect(predict(model, rows, { raw: true })).toEqual(naiveScores(model, rows));
});

test('the first iterations alone are the shorter model', () => {
  const [, model] = models[0];
  const shorter = { ...model, trees: model.trees.slice(0, 7) };
  expect(predict(model, asked, { iterations: 7 })).toEqual(predict(shorter, asked));
});
