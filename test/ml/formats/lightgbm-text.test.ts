import { describe, expect, test } from 'vitest';
import { readLightgbmText, writeLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { treeShap } from '../../../src/ml/shap/tree-shap.ts';
import { featureImportance } from '../../../src/ml/trees/importance.ts';
import { InvalidModel, categoricalBit, defaultLeftBit } from '../../../src/ml/trees/model.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { lightgbmCase, lightgbmCases, lightgbmText, largestDifference, matrixOfRows } from './lightgbm-fixtures.ts';

describe('models trained by LightGBM', () => {
  test.each(lightgbmCases)('%s: scores, predictions and SHAP values are those of LightGBM', (name) => {
    const model = readLightgbmText(lightgbmText(name));
    const expected = lightgbmCase(name);
    const matrix = matrixOfRows(expected.rows);
    // of a forest LightGBM reports raw scores and SHAP values as sums over the trees, its prediction as their mean
    const means = (sums: number[]) => (model.averaged ? sums.map((sum) => sum / model.trees.length) : sums);
    expect(largestDifference(predict(model, matrix, { raw: true }), means(expected.raw.flat()))).toBeLessThan(1e-12);
    expect(largestDifference(predict(model, matrix), expected.prediction.flat())).toBeLessThan(1e-12);
    expect(largestDifference(treeShap(model, matrix).values, means(expected.contributions.flat()))).toBeLessThan(1e-12);

    const importance = featureImportance(model);
    expect(importance.map(({ splits }) => splits)).toEqual(expected.splits);
    const gain = importance.map((feature) => feature.gain);
    expect(largestDifference(gain, expected.gain)).toBeLessThan(1e-5); // LightGBM writes gains with six digits
  });

  test.each(lightgbmCases)('%s: written and read again it is the same model', (name) => {
    const model = readLightgbmText(lightgbmText(name));
    const text = writeLightgbmText(model);
    expect(readLightgbmText(text)).toEqual(model);
    expect(writeLightgbmText(readLightgbmText(text))).toBe(text);
  });

  test('the levels of a pandas category column come along and go out again', () => {
    const model = readLightgbmText(lightgbmText('pandas'));
    const levels = ['north', 'south', 'east', 'west', 'centre'];
    expect(model.categorical).toEqual([4]);
    expect(model.categories).toEqual([levels]);
    expect(readLightgbmText(writeLightgbmText(model)).categories).toEqual([levels]);
    const { rows, prediction } = lightgbmCase('pandas');
    expect(largestDifference(predict(model, matrixOfRows(rows)), prediction.flat())).toBeLessThan(1e-12);
  });
});

/** The name of the error that reading or scoring ends with, or whether all scores are numbers. */
function outcome(text: string, matrix: Matrix): string {
  try {
    return predict(readLightgbmText(text), matrix).some(Number.isNaN) ? 'NaN' : 'finite';
  } catch (error) {
    return error instanceof Error ? error.name : 'no error object';
  }
}

describe('model text that cannot be trusted', () => {
  const text = lightgbmText('regression');

  test('a text that ends anywhere before its end is refused', () => {
    const r = random('truncation');
    const end = text.indexOf('end of trees');
    for (let i = 0; i < 100; i++) {
      const cut = r.integer(end);
      expect(() => readLightgbmText(text.slice(0, cut)), `cut at ${cut}`).toThrow(InvalidModel);
    }
  });

  test('a changed digit or letter never gives NaN: it is refused, or the scores stay finite', () => {
    const r = random('damage');
    const matrix = matrixOfRows(lightgbmCase('regression').rows);
    for (let i = 0; i < 300; i++) {
      const at = r.integer(text.indexOf('end of trees'));
      const damaged = text.slice(0, at) + r.choice('x-9 \n=.e') + text.slice(at + 1);
      expect(outcome(damaged, matrix)).toMatch(/^(InvalidModel|finite)$/);
    }
  });

  test.each([
    ['another version', text.replace('version=v4', 'version=v9'), 'version v9'],
    ['something else', '{"learner":{}}', 'first line is not "tree"'],
    ['linear leaves', lightgbmText('linear-tree'), 'linear leaves'],
    ['a feature that is not there', text.replace(/^split_feature=\d/m, 'split_feature=7'), 'splits on feature 7 of 6'],
    ['a circle', text.replace(/^left_child=-?\d+/m, 'left_child=0'), 'does not make a tree'],
    ['a missing key', text.replace(/^leaf_value=.*\n/m, ''), 'tree 0 has no "leaf_value"'],
    ['a value that is no number', text.replace(/^leaf_value=\S+/m, 'leaf_value=nan'), 'leaf_value of tree 0'],
    ['too few feature names', text.replace('Column_0 ', ''), '5 names'],
    ['a missing tree', text.replace(/^Tree=3\n[^]*?(?=^Tree=4)/m, ''), '11 trees follow'],
  ])('%s is refused with its place', (_, damaged, message) => {
    expect(() => readLightgbmText(damaged)).toThrow(InvalidModel);
    expect(() => readLightgbmText(damaged)).toThrow(message);
  });

  test('data with another number of columns is refused', () => {
    const model = readLightgbmText(text);
    expect(() => predict(model, matrixOfRows([[1, 2]]))).toThrow('has 6 features');
    expect(() => treeShap(model, matrixOfRows([[1, 2]]))).toThrow(InvalidModel);
  });

  test('what LightGBM text cannot say is not written', () => {
    const model = readLightgbmText(text);
    expect(() => writeLightgbmText({ ...model, featureNames: ['body mass', ...model.featureNames.slice(1)] })).toThrow(
      'by blanks',
    );
    const tree = { ...model.trees[0], decision: model.trees[0].decision.map(() => categoricalBit | defaultLeftBit) };
    expect(() => writeLightgbmText({ ...model, trees: [tree] })).toThrow('categorical split');
  });
});
