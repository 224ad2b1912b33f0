import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { largestBelow32, neighbour32, smallestAbove32 } from '../../../src/ml/formats/float32.ts';
import { readLightgbmText, writeLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import { readXgboostJson, readXgboostUbjson } from '../../../src/ml/formats/xgboost-json.ts';
import { writeXgboostJson } from '../../../src/ml/formats/xgboost-writer.ts';
import { random } from '../../../src/ml/random.ts';
import { treeShap } from '../../../src/ml/shap/tree-shap.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { trainForest } from '../../../src/ml/trees/forest.ts';
import { InvalidModel } from '../../../src/ml/trees/model.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { mixedExample } from '../trees/example-data.ts';
import { largestDifference, lightgbmText, matrixOfRows } from './lightgbm-fixtures.ts';

const folder = new URL('../../fixtures/xgboost/', import.meta.url);
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.model.json') && !/^(linear|vector)/.test(file))
  .map((file) => file.slice(0, -'.model.json'.length));

type Expected = { rows: (number | null)[][]; margin: number[]; prediction: number[]; contributions: number[] };

const textOf = (file: string) => readFileSync(new URL(file, folder), 'utf8');
const expectedOf = (file: string) => JSON.parse(textOf(file)) as Expected;

describe('models trained by XGBoost', () => {
  test.each(cases)('%s: margins, predictions and SHAP values are those of XGBoost', (name) => {
    const model = readXgboostJson(textOf(`${name}.model.json`));
    const expected = expectedOf(`${name}.json`);
    const matrix = matrixOfRows(expected.rows);
    expect(largestDifference(predict(model, matrix, { raw: true }), expected.margin)).toBeLessThan(1e-6);
    expect(largestDifference(predict(model, matrix), expected.prediction)).toBeLessThan(1e-6);
    expect(largestDifference(treeShap(model, matrix).values, expected.contributions)).toBeLessThan(5e-6);
  });

  test('the binary format holds the same model', () => {
    const bytes = readFileSync(new URL('regression.model.ubj', folder));
    expect(readXgboostUbjson(bytes)).toEqual(readXgboostJson(textOf('regression.model.json')));
  });

  test('vector leaves become one tree per output', () => {
    const model = readXgboostJson(textOf('vector-leaves.model.json'));
    const { rows, prediction } = expectedOf('vector-leaves.expected.json');
    expect(model.outputs).toBe(2);
    expect(largestDifference(predict(model, matrixOfRows(rows)), prediction)).toBeLessThan(1e-6);
  });

  test.each(cases)('%s: written and read again it scores the same', (name) => {
    const model = readXgboostJson(textOf(`${name}.model.json`));
    const again = readXgboostJson(writeXgboostJson(model));
    const matrix = matrixOfRows(expectedOf(`${name}.json`).rows);
    expect(again.trees.map(({ splitFeature, threshold, decision }) => ({ splitFeature, threshold, decision }))).toEqual(
      model.trees.map(({ splitFeature, threshold, decision }) => ({ splitFeature, threshold, decision })),
    );
    expect(largestDifference(predict(again, matrix), predict(model, matrix))).toBeLessThan(1e-6);
    expect(largestDifference(treeShap(again, matrix).values, treeShap(model, matrix).values)).toBeLessThan(1e-6);
  });

  test('the levels of a data frame are read, and kept in our own file', () => {
    const model = readXgboostJson(textOf('pandas.model.json'));
    const { levels } = JSON.parse(textOf('pandas.json')) as { levels: (string | number)[][] };
    expect(model.categories).toEqual(levels);
    expect(readXgboostJson(writeXgboostJson(model)).categories).toEqual(levels);
    expect(readXgboostJson(textOf('regression.model.json')).categories).toBeNull();
  });

  test('levels that are not ASCII are left, because XGBoost parts them in the wrong places', () => {
    const model = readXgboostJson(textOf('pandas.model.json').replace('"values":[110,', '"values":[-61,'));
    expect(model.categories).toBeNull();
  });

  test('levels in a layout that is not known leave the codes', () => {
    const model = readXgboostJson(textOf('pandas.model.json').replace('"enc":[', '"enc":[{"other":1},'));
    expect(model.categories).toBeNull();
    expect(model.categorical).toEqual([1, 2]);
  });

  test('a model without categories goes through LightGBM text unchanged', () => {
    const model = readXgboostJson(textOf('vector-leaves.model.json'));
    const matrix = matrixOfRows(expectedOf('vector-leaves.expected.json').rows);
    expect(predict(readLightgbmText(writeLightgbmText(model)), matrix)).toEqual(predict(model, matrix));
  });
});

describe('our own models as XGBoost JSON', () => {
  const { data, target } = mixedExample(500, 'xgboost');
  const asked = mixedExample(100, 'asked').data;
  test.each([
    ['boosting', trainBoosting(data, target, { iterations: 10 })],
    ['forest', trainForest(data, target, { trees: 5 })],
    [
      'two outputs',
      trainBoosting(
        data,
        Float64Array.from({ length: 1000 }, (_, i) => target[i >> 1] * (1 + (i % 2))),
        { iterations: 4 },
      ),
    ],
    [
      'binary',
      trainBoosting(
        data,
        target.map((y) => (y > 1 ? 1 : 0)),
        { iterations: 5, objective: 'binary' },
      ),
    ],
    [
      'poisson',
      trainBoosting(
        data,
        target.map((y) => Math.max(0, Math.round(y))),
        { iterations: 5, objective: 'poisson' },
      ),
    ],
    ['multiclass of LightGBM', readLightgbmText(lightgbmText('multiclass'))],
    ['sigmoid of 1.5', readLightgbmText(lightgbmText('binary'))],
    ['missing read as zero', readLightgbmText(lightgbmText('no-missing'))],
  ])('%s scores and explains the same after the round trip', (_, model) => {
    const again = readXgboostJson(writeXgboostJson(model));
    expect(largestDifference(predict(again, asked), predict(model, asked))).toBeLessThan(2e-6);
    const scale = model.objective.endsWith('sigmoid:1.5') ? 1.5 : 1;
    const expected = treeShap(model, asked).values.map((phi) => phi * scale);
    expect(largestDifference(treeShap(again, asked).values, expected)).toBeLessThan(2e-6);
  });

  test('levels of texts, numbers and booleans come back', () => {
    const categories = [
      ['north', 'süd', '"', ''],
      [3, 1.5, true, null],
    ];
    const model = trainBoosting(data, target, { iterations: 2 }, { categories });
    expect(readXgboostJson(writeXgboostJson(model)).categories).toEqual(categories);
  });

  test('links and missing rules that XGBoost does not have are refused', () => {
    for (const name of ['regression-sqrt', 'zero-as-missing']) {
      expect(() => writeXgboostJson(readLightgbmText(lightgbmText(name)))).toThrow(InvalidModel);
    }
  });
});

describe('XGBoost models that cannot be trusted', () => {
  const text = textOf('regression.model.json');
  const changed = (from: RegExp, to: string) => text.replace(from, to);

  test.each([
    ['a linear booster', textOf('linear.model.json'), 'gradient_booster'],
    ['no JSON', text.slice(0, 5000), 'not XGBoost JSON'],
    ['a missing part', changed(/"learner_model_param"/, '"other"'), 'learner_model_param'],
    ['an unknown objective', changed(/reg:squarederror/, 'survival:aft'), 'survival:aft'],
    ['a node reached twice', changed(/"left_children":\[1,/, '"left_children":[2,'), 'reached twice'],
    ['a feature that is not there', changed(/"split_indices":\[\d/, '"split_indices":[9'), 'splits on feature 9 of 6'],
    ['a list too short', changed(/"sum_hessian":\[4E2,/, '"sum_hessian":['), 'sum_hessian has 30'],
    ['a base score that is no number', changed(/"base_score":"[^"]*"/, '"base_score":"x"'), 'base score'],
    ['a tree for no output', changed(/"tree_info":\[0/, '"tree_info":[3'), 'output 3 of 1'],
    ['levels that are no JSON', changed(/"attributes":\{\}/, '"attributes":{"bordereau_categories":"[["}'), 'not JSON'],
    [
      'levels of other features',
      changed(/"attributes":\{\}/, '"attributes":{"bordereau_categories":"[[1,2]]"}'),
      'for each of 2 categorical features',
    ],
    [
      'levels that end outside their text',
      textOf('pandas.model.json').replace('"offsets":[0,5,', '"offsets":[0,500,'),
      'end outside',
    ],
    ['a damaged category', changed(/"categories":\[0/, '"categories":[-5'), 'categories of node 1'],
  ])('%s is refused with its place', (_, damaged, message) => {
    expect(() => readXgboostJson(damaged)).toThrow(InvalidModel);
    expect(() => readXgboostJson(damaged)).toThrow(message);
  });

  test('binary models cut or damaged anywhere are refused, or score numbers', () => {
    const bytes = readFileSync(new URL('regression.model.ubj', folder));
    const matrix = matrixOfRows(expectedOf('regression.json').rows);
    const r = random('ubjson');
    const outcome = (damaged: Uint8Array) => {
      try {
        return predict(readXgboostUbjson(damaged), matrix).some(Number.isNaN) ? 'NaN' : 'finite';
      } catch (error) {
        return error instanceof Error ? error.name : 'no error object';
      }
    };
    for (let i = 0; i < 100; i++) expect(outcome(bytes.subarray(0, r.integer(bytes.length)))).toBe('InvalidModel');
    for (let i = 0; i < 200; i++) {
      expect(outcome(bytes.with(r.integer(bytes.length), r.integer(256)))).toMatch(/^(InvalidModel|finite)$/);
    }
  });
});

describe('float32 thresholds', () => {
  test('a double goes the same way by ≤ in float64 as by < after rounding to float32', () => {
    const r = random('float32');
    for (let i = 0; i < 2000; i++) {
      const bound = i === 0 ? 0 : i === 1 ? 2 ** -149 : Math.fround(r.normal() * 10 ** (r.integer(40) - 20));
      const limit = largestBelow32(bound);
      const below = neighbour32(bound, -1);
      const middle = below + (bound - below) / 2;
      for (const x of [
        bound,
        below,
        middle,
        middle + Math.abs(middle) * 2 ** -52,
        middle - Math.abs(middle) * 2 ** -52,
      ]) {
        expect(x <= limit).toBe(Math.fround(x) < bound);
      }
      expect(smallestAbove32(limit)).toBe(bound);
    }
  });
});
