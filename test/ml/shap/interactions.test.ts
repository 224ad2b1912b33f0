import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import { readXgboostJson } from '../../../src/ml/formats/xgboost-json.ts';
import { InvalidExplanation } from '../../../src/ml/shap/explanation.ts';
import { shapInteractions } from '../../../src/ml/shap/interactions.ts';
import { treeShap } from '../../../src/ml/shap/tree-shap.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { InvalidModel } from '../../../src/ml/trees/model.ts';
import { largestDifference, matrixOfRows } from '../formats/lightgbm-fixtures.ts';
import { mixedExample } from '../trees/example-data.ts';
import { interactionValues, pathDependentGame, rowOf } from './brute-force.ts';
import { exampleModels, treesOf } from './example-models.ts';

const textOf = (path: string) => readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), 'utf8');
const asked = mixedExample(40, 'asked').data;
const run = asked.columns + 1;

describe.each(exampleModels)('SHAP interaction values of %s', (_, model) => {
  const { values } = shapInteractions(model, asked);

  test('are the interaction indices found by enumerating all subsets', () => {
    for (let row = 0; row < asked.rows; row++) {
      for (let output = 0; output < model.outputs; output++) {
        const { trees, scale } = treesOf(model, output);
        const game = pathDependentGame(trees, rowOf(asked, row), asked.columns);
        const expected = interactionValues(game).map((phi) => phi * scale);
        const at = (row * model.outputs + output) * run * run;
        expect(largestDifference(values.subarray(at, at + run * run), expected)).toBeLessThan(1e-12);
      }
    }
  });

  test('their lines add up to the SHAP values', () => {
    const sums = Float64Array.from({ length: values.length / run }, (_, line) =>
      values.subarray(line * run, (line + 1) * run).reduce((a, b) => a + b, 0),
    );
    expect(largestDifference(sums, treeShap(model, asked).values)).toBeLessThan(1e-12);
  });

  test('are the same whichever of two features is named first', () => {
    const transposed = values.map((_, at) => {
      const within = at % (run * run);
      return values[at - within + (within % run) * run + Math.floor(within / run)];
    });
    expect(transposed).toEqual(values);
  });
});

test('features of a sum of stumps do nothing together', () => {
  const { data, target } = mixedExample(400, 'stumps');
  const { values } = shapInteractions(trainBoosting(data, target, { iterations: 20, numLeaves: 2 }), asked);
  const beside = values.filter((_, at) => Math.floor((at % (run * run)) / run) !== at % run);
  expect(beside.every((phi) => phi === 0)).toBe(true);
});

describe('interaction values of other implementations', () => {
  type Fixture = { rows: (number | null)[][]; interactions: number[] | number[][][] | number[][][][] };

  test.each(['regression', 'multiclass'])('LightGBM’s %s by the package shap', (name) => {
    const model = readLightgbmText(textOf(`shap/${name}.txt`));
    const fixture = JSON.parse(textOf(`shap/${name}.json`)) as Fixture;
    const squares = fixture.interactions as (number | number[])[][][];
    const { values, outputs, columns } = shapInteractions(model, matrixOfRows(fixture.rows.slice(0, squares.length)));
    const size = columns + 1;
    const withoutExpected = squares.flatMap((_, row) =>
      Array.from({ length: columns * columns * outputs }, (_, at) => {
        const [i, j, k] = [Math.floor(at / outputs / columns), Math.floor(at / outputs) % columns, at % outputs];
        return values[((row * outputs + k) * size + i) * size + j];
      }),
    );
    expect(largestDifference(withoutExpected, squares.flat(3))).toBeLessThan(1e-6);
  });

  test.each(['regression', 'multiclass'])('XGBoost’s own of its %s, with categories', (name) => {
    const model = readXgboostJson(textOf(`xgboost/${name}.model.json`));
    const { rows, interactions } = JSON.parse(textOf(`shap/xgboost-${name}.json`)) as Fixture;
    const { values } = shapInteractions(model, matrixOfRows(rows));
    expect(largestDifference(values, interactions.flat(3))).toBeLessThan(5e-6);
  });
});

test('more numbers than the limit are refused with what to do', () => {
  const [, model] = exampleModels[0];
  const limit = 4 * run * run;
  expect(() => shapInteractions(model, asked, { limit })).toThrow(InvalidExplanation);
  expect(() => shapInteractions(model, asked, { limit })).toThrow('at most 4 rows at once');
  expect(() => shapInteractions(model, matrixOfRows([[1, 2]]))).toThrow(InvalidModel);
});
