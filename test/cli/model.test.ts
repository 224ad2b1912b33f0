import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTable } from '../../src/cli/table-file.ts';
import { openSql } from '../../src/data/sql.ts';
import { fitGlm } from '../../src/ml/glm/glm.ts';
import { random } from '../../src/ml/random.ts';
import { trainBoosting } from '../../src/ml/trees/boosting.ts';
import { predict } from '../../src/ml/trees/predictor.ts';
import { largestDifference, lightgbmCase } from '../ml/formats/lightgbm-fixtures.ts';
import { columnsOf, csvOf, runCli, runJson, scratch, words } from './run-cli.ts';

const fixture = (path: string) => new URL(`../fixtures/${path}`, import.meta.url).pathname;
const expectedOf = (path: string) => JSON.parse(readFileSync(fixture(path), 'utf8')) as Expected;

type Predicted = { predictions: Record<string, number[]> };
type Expected = { rows: (number | null)[][]; prediction: number[] };

type ShapFixture = {
  rows: (number | null)[][];
  background: (number | null)[][];
  interventional: number[][];
  expected_value: number[];
  interactions: number[][][];
};
const shapFixture = () => JSON.parse(readFileSync(fixture('shap/regression.json'), 'utf8')) as ShapFixture;

describe('models of other libraries', () => {
  const regions = ['north', 'south', 'east', 'west', 'centre'];
  const pandas = expectedOf('lightgbm/pandas.json');
  const frame = columnsOf(['age', 'income', 'bmi', 'score', 'region', 'code'], pandas.rows);
  const region = frame.region.map((code) => (code === null ? null : regions[code]));

  test('a LightGBM model of a pandas frame takes columns by name, in any order, and texts by its own levels', async () => {
    const data = scratch()(
      'data.csv',
      csvOf({
        region,
        extra: region,
        code: frame.code,
        score: frame.score,
        bmi: frame.bmi,
        income: frame.income,
        age: frame.age,
      }),
    );
    const { predictions } = await runJson<Predicted>(
      ...words`model predict ${fixture('lightgbm/pandas.txt')} --data ${data}`,
    );
    expect(largestDifference(predictions.prediction, pandas.prediction)).toBeLessThan(1e-12);
  });

  test('a level that the model has not seen is a missing value', async () => {
    const score = async (cell: string | null) => {
      const data = scratch()('data.csv', csvOf({ ...frame, region: region.map(() => cell) }));
      return (await runJson<Predicted>(...words`model predict ${fixture('lightgbm/pandas.txt')} --data ${data}`))
        .predictions;
    };
    expect(await score('the moon')).toEqual(await score(null));
    expect(await score('the moon')).not.toEqual(await score('south'));
  });

  test('a column without any value is missing values, whatever type Parquet gives it', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf({ ...frame, region, age: frame.age.map(() => null) }));
    const sql = await openSql();
    const { bytes } = await sql.parquet(`SELECT * REPLACE (NULL::VARCHAR AS age) FROM read_csv('${data}')`);
    await sql.close();
    const [csv, parquet] = await Promise.all(
      [data, file('data.parquet', bytes)].map((path) =>
        readTable(path).then((table) => table.columns.find(({ name }) => name === 'age')!.kind),
      ),
    );
    expect([csv, parquet]).toEqual(['number', 'text']);
    const score = (path: string) =>
      runJson<Predicted>(...words`model predict ${fixture('lightgbm/pandas.txt')} --data ${path}`);
    expect((await score(file('data.parquet'))).predictions).toEqual((await score(data)).predictions);
  });

  test('XGBoost’s JSON and UBJSON are told by their content and score as XGBoost does', async () => {
    const expected = expectedOf('xgboost/regression.json');
    const data = scratch()('data.csv', csvOf(columnsOf(['f0', 'f1', 'f2', 'f3', 'f4', 'f5'], expected.rows)));
    for (const model of ['regression.model.json', 'regression.model.ubj']) {
      const { predictions } = await runJson<Predicted>(
        ...words`model predict ${fixture(`xgboost/${model}`)} --data ${data}`,
      );
      expect(largestDifference(predictions.prediction, expected.prediction)).toBeLessThan(1e-6);
    }
  });

  test('a model without feature names takes the columns in their order where that is asked for, several outputs too', async () => {
    const { rows, prediction } = lightgbmCase('multiclass');
    const data = scratch()('data.csv', csvOf(columnsOf(['a', 'b', 'c', 'd', 'e', 'f'], rows)));
    const model = fixture('lightgbm/multiclass.txt');
    const refused = await runCli(...words`model predict ${model} --data ${data}`);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('no column "Column_0"');
    expect(refused.err).toContain('--by-position');
    const { predictions } = await runJson<Predicted>(...words`model predict ${model} --data ${data} --by-position`);
    const byRow = rows.flatMap((_, row) => [0, 1, 2].map((k) => predictions[`prediction_${k}`][row]));
    expect(largestDifference(byRow, prediction.flat())).toBeLessThan(1e-12);
  });

  test('SHAP values of every row are LightGBM’s own, and the table is their mean', async () => {
    const { rows, contributions, raw } = lightgbmCase('regression');
    const file = scratch();
    const names = rows[0].map((_, c) => `Column_${c}`);
    const data = file('data.csv', csvOf(columnsOf(names, rows)));
    const model = fixture('lightgbm/regression.txt');
    await runJson(...words`model explain ${model} --data ${data} --out ${file('shap.csv')}`);
    const { columns } = await readTable(file('shap.csv'));
    const shap = [...names, 'expected_value'].map(
      (name) => columns.find((column) => column.name === `shap_${name}`)!.values,
    );
    const byRow = rows.flatMap((_, row) => shap.map((values) => Number(values[row])));
    expect(largestDifference(byRow, contributions.flat())).toBeLessThan(1e-12);

    const mean = (c: number) => contributions.reduce((sum, row) => sum + Math.abs(row[c]), 0) / rows.length;
    const { importance } = await runJson<{ importance: { feature: string; meanAbsolute: number }[] }>(
      ...words`model explain ${model} --data ${data} --top 3`,
    );
    const ranked = names
      .map((feature, c) => ({ feature, meanAbsolute: mean(c) }))
      .sort((a, b) => b.meanAbsolute - a.meanAbsolute);
    expect(importance.map(({ feature }) => feature)).toEqual(ranked.slice(0, 3).map(({ feature }) => feature));
    expect(importance[0].meanAbsolute).toBeCloseTo(ranked[0].meanAbsolute, 10);

    const { strongest } = await runJson<{ strongest: { rawScore: number; contributions: { value: number }[] }[] }>(
      ...words`model explain ${model} --data ${data} --per-row --top 2`,
    );
    expect(
      largestDifference(
        strongest.map(({ rawScore }) => rawScore),
        raw.flat(),
      ),
    ).toBeLessThan(1e-12);
    expect(strongest[0].contributions).toHaveLength(2);
  });

  test('SHAP values against a background are those of the package shap', async () => {
    const expected = shapFixture();
    const file = scratch();
    const names = expected.rows[0].map((_, c) => `Column_${c}`);
    const data = file('data.csv', csvOf(columnsOf(names, expected.rows)));
    const background = file('background.csv', csvOf(columnsOf(names, expected.background)));
    const model = fixture('shap/regression.txt');
    await runJson(...words`model explain ${model} --data ${data} --background ${background} --out ${file('shap.csv')}`);
    const { columns } = await readTable(file('shap.csv'));
    const valuesOf = (name: string) =>
      Array.from(columns.find((column) => column.name === `shap_${name}`)!.values, Number);
    const shap = names.map(valuesOf);
    const byRow = expected.rows.flatMap((_, row) => shap.map((values) => values[row]));
    expect(largestDifference(byRow, expected.interventional.flat())).toBeLessThan(1e-6);
    expect(valuesOf('expected_value')[0]).toBeCloseTo(expected.expected_value[0], 9);

    const told = await runCli(...words`model explain ${model} --data ${data} --background ${background}`);
    expect(told.out).toContain('The mean raw score of the background is');
  });

  test('what features do alone and two together is what the package shap says, and adds up to the raw score', async () => {
    const { rows, interactions, interventional, expected_value: expectedValue } = shapFixture();
    const asked = rows.slice(0, interactions.length);
    const file = scratch();
    const names = asked[0].map((_, c) => `Column_${c}`);
    const data = file('data.csv', csvOf(columnsOf(names, asked)));
    const model = fixture('shap/regression.txt');
    const { importance } = await runJson<{ importance: { features: string[]; meanAbsolute: number }[] }>(
      ...words`model explain ${model} --data ${data} --interactions --out ${file('shap.parquet')}`,
    );
    const mean = (i: number, j: number) =>
      interactions.reduce((sum, square) => sum + Math.abs(square[i][j]), 0) / asked.length;
    const expected = names
      .flatMap((first, i) => [
        { features: [first], meanAbsolute: mean(i, i) },
        ...names.slice(i + 1).map((second, k) => ({ features: [first, second], meanAbsolute: 2 * mean(i, i + 1 + k) })),
      ])
      .sort((a, b) => b.meanAbsolute - a.meanAbsolute);
    expect(importance.slice(0, 8).map(({ features }) => features)).toEqual(
      expected.slice(0, 8).map(({ features }) => features),
    );
    const sizes = (list: { meanAbsolute: number }[]) => list.map(({ meanAbsolute }) => meanAbsolute);
    expect(largestDifference(sizes(importance), sizes(expected))).toBeLessThan(1e-6);

    const { columns } = await readTable(file('shap.parquet'));
    const effects = columns.filter(({ name }) => name.startsWith('shap_'));
    expect(effects).toHaveLength((5 * 6) / 2 + 1);
    const sums = asked.map((_, row) => effects.reduce((sum, { values }) => sum + Number(values[row]), 0));
    const raw = asked.map((_, row) => interventional[row].reduce((sum, phi) => sum + phi, expectedValue[0]));
    expect(largestDifference(sums, raw)).toBeLessThan(1e-6);
  });

  test('pairs of features are told as a table, and not against a background or row by row', async () => {
    const { rows } = shapFixture();
    const file = scratch();
    const names = rows[0].map((_, c) => `Column_${c}`);
    const data = file('data.csv', csvOf(columnsOf(names, rows)));
    const explained = words`model explain ${fixture('shap/regression.txt')} --data ${data} --interactions`;
    const told = await runCli(...explained, '--top', '4');
    expect(told.code).toBe(0);
    expect(told.out).toContain('together with');
    for (const other of [['--per-row'], ['--background', data]]) {
      const refused = await runCli(...explained, ...other);
      expect(refused).toMatchObject({ code: 2, out: '' });
      expect(refused.err).toContain('--interactions goes with neither');
    }
  });

  test('info tells trees, importance and what happens to missing values', async () => {
    const { splits, gain } = lightgbmCase('regression');
    const told = await runJson<{
      trees: number;
      objective: string;
      splits: { nan: number; categorical: number };
      importance: { feature: string; splits: number; gain: number }[];
    }>('model', 'info', fixture('lightgbm/regression.txt'));
    expect(told).toMatchObject({ objective: 'regression', format: 'LightGBM text' });
    for (const { feature, splits: own, gain: ownGain } of told.importance) {
      const c = Number(feature.slice('Column_'.length));
      expect(own).toBe(splits[c]);
      expect(Math.abs(ownGain - gain[c])).toBeLessThan(1e-3 * Math.max(1, gain[c]));
    }
    expect(told.splits.categorical).toBeGreaterThan(0);
  });

  test('converted to the other format and back a model scores the same', async () => {
    const expected = expectedOf('xgboost/poisson.json');
    const file = scratch();
    const data = file('data.csv', csvOf(columnsOf(['f0', 'f1', 'f2', 'f3', 'f4', 'f5'], expected.rows)));
    await runJson(...words`model convert ${fixture('lightgbm/pandas.txt')} ${file('pandas.json')}`);
    await runJson(...words`model convert ${file('pandas.json')} ${file('pandas.txt')}`);
    const texts = file('texts.csv', csvOf({ ...frame, region }));
    for (const model of ['pandas.json', 'pandas.txt']) {
      const { predictions } = await runJson<Predicted>(...words`model predict ${file(model)} --data ${texts}`);
      expect(largestDifference(predictions.prediction, pandas.prediction)).toBeLessThan(1e-6);
    }
    const again = await runJson<Predicted>(
      ...words`model predict ${fixture('xgboost/poisson.model.json')} --data ${data}`,
    );
    expect(largestDifference(again.predictions.prediction, expected.prediction)).toBeLessThan(1e-6);
  });

  test('an XGBoost model of a pandas frame takes texts by its own levels', async () => {
    const { rows, prediction, levels } = expectedOf('xgboost/pandas.json') as Expected & {
      levels: (string | number)[][];
    };
    const { age, ...codes } = columnsOf(['age', 'region', 'code'], rows);
    const textsOf = (column: (number | null)[], k: number) =>
      column.map((code) => (code === null ? null : levels[k][code]));
    const data = scratch()('data.csv', csvOf({ age, region: textsOf(codes.region, 0), code: textsOf(codes.code, 1) }));
    const { predictions } = await runJson<Predicted>(
      ...words`model predict ${fixture('xgboost/pandas.model.json')} --data ${data}`,
    );
    expect(largestDifference(predictions.prediction, prediction)).toBeLessThan(1e-6);
  });

  test('texts are refused by a model that has only codes', async () => {
    const { rows } = expectedOf('xgboost/regression.json');
    const columns = columnsOf(['f0', 'f1', 'f2', 'f3', 'f4', 'f5'], rows);
    const data = scratch()('data.csv', csvOf({ ...columns, f4: rows.map(() => 'north') }));
    const refused = await runCli(...words`model predict ${fixture('xgboost/regression.model.json')} --data ${data}`);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('only the codes of this category');
  });
});

describe('damaged models are refused by name, with exit code 2 and nothing on stdout', () => {
  const text = readFileSync(fixture('lightgbm/pandas.txt'), 'utf8');
  const json = readFileSync(fixture('xgboost/regression.model.json'), 'utf8');
  test.each<[string, string | Uint8Array, RegExp]>([
    ['cut-off LightGBM text', text.slice(0, 2000), /cut off/],
    ['LightGBM text of another version', text.replace('version=v4', 'version=v9'), /v9/],
    [
      'LightGBM text with a leaf that is no number',
      text.replace(/leaf_value=\S+/, 'leaf_value=banana'),
      /leaf_value of tree 0/,
    ],
    ['cut-off XGBoost JSON', json.slice(0, 2000), /JSON is damaged/],
    [
      'cut-off XGBoost UBJSON',
      readFileSync(fixture('xgboost/regression.model.ubj')).subarray(0, 1000),
      /UBJSON is damaged/,
    ],
    ['a linear booster', readFileSync(fixture('xgboost/linear.model.json'), 'utf8'), /cannot be read/],
    ['a GLM without its coefficients', '{"format":"bordereau-glm","version":1}', /GLM is damaged/],
    ['another file', 'age,bmi\n1,2\n', /begins like none/],
    ['an empty file', '', /empty/],
  ])('%s', async (_, content, reason) => {
    const file = scratch();
    const ran = await runCli(
      ...words`model predict ${file('model.bin', content)} --data ${file('data.csv', 'f0\n1\n')}`,
    );
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toMatch(reason);
    expect(ran.err).toContain('model.bin');
  });

  test('trees are not written as TensorFlow Lite', async () => {
    const { code, err } = await runCli(
      ...words`model convert ${fixture('lightgbm/pandas.txt')} ${scratch()('out.tflite')}`,
    );
    expect(code).toBe(2);
    expect(err).toMatch(/written as .txt .* not .*out.tflite/);
  });
});

/** Seeded policies: a skewed amount that depends on an age, a habit and a region; a count over years of exposure. */
function policies(rows: number) {
  const r = random('policies');
  const each = <T>(make: () => T) => Array.from({ length: rows }, make);
  const age = each(() => 18 + r.integer(60));
  const smoker = each(() => r.choice(['yes', 'no', 'no', 'no']));
  const region = each(() => r.choice(['north', 'south', 'east', null]));
  const years = each(() => Math.round(100 * (0.1 + r.uniform())) / 100);
  const rate = (i: number) => 0.3 * Math.exp((age[i] - 40) / 40 + (smoker[i] === 'yes' ? 0.8 : 0));
  const claims = age.map((_, i) => r.poisson(rate(i) * years[i]));
  const charges = age.map(
    (a, i) => Math.round(100 * (1000 + 80 * a + (smoker[i] === 'yes' ? 9000 : 0)) * r.gamma(8, 1 / 8)) / 100,
  );
  return { age, smoker, region, years, claims, charges };
}

type Metric = { name: string; estimate: { value: number; low: number; high: number }; ofConstant: number };
type Fitted = {
  evaluation: { metrics: Metric[]; rows: number; actuarial: unknown };
  judgedBy: string;
  trees: number;
  leftOutRows: number;
};
const metricOf = ({ evaluation }: Fitted, name: string) => evaluation.metrics.find((metric) => metric.name === name)!;

describe('model fit', () => {
  const table = policies(600);

  test('writes the very model that the trainer makes of the same matrix', async () => {
    const file = scratch();
    const { age, smoker, charges } = table;
    const data = file('data.csv', csvOf({ age, smoker, charges }));
    await runJson<Fitted>(
      ...words`model fit ${file('cost.txt')} --data ${data} --label charges --objective gamma --num-leaves 8 --iterations 20 --lambda-l2 1e-1 --monotone-constraints age=1 --seed 7 --resamples 20`,
    );
    const { predictions } = await runJson<Predicted>(...words`model predict ${file('cost.txt')} --data ${data}`);

    const codes = smoker.map((word) => ['no', 'yes'].indexOf(word));
    const matrix = {
      rows: 600,
      columns: 2,
      names: ['age', 'smoker'],
      values: Float64Array.from([...age, ...codes]),
      categorical: [1],
    };
    const model = trainBoosting(matrix, Float64Array.from(charges), {
      objective: 'gamma',
      numLeaves: 8,
      iterations: 20,
      lambdaL2: 0.1,
      monotoneConstraints: [1, 0],
      seed: '7',
    });
    expect(largestDifference(predictions.prediction, predict(model, matrix))).toBeLessThan(1e-12);
  });

  test('judges by rows that the model has not seen, beside the best constant, with intervals', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf(table));
    const command = words`model fit ${file('cost.txt')} --data ${data} --label charges --exclude claims,years --iterations 40 --num-leaves 6 --resamples 100`;
    const fitted = await runJson<Fitted>(...command);
    expect(fitted.judgedBy).toContain('5-fold cross-validation');
    expect(fitted.evaluation.rows).toBe(600);
    const r2 = metricOf(fitted, 'r2');
    expect(r2.ofConstant).toBeCloseTo(0, 12);
    // noise of the labels leaves about .7 to explain
    expect(r2.estimate.low).toBeGreaterThan(0.5);
    expect(r2.estimate.high).toBeLessThan(0.85);
    expect(r2.estimate.low).toBeLessThan(r2.estimate.value);
    const first = readFileSync(file('cost.txt'));
    await runJson<Fitted>(...command);
    expect(readFileSync(file('cost.txt')).equals(first)).toBe(true);
  });

  test('stops early by rows that are neither learnt from nor judged', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf(table));
    const fitted = await runJson<Fitted>(
      ...words`model fit ${file('m.json')} --data ${data} --label charges --features age,smoker --validation-share 0.2 --early-stopping-rounds 5 --iterations 500 --resamples 20`,
    );
    expect(fitted.evaluation.rows).toBe(120);
    expect(fitted.trees).toBeLessThan(200);
    const alone = await runCli(
      ...words`model fit ${file('m.txt')} --data ${data} --label charges --early-stopping-rounds 5`,
    );
    expect(alone.code).toBe(2);
    expect(alone.err).toContain('needs --validation-share');
  });

  test('a Poisson GLM over exposure predicts exactly as many claims as there were', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf(table));
    const fitted = await runJson<Fitted>(
      ...words`model fit ${file('freq.json')} --kind glm --data ${data} --label claims --exposure years --objective poisson --exclude charges --resamples 20`,
    );
    const { predictions } = await runJson<Predicted>(
      ...words`model predict ${file('freq.json')} --data ${data} --exposure years`,
    );
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    expect(sum(predictions.prediction)).toBeCloseTo(sum(table.claims), 6);
    expect(metricOf(fitted, 'd2').estimate.value).toBeGreaterThan(0.05);
    expect(fitted.evaluation.actuarial).not.toBeNull();

    // with the log of the exposure as an offset it is the same model
    const { age, smoker, region, years, claims } = table;
    const values = [
      age,
      ...['yes'].map((level) => smoker.map((word) => Number(word === level))),
      ...['missing', 'north', 'south'].map((level) => region.map((word) => Number((word ?? 'missing') === level))),
    ];
    const matrix = {
      rows: 600,
      columns: 5,
      names: ['age', 'smoker', 'missing', 'north', 'south'],
      values: Float64Array.from(values.flat()),
    };
    const glm = fitGlm(matrix, Float64Array.from(claims), { family: 'poisson', exposure: Float64Array.from(years) });
    const { terms } = await runJson<{ terms: { coefficient: number }[] }>('model', 'info', file('freq.json'));
    expect(
      largestDifference(
        terms.map(({ coefficient }) => coefficient),
        glm.terms.map(({ coefficient }) => coefficient),
      ),
    ).toBeLessThan(1e-7);
  });

  test('boosted claim frequencies come with Gini, deviance, A/E and lift, and totals over exposure', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf(table));
    const { code, out } = await runCli(
      ...words`model fit ${file('freq.txt')} --data ${data} --label claims --exposure years --objective poisson --exclude charges --iterations 30 --num-leaves 4 --resamples 20`,
    );
    expect(code).toBe(0);
    for (const word of ['ordered Gini', 'Poisson deviance', 'A/E', 'lift', 'tenth']) expect(out).toContain(word);
    const rates = await runJson<Predicted>(...words`model predict ${file('freq.txt')} --data ${data}`);
    const totals = await runJson<Predicted>(
      ...words`model predict ${file('freq.txt')} --data ${data} --exposure years`,
    );
    expect(totals.predictions.prediction[5]).toBeCloseTo(rates.predictions.prediction[5] * table.years[5], 12);
  });

  test('a forest on a label of texts gives probabilities; rows without a label are left out', async () => {
    const file = scratch();
    const smoker = table.smoker.map((word, i) => (i % 10 === 0 ? null : word));
    const data = file('data.csv', csvOf({ ...table, smoker }));
    const fitted = await runJson<Fitted>(
      ...words`model fit ${file('forest.txt')} --data ${data} --label smoker --positive yes --kind random-forest --trees 20 --min-child-samples 5 --resamples 20`,
    );
    expect(fitted.leftOutRows).toBe(60);
    expect(metricOf(fitted, 'roc_auc').estimate.value).toBeGreaterThan(0.9);
    expect(metricOf(fitted, 'roc_auc').ofConstant).toBe(0.5);
  });

  test('a quantile is judged by its own loss and by how much lies below it', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf(table));
    const fitted = await runJson<Fitted>(
      ...words`model fit ${file('high.txt')} --data ${data} --label charges --features age,smoker --objective quantile --alpha 0.8 --iterations 40 --num-leaves 4 --resamples 50`,
    );
    const { estimate } = metricOf(fitted, 'share_at_or_below');
    expect(Math.abs(estimate.value - 0.8)).toBeLessThan(0.08);
    const pinball = metricOf(fitted, 'pinball_loss');
    expect(pinball.estimate.high).toBeLessThan(pinball.ofConstant);
  });

  test('the file of predictions has the table’s own columns and feeds evaluate', async () => {
    const file = scratch();
    const data = file('data.csv', csvOf(table));
    await runJson(...words`model fit ${file('m.txt')} --data ${data} --label charges --iterations 10 --resamples 20`);
    await runJson(...words`model predict ${file('m.txt')} --data ${data} --out ${file('scored.parquet')}`);
    const judged = await runJson<{ kind: string; rows: number }>(
      ...words`evaluate ${file('scored.parquet')} --label charges --prediction prediction --resamples 20`,
    );
    expect(judged).toMatchObject({ kind: 'regression', rows: 600 });
  });
});

describe('command lines that cannot be meant are refused before any work', () => {
  const data = csvOf(policies(60));
  const fit = ['model', 'fit', 'DIR/m.txt', '--data', 'DIR/data.csv', '--label', 'charges'];
  test.each<[string, string[], string]>([
    ['a misspelt parameter', [...fit, '--num-leafs', '3'], 'Did you mean --num-leaves?'],
    [
      'a parameter of another kind',
      [...fit, '--kind', 'random-forest', '--learning-rate', '0.1'],
      '--learning-rate is a parameter of gradient-boosting',
    ],
    ['a parameter out of its range', [...fit, '--learning-rate', '0'], 'learningRate'],
    ['a parameter that is no number', [...fit, '--max-depth', 'deep'], '--max-depth takes a number'],
    ['an option of another verb', ['model', 'info', 'DIR/m.txt', '--label', 'x'], '"model info" has no option --label'],
    ['an unknown objective', [...fit, '--objective', 'cube'], '--objective takes squared_error'],
    ['an objective that the label does not fit', [...fit, '--objective', 'binary'], 'not 0 or 1 in every row'],
    ['a label of texts', ['model', 'fit', 'DIR/m.txt', '--data', 'DIR/data.csv', '--label', 'smoker'], '--positive'],
    [
      'a misspelt column',
      ['model', 'fit', 'DIR/m.txt', '--data', 'DIR/data.csv', '--label', 'chargs'],
      'Did you mean "charges"?',
    ],
    ['the label among the features', [...fit, '--features', 'age,charges'], 'cannot be a feature'],
    ['exposure that is not above 0', [...fit, '--exposure', 'claims'], 'no exposure in row'],
    ['a constraint on no feature', [...fit, '--monotone-constraints', 'height=1'], 'COLUMN=1'],
    [
      'a model file of no known extension',
      ['model', 'fit', 'DIR/m.pkl', '--data', 'DIR/data.csv', '--label', 'charges'],
      '.txt (LightGBM) or .json (XGBoost)',
    ],
    [
      'a data file that is not there',
      ['model', 'fit', 'DIR/m.txt', '--data', 'DIR/none.csv', '--label', 'charges'],
      'There is no file',
    ],
    ['an unknown verb', ['model', 'train'], '"model" knows fit, predict'],
    ['too few files', ['model', 'convert', 'DIR/m.txt'], 'takes 2 files'],
  ])('%s', async (_, argv, message) => {
    const file = scratch();
    file('data.csv', data);
    const folder = file('').replace(/\/$/, '');
    const ran = await runCli(...argv.map((word) => word.replace('DIR', folder)));
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(message);
  });

  test('a column that the data lack, and one that holds something else, are named', async () => {
    const file = scratch();
    const whole = file('data.csv', data);
    await runJson(...words`model fit ${file('m.txt')} --data ${whole} --label charges --iterations 3 --resamples 5`);
    const lacking = await runCli(
      ...words`model predict ${file('m.txt')} --data ${file('less.csv', 'age,smoker\n40,yes\n')}`,
    );
    expect(lacking).toMatchObject({ code: 2, out: '' });
    expect(lacking.err).toContain('no column "region"');
    const other = file('other.csv', 'age,smoker,region,years,claims\nold,yes,north,1,0\n');
    expect((await runCli(...words`model predict ${file('m.txt')} --data ${other}`)).err).toContain('column age');
    const coded = file('coded.csv', 'age,smoker,region,years,claims\n40,true,north,1,0\n50,false,north,1,0\n');
    expect((await runCli(...words`model predict ${file('m.txt')} --data ${coded}`)).err).toContain(
      'coded in another way',
    );
  });

  test('help shows examples first and every parameter of the trainers', async () => {
    const { out } = await runCli('model', '--help');
    expect(out.indexOf('Examples:')).toBeLessThan(out.indexOf('Usage:'));
    for (const option of [
      '--num-leaves',
      '--lambda-l1',
      '--categorical-l2',
      '--max-categories-per-split',
      '--bootstrap',
    ]) {
      expect(out).toContain(option);
    }
  });
});
