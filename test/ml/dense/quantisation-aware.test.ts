import { beforeAll, expect, test } from 'vitest';
import { tfjsBackends } from '../../../src/adapters/embedded/tfjs-backend.ts';
import { useBackend } from '../../../src/ml/dense/backend.ts';
import { meanLoss } from '../../../src/ml/dense/loss.ts';
import type { DenseNetwork } from '../../../src/ml/dense/network.ts';
import { fineTuneForInt8 } from '../../../src/ml/dense/quantisation-aware.ts';
import { trainingRows } from '../../../src/ml/dense/rows.ts';
import { trainDense } from '../../../src/ml/dense/train.ts';
import { tfliteOf } from '../../../src/ml/formats/tflite/network.ts';
import { tflitePredictor } from '../../../src/ml/formats/tflite/predictor.ts';
import { toInt8 } from '../../../src/ml/formats/tflite/quantise.ts';
import { random } from '../../../src/ml/random.ts';

const objective = 'squared_error' as const;
const stream = random('fine tuning');
const columns = 6;

/** A surface that 256 steps per activation show as steps. */
function examples(rows: number) {
  const values = Float64Array.from({ length: rows * columns }, () => stream.normal());
  const at = (row: number, c: number) => values[c * rows + row];
  const target = Float64Array.from(
    { length: rows },
    (_, row) => 3 * at(row, 0) + 2 * Math.abs(at(row, 1)) - at(row, 2),
  );
  const names = Array.from({ length: columns }, (_, c) => `x${c}`);
  return trainingRows({ rows, columns, names, values }, target, undefined, { objective, scalePosWeight: 1 });
}

const train = examples(2000);
const judged = examples(1000);
const representative = train.features.subarray(0, 300 * columns);
const integerLoss = (network: DenseNetwork) =>
  meanLoss(
    objective,
    tflitePredictor(toInt8(tfliteOf(network), representative), { raw: true })(judged.features),
    judged,
  );
const floatLoss = (network: DenseNetwork) =>
  meanLoss(objective, tflitePredictor(tfliteOf(network))(judged.features), judged);

let network: DenseNetwork;
beforeAll(async () => {
  await useBackend(tfjsBackends, 'wasm');
  const { rows, values } = { rows: 2000, values: new Float64Array(train.features.length) };
  train.features.forEach((value, i) => (values[(i % columns) * rows + Math.floor(i / columns)] = value));
  const names = Array.from({ length: columns }, (_, c) => `x${c}`);
  const data = { rows, columns, names, values };
  ({ network } = await trainDense(data, train.target, {
    objective,
    epochs: 10,
    batchSize: 64,
    learningRate: 0.03,
    hidden: [8, 4],
  }));
});

test('training on under the rounding takes back part of what int8 costs', () => {
  const tuned = fineTuneForInt8(network, train, { objective, representative, epochs: 5 });
  const cost = integerLoss(network) - floatLoss(network);
  expect(cost).toBeGreaterThan(0);
  expect(integerLoss(tuned) - floatLoss(network)).toBeLessThan(cost);
});

test('the same seed gives the same weights, and the network given stays as it was', () => {
  const before = structuredClone(network);
  const tune = (seed: number) => fineTuneForInt8(network, train, { objective, representative, epochs: 1, seed });
  expect(tune(1)).toEqual(tune(1));
  expect(tune(1)).not.toEqual(tune(2));
  expect(network).toEqual(before);
});

test('rows of another width are refused', () => {
  const narrow = { ...train, features: train.features.subarray(1) };
  expect(() => fineTuneForInt8(network, narrow, { objective, representative })).toThrow(/6 features and 1 outputs/);
});
