import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import { takeRows } from '../../../src/ml/matrix.ts';
import { InvalidExplanation } from '../../../src/ml/shap/explanation.ts';
import { interventionalShap } from '../../../src/ml/shap/interventional.ts';
import { InvalidModel, type Tree } from '../../../src/ml/trees/model.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { largestDifference, matrixOfRows } from '../formats/lightgbm-fixtures.ts';
import { mixedExample } from '../trees/example-data.ts';
import { interventionalGame, rowOf, shapleyValues } from './brute-force.ts';
import { exampleModels, treesOf } from './example-models.ts';

const folder = new URL('../../fixtures/shap/', import.meta.url);
const asked = mixedExample(20, 'asked').data;
const background = mixedExample(9, 'background').data;
const columns = asked.columns;

describe.each(exampleModels)('interventional SHAP values of %s', (_, model) => {
  test('are the Shapley values found by enumerating all mixtures with the background', () => {
    const { values } = interventionalShap(model, asked, background);
    const references = Array.from({ length: background.rows }, (_, row) => rowOf(background, row));
    for (let row = 0; row < asked.rows; row++) {
      for (let output = 0; output < model.outputs; output++) {
        const { trees, scale } = treesOf(model, output);
        const game = interventionalGame(trees, rowOf(asked, row), references, columns);
        const expected = shapleyValues(game).map((phi) => phi * scale);
        const at = (row * model.outputs + output) * (columns + 1);
        expect(largestDifference(values.subarray(at, at + columns + 1), expected)).toBeLessThan(1e-12);
      }
    }
  });

  test('add up to the raw score, from the mean raw score of the background on', () => {
    const rows = mixedExample(300, 'many').data;
    const { values } = interventionalShap(model, rows, mixedExample(80, 'large background').data);
    const raw = predict(model, rows, { raw: true });
    const run = columns + 1;
    const sums = raw.map((_, i) => values.subarray(i * run, (i + 1) * run).reduce((a, b) => a + b, 0));
    expect(largestDifference(sums, raw)).toBeLessThan(1e-12);

    const reference = predict(model, mixedExample(80, 'large background').data, { raw: true });
    for (let output = 0; output < model.outputs; output++) {
      const mean = reference.reduce((sum, score, i) => sum + (i % model.outputs === output ? score : 0), 0) / 80;
      expect(Math.abs(values[output * run + columns] - mean)).toBeLessThan(1e-12);
    }
  });

  test('are the mean over the background rows taken one at a time', () => {
    const together = interventionalShap(model, asked, background).values;
    const mean = new Float64Array(together.length);
    for (let row = 0; row < background.rows; row++) {
      const { values } = interventionalShap(model, asked, takeRows(background, [row]));
      values.forEach((phi, i) => (mean[i] += phi / background.rows));
    }
    expect(largestDifference(together, mean)).toBeLessThan(1e-12);
  });

  test('a row against itself has nothing to explain', () => {
    const one = takeRows(asked, [3]);
    const { values, outputs } = interventionalShap(model, one, one);
    for (let output = 0; output < outputs; output++) {
      const at = output * (columns + 1);
      expect(values.subarray(at, at + columns).every((phi) => phi === 0)).toBe(true);
    }
  });
});

type Fixture = {
  rows: (number | null)[][];
  background: (number | null)[][];
  /** Rows × features, or rows × features × outputs. */
  interventional: (number | number[])[][];
  expected_value: number[];
};

test.each(['regression', 'multiclass'])(
  'interventional values of LightGBM’s %s are those of the package shap',
  (name) => {
    const model = readLightgbmText(readFileSync(new URL(`${name}.txt`, folder), 'utf8'));
    const fixture = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Fixture;
    const { values, outputs } = interventionalShap(model, matrixOfRows(fixture.rows), matrixOfRows(fixture.background));
    const expected = fixture.interventional.flatMap((row) =>
      Array.from({ length: outputs }, (_, k) => [
        ...row.map((phi) => [phi].flat()[k]),
        fixture.expected_value[k],
      ]).flat(),
    );
    expect(largestDifference(values, expected)).toBeLessThan(1e-6);
  },
);

test('a path through more features than an integer has bits is explained too', () => {
  const features = 40;
  const chain: Tree = {
    ...exampleModels[0][1].trees[0],
    leaves: features + 1,
    splitFeature: Int32Array.from({ length: features }, (_, i) => i),
    threshold: new Float64Array(features),
    decision: new Uint8Array(features).fill(8),
    left: Int32Array.from({ length: features }, (_, i) => (i + 1 < features ? i + 1 : ~features)),
    right: Int32Array.from({ length: features }, (_, i) => ~i),
    leafValue: new Float64Array(features + 1).fill(80, features),
  };
  const names = Array.from({ length: features }, (_, i) => `x${i}`);
  const model = { ...exampleModels[0][1], featureNames: names, trees: [chain] };
  const constant = (value: number) => ({
    rows: 1,
    columns: features,
    names,
    values: new Float64Array(features).fill(value),
  });
  // only all features together reach the leaf of 80: each of the 40 has its share of 2
  const { values } = interventionalShap(model, constant(-1), constant(1));
  expect(largestDifference(values, [...names.map(() => 2), 0])).toBeLessThan(1e-12);
});

test('what cannot be explained is refused with what to do', () => {
  const [, model] = exampleModels[0];
  expect(() => interventionalShap(model, asked, takeRows(background, []))).toThrow(InvalidExplanation);
  expect(() => interventionalShap(model, asked, matrixOfRows([[1, 2]]))).toThrow(InvalidModel);
  const leaves = model.trees.reduce((sum, tree) => sum + tree.leaves, 0);
  const workLimit = 5 * background.rows * leaves;
  expect(() => interventionalShap(model, asked, background, { workLimit })).toThrow(InvalidExplanation);
  expect(() => interventionalShap(model, asked, background, { workLimit })).toThrow('at most 5 rows at once');
  expect(interventionalShap(model, takeRows(asked, [0, 1, 2, 3, 4]), background, { workLimit }).rows).toBe(5);
});
