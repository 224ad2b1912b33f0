import { expect, test } from 'vitest';
import { column } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { binMatrix, binRows } from '../../../src/ml/trees/binning.ts';
import { flattenTree, leafResults } from '../../../src/ml/trees/flatten.ts';
import { treeGrower } from '../../../src/ml/trees/grower.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { quantise } from '../../../src/ml/trees/quantise.ts';
import { addGrownTree } from '../../../src/ml/trees/route.ts';
import { describeModel } from '../../../src/ml/trees/training-data.ts';
import { allRows, mixedExample } from './example-data.ts';

const { data, target } = mixedExample(1500, 'route');
const binned = binMatrix(data, { maxBin: 63, minDataInBin: 3 });
const lambda = { lambdaL1: 0, lambdaL2: 0 };
const hessian = new Float64Array(data.rows).fill(1);
const grow = treeGrower(binned, {
  numLeaves: 20,
  maxDepth: 0,
  minSplitSamples: 2,
  featureFractionByNode: 1,
  extraTrees: false,
  minChildSamples: 5,
  minChildWeight: 0,
  minSplitGain: 0,
  categoricalSmoothing: 10,
  categoricalL2: 10,
  maxCategoriesPerSplit: 32,
  ...lambda,
});
const gradients = quantise(target, null, data.rows);
const grown = grow(gradients, allRows(data.rows), allRows(binned.slots.length), random('grow'));
const results = leafResults(grown, target, hessian, lambda);
const tree = flattenTree(grown, binned, results, lambda, 1, 0);
const described = { objective: 'regression', outputs: 1, averaged: false, parameters: {} };
const model = describeModel(data, binned, {}, described, [tree]);

test('rows binned anew fall into the bins that they were in', () => {
  expect(binRows(binned, data)).toEqual(binned.byColumn);
});

test('by bins a row reaches the leaf that it reaches by values, also one whose values were never seen', () => {
  const { data: others } = mixedExample(400, 'route, other rows');
  const [amount, count, region, code] = [0, 1, 4, 5].map((c) => column(others, c));
  amount.set([Infinity, -Infinity, Number.MAX_VALUE, -0], 0);
  count.set([NaN, 1e300, -5], 10);
  region.set([NaN, -1, 99, 2.5, 1e9], 20);
  code.set([NaN, -0.5, 38.9, 2 ** 40], 30);
  const score = new Float64Array(others.rows);
  addGrownTree(grown, binned.slots, binRows(binned, others), null, score, tree.leafValue);
  expect(score).toEqual(predict(model, others, { raw: true }));
});

test('a tree is added to the scores of the rows named only', () => {
  const all = new Float64Array(data.rows);
  addGrownTree(grown, binned.slots, binned.byColumn, null, all, tree.leafValue);
  const score = new Float64Array(data.rows);
  addGrownTree(grown, binned.slots, binned.byColumn, Int32Array.of(2, 5), score, tree.leafValue);
  expect(score).toEqual(all.map((value, row) => (row === 2 || row === 5 ? value : 0)));
});
