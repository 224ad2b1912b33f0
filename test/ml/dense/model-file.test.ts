import { expect, test } from 'vitest';
import { designOf, readDenseFile, writeDenseFile } from '../../../src/ml/dense/model-file.ts';
import { applyDesign, fitDesign } from '../../../src/ml/encoders/design.ts';
import { networkOf, tfliteOf } from '../../../src/ml/formats/tflite/network.ts';
import { predictTflite } from '../../../src/ml/formats/tflite/predictor.ts';
import { toInt8 } from '../../../src/ml/formats/tflite/quantise.ts';
import { readTflite } from '../../../src/ml/formats/tflite/reader.ts';
import { writeTflite } from '../../../src/ml/formats/tflite/writer.ts';
import { random } from '../../../src/ml/random.ts';
import { normals, randomNetwork, tfliteBytes } from '../formats/tflite/tflite-fixtures.ts';

const columns = { age: [20, 40, NaN, 70], days: [1, 30, 365, 2] };
const design = fitDesign(columns, [
  { column: 'age', as: 'number', impute: 'median', indicator: true, scale: 'standard' },
  { column: 'days', as: 'number', scale: 'standard' },
]);
const network = { ...randomNetwork([3, 4, 1], 'sigmoid', random('file')), featureNames: design.names };
const float = tfliteOf(network);

test('a file holds network and encoders, whatever its precision', () => {
  for (const model of [float, toInt8(float, normals(30, random('rows')))]) {
    const again = readDenseFile(writeDenseFile({ design, model }));
    expect(again.design).toEqual(design);
    expect(networkOf(again.model).featureNames).toEqual(['age', 'age=missing', 'days']);
    const matrix = applyDesign(again.design, columns);
    expect(predictTflite(again.model, matrix)).toEqual(predictTflite(model, applyDesign(design, columns)));
  }
});

test('a file of another program has no encoders, and damaged ones are told', () => {
  const foreign = tfliteBytes('claims.float');
  expect(designOf(readTflite(foreign))).toBeNull();
  expect(() => readDenseFile(foreign)).toThrow(/no encoders/);
  const file = (text: string) =>
    writeTflite({ ...float, metadata: { ...float.metadata, bordereau_design: new TextEncoder().encode(text) } });
  expect(() => readDenseFile(file('{"kind":'))).toThrow(/cannot be read/);
  expect(() => readDenseFile(file('{"kind":"design","version":2}'))).toThrow(/another version/);
  expect(() => readDenseFile(file(JSON.stringify({ ...design, names: ['age'] })))).toThrow(/1 features/);
});

test('a missing feature is a named error, not NaN', () => {
  const matrix = { rows: 1, columns: 3, names: design.names, values: Float64Array.of(0, 0, NaN) };
  expect(() => predictTflite(float, matrix)).toThrow(/The feature days is missing .* row 1/);
});
