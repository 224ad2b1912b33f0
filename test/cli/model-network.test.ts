import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTable } from '../../src/cli/table-file.ts';
import { writeDenseFile } from '../../src/ml/dense/model-file.ts';
import { predictDense } from '../../src/ml/dense/network.ts';
import { denseShap } from '../../src/ml/dense/shap.ts';
import { applyDesign, fitDesign } from '../../src/ml/encoders/design.ts';
import { tfliteOf } from '../../src/ml/formats/tflite/network.ts';
import { readTflite } from '../../src/ml/formats/tflite/reader.ts';
import { toDynamicRange } from '../../src/ml/formats/tflite/quantise.ts';
import { random } from '../../src/ml/random.ts';
import { largestGap, randomNetwork, tfliteBytes, tfliteFixture } from '../ml/formats/tflite/tflite-fixtures.ts';
import { csvOf, runCli, runJson, scratch, words } from './run-cli.ts';

type Predicted = { predictions: { prediction: number[] } };

const stream = random('network');
const claims = {
  age: Array.from({ length: 120 }, (_, row) => (row % 11 === 0 ? null : 20 + stream.integer(60))),
  charges: Array.from({ length: 120 }, () => Math.round(stream.gamma(2, 900))),
  payer: Array.from({ length: 120 }, () => stream.choice(['commercial', 'medicare', 'medicaid'])),
};
const columns = { ...claims, age: Float64Array.from(claims.age, (age) => age ?? NaN) };
const design = fitDesign(columns, [
  { column: 'age', as: 'number', impute: 'median', scale: 'standard' },
  { column: 'charges', as: 'number', scale: 'standard' },
  { column: 'payer', as: 'oneHot' },
]);
const network = { ...randomNetwork([5, 8, 1], 'sigmoid', stream), featureNames: design.names };
const matrix = applyDesign(design, columns);
const bytes = writeDenseFile({ design, model: tfliteOf(network) });

function files() {
  const file = scratch();
  return { file, model: file('net.tflite', bytes), data: file('claims.csv', csvOf({ note: claims.payer, ...claims })) };
}

describe('a network of this product', () => {
  test('takes columns by name through the encoders in its own file', async () => {
    const { model, data } = files();
    const { predictions } = await runJson<Predicted>(...words`model predict ${model} --data ${data}`);
    expect(largestGap(predictions.prediction, predictDense(network, matrix))).toBeLessThan(1e-6);
    const raw = await runJson<Predicted>(...words`model predict ${model} --data ${data} --raw`);
    expect(largestGap(raw.predictions.prediction, predictDense(network, matrix, { raw: true }))).toBeLessThan(1e-5);
  });

  test('is explained against the rows of a background, or against the table itself', async () => {
    const { model, data, file } = files();
    const expected = denseShap(network, matrix, matrix, {});
    const command = words`model explain ${model} --data ${data} --background ${data} --out ${file('shap.csv')}`;
    // 100 of the 120 rows are drawn, so the mean moves a little
    await runJson(...command);
    const { columns: written } = await readTable(file('shap.csv'));
    const charges = written.find(({ name }) => name === 'shap_charges')!.values as Float64Array;
    const exact = Float64Array.from({ length: 120 }, (_, row) => expected.values[row * 6 + 1]);
    expect(largestGap(charges, exact)).toBeLessThan(0.1 * Math.max(...exact.map(Math.abs)) + 0.05);
    const shap = written.filter(({ name }) => name.startsWith('shap_')).map(({ values }) => values as Float64Array);
    const sums = Float64Array.from({ length: 120 }, (_, row) => shap.reduce((sum, values) => sum + values[row], 0));
    expect(largestGap(sums, predictDense(network, matrix, { raw: true }))).toBeLessThan(1e-6);

    const { out } = await runCli(...words`model explain ${model} --data ${data} --top 2`);
    expect(out).toContain('100 drawn rows of this table (--background gives others)');
  });

  test('becomes int8 by representative rows, with what that changes, and still takes columns by name', async () => {
    const { model, data, file } = files();
    type Converted = {
      precision: string;
      evidence: { scoreDifference: { max: number }; bytes: { constantsRatio: number } };
    };
    const { precision, evidence } = await runJson<Converted>(
      ...words`model convert ${model} ${file('int8.tflite')} --to int8 --representative ${data}`,
    );
    expect(precision).toBe('int8');
    expect(evidence.bytes.constantsRatio).toBeLessThan(0.45);
    const { predictions } = await runJson<Predicted>(...words`model predict ${file('int8.tflite')} --data ${data}`);
    const gap = largestGap(predictions.prediction, predictDense(network, matrix));
    expect(gap).toBeLessThan(0.05);
    expect(gap).toBeCloseTo(evidence.scoreDifference.max, 6);

    const again = await runCli(...words`model convert ${file('int8.tflite')} ${file('b.tflite')} --to dynamic-range`);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/is int8 already/);
  });

  test('becomes dynamic range without data', async () => {
    const { model, file } = files();
    await runJson(...words`model convert ${model} ${file('small.tflite')} --to dynamic-range`);
    const written = readTflite(Uint8Array.from(readFileSync(file('small.tflite'))));
    expect(written).toEqual(toDynamicRange(readTflite(bytes)));
  });

  test('info says what is in it', async () => {
    const { model } = files();
    const { out } = await runCli(...words`model info ${model}`);
    for (const text of [
      'TensorFlow Lite',
      'float32',
      'FULLY_CONNECTED, LOGISTIC',
      'payer (oneHot)',
      'relu',
      'sigmoid',
    ]) {
      expect(out).toContain(text);
    }
    const info = await runJson<{ layers: object[]; parameters: number }>(...words`model info ${model}`);
    expect(info.layers).toHaveLength(2);
    expect(info.parameters).toBe(5 * 8 + 8 + 8 + 1);
  });

  test('a missing value that nothing imputes, and wrong options, are said by name', async () => {
    const { model, data, file } = files();
    const text = file('text.csv', csvOf({ ...claims, charges: claims.payer }));
    const refused = async (...argv: string[]) => {
      const { code, err } = await runCli(...argv);
      expect(code).toBe(2);
      return err;
    };
    expect(await refused(...words`model predict ${model} --data ${text}`)).toMatch(/charges .* holds texts/);
    const gaps = file('gaps.csv', csvOf({ ...claims, charges: claims.age }));
    expect(await refused(...words`model predict ${model} --data ${gaps}`)).toMatch(/charges is missing .* row 1/);
    expect(await refused(...words`model predict ${model} --data ${data} --by-position`)).toMatch(/by name/);
    expect(await refused(...words`model explain ${model} --data ${data} --interactions`)).toMatch(/for trees/);
    expect(await refused(...words`model convert ${model} ${file('o.tflite')}`)).toMatch(/--to is missing/);
    expect(await refused(...words`model convert ${model} ${file('o.txt')} --to int8`)).toMatch(/written as .tflite/);
    expect(await refused(...words`model convert ${model} ${file('o.tflite')} --to int8`)).toMatch(/--representative/);
    const cut = file('cut.tflite', bytes.slice(0, 500));
    expect(await refused(...words`model info ${cut}`)).toMatch(/cut.tflite: .* damaged or truncated/);
  });
});

describe('files of TensorFlow’s converter', () => {
  const { reals, realAnswers } = tfliteFixture('claims.float');
  const rows = 50;
  const table = Object.fromEntries(
    Array.from({ length: 7 }, (_, c) => [`x${c}`, Array.from({ length: rows }, (_, row) => reals[row * 7 + c])]),
  );

  test('take the columns of a table in their order', async () => {
    const file = scratch();
    const model = file('foreign.tflite', tfliteBytes('claims.float'));
    const data = file('data.csv', csvOf(table));
    const { predictions } = await runJson<Predicted>(...words`model predict ${model} --data ${data} --by-position`);
    expect(largestGap(predictions.prediction, realAnswers.subarray(0, rows))).toBeLessThan(1e-6);
    const { err } = await runCli(...words`model predict ${model} --data ${data}`);
    expect(err).toContain('--by-position');
  });

  test('with an operator that is not known are refused by its name', async () => {
    const { code, err } = await runCli(...words`model info ${scratch()('tanh.tflite', tfliteBytes('tanh.float'))}`);
    expect(code).toBe(2);
    expect(err).toContain('TANH');
  });
});
