import { beforeAll, describe, expect, test } from 'vitest';
import { tfjsBackends } from '../../../src/adapters/embedded/tfjs-backend.ts';
import { BackendMissing, type DenseBackend, useBackend } from '../../../src/ml/dense/backend.ts';
import { outputLoss } from '../../../src/ml/dense/loss.ts';
import { parameterCount, predictDense } from '../../../src/ml/dense/network.ts';
import { trainDense } from '../../../src/ml/dense/train.ts';
import { type Matrix, takeRows } from '../../../src/ml/matrix.ts';
import { rocAuc } from '../../../src/ml/metrics/roc.ts';
import { random } from '../../../src/ml/random.ts';
import { largestGap } from '../formats/tflite/tflite-fixtures.ts';

/** Standardised features and labels that depend on three of them. */
function examples(rows: number, seed: string): { data: Matrix; target: Float64Array } {
  const stream = random(seed);
  const columns = 7;
  const values = Float64Array.from({ length: rows * columns }, () => stream.normal());
  const at = (row: number, c: number) => values[c * rows + row];
  const target = Float64Array.from({ length: rows }, (_, row) => {
    const logOdds = 2 * at(row, 0) - 1.5 * at(row, 1) * at(row, 2) - 0.5;
    return Number(stream.uniform() < 1 / (1 + Math.exp(-logOdds)));
  });
  return { data: { rows, columns, names: Array.from({ length: columns }, (_, c) => `x${c}`), values }, target };
}

const train = examples(1500, 'train');
const validation = examples(500, 'validation');
const weightsOf = ({ network }: Awaited<ReturnType<typeof trainDense>>) =>
  network.layers.flatMap(({ weights, bias }) => [...weights, ...bias]);

describe('training', () => {
  beforeAll(() => useBackend(tfjsBackends, 'wasm'));

  test('gives the shape asked for, lowers the loss and ranks unseen rows well', async () => {
    const { network, history, bestEpoch } = await trainDense(
      train.data,
      train.target,
      { epochs: 10, batchSize: 64, learningRate: 0.02, seed: 3 },
      { validation },
    );
    expect(network.layers.map(({ inputs, units, activation }) => [inputs, units, activation])).toEqual([
      [7, 16, 'relu'],
      [16, 8, 'relu'],
      [8, 1, 'sigmoid'],
    ]);
    expect(parameterCount(network)).toBe(273);
    expect(history[bestEpoch - 1].validationLoss).toBeLessThan(history[0].validationLoss! - 0.05);
    const predicted = predictDense(network, validation.data);
    expect(predicted.every((p) => p > 0 && p < 1)).toBe(true);
    expect(rocAuc(validation.target, predicted)).toBeGreaterThan(0.85);
    // the reported validation loss is that of the network given back
    const raw = predictDense(network, validation.data, { raw: true });
    const loss = raw.reduce((sum, z, row) => sum + outputLoss('binary', z, validation.target[row]), 0) / 500;
    expect(loss).toBeCloseTo(history[bestEpoch - 1].validationLoss!, 6);
  });

  test('the same seed gives the same bytes, another seed other weights', async () => {
    const fit = (seed: number) =>
      trainDense(train.data, train.target, { epochs: 1, batchSize: 64, dropout: 0.2, seed });
    const [first, second, third] = [await fit(1), await fit(1), await fit(2)];
    expect(weightsOf(second)).toEqual(weightsOf(first));
    expect(largestGap(weightsOf(third), weightsOf(first))).toBeGreaterThan(0.1);
  });

  test('stops when the validation loss has not fallen for long enough, and keeps the best epoch', async () => {
    const few = takeRows(
      train.data,
      Uint32Array.from({ length: 60 }, (_, i) => i),
    );
    const { history, bestEpoch, network } = await trainDense(
      few,
      train.target.subarray(0, 60),
      { epochs: 200, learningRate: 0.03, earlyStoppingEpochs: 3, hidden: [32] },
      { validation },
    );
    expect(history).toHaveLength(bestEpoch + 3);
    expect(history.length).toBeLessThan(200);
    const losses = history.map(({ validationLoss }) => validationLoss!);
    expect(losses[bestEpoch - 1]).toBe(Math.min(...losses));
    expect(network.layers).toHaveLength(2);
  });

  test('a row of weight two counts as two rows', async () => {
    // whole batches, so that the order of the rows does not matter
    const rows = 64;
    const some = takeRows(
      train.data,
      Uint32Array.from({ length: rows }, (_, i) => i),
    );
    const target = train.target.subarray(0, rows);
    const weight = target.map((_, row) => (row < 16 ? 2 : 1));
    const doubled = [...Array.from({ length: rows }, (_, i) => i), ...Array.from({ length: 16 }, (_, i) => i)];
    const options = { epochs: 5, batchSize: 100, seed: 9 };
    const weighted = await trainDense(some, target, options, { weight });
    const repeated = await trainDense(
      takeRows(some, doubled),
      doubled.map((row) => target[row]),
      options,
    );
    expect(largestGap(weightsOf(weighted), weightsOf(repeated))).toBeLessThan(1e-5);
  });

  test('scalePosWeight is the weight of the positive rows', async () => {
    const options = { epochs: 1, batchSize: 100, seed: 4 };
    const weight = train.target.map((label) => (label === 1 ? 3 : 1));
    const scaled = await trainDense(train.data, train.target, { ...options, scalePosWeight: 3 });
    expect(weightsOf(scaled)).toEqual(weightsOf(await trainDense(train.data, train.target, options, { weight })));
  });

  test('several outputs of numbers are learnt at once', async () => {
    const { data } = train;
    const target = Float64Array.from({ length: 2 * data.rows }, (_, i) => {
      const row = Math.floor(i / 2);
      return i % 2 === 0 ? 50 + 3 * data.values[row] : -2 * data.values[data.rows + row];
    });
    const parameters = { objective: 'squared_error', epochs: 12, batchSize: 64, learningRate: 0.03 } as const;
    const { network } = await trainDense(data, target, parameters);
    const predicted = predictDense(network, data);
    const rmse = Math.sqrt(predicted.reduce((sum, p, i) => sum + (p - target[i]) ** 2, 0) / target.length);
    expect(rmse).toBeLessThan(0.5);
  });

  test('what does not fit is refused with its name', async () => {
    const { data, target } = train;
    await expect(trainDense(data, target, { hidden: [0] })).rejects.toThrow(/hidden/);
    await expect(trainDense(data, target, { epoch: 3 } as object)).rejects.toThrow(/epoch/);
    await expect(trainDense(data, target.with(7, 0.5))).rejects.toThrow(/0 or 1/);
    await expect(trainDense(data, target.subarray(1))).rejects.toThrow(/1499 targets for 1500 rows/);
    await expect(trainDense({ ...data, values: data.values.with(3, NaN) }, target)).rejects.toThrow(/x0 .* row 4/);
    const huge = { ...data, values: data.values.map((value) => value * 1e30) };
    const line = { objective: 'squared_error', learningRate: 1, epochs: 3 } as const;
    await expect(trainDense(huge, target, line)).rejects.toThrow(/no finite number/);
  });
});

describe('backends', () => {
  test('one that has no source is passed over, and missed by name where it is asked for', async () => {
    const absent = { tensorflow: () => Promise.resolve(false) };
    await expect(useBackend(absent, 'tensorflow')).rejects.toThrow(BackendMissing);
    expect(['wasm', 'cpu']).toContain(await useBackend(absent));
    expect(await useBackend(absent, 'cpu')).toBe('cpu');
  });

  test('the same seed gives the same weights to 1e-6 on every backend there is', async () => {
    const present: DenseBackend[] = ['wasm', 'cpu'];
    if (await tfjsBackends.tensorflow!()) present.push('tensorflow');
    else console.warn('Not compared on tfjs-node: it is not installed (layers/tfjs-node).');
    const fitted: number[][] = [];
    for (const backend of present) {
      expect(await useBackend(tfjsBackends, backend)).toBe(backend);
      const parameters = { epochs: 4, dropout: 0.1, seed: 17 };
      fitted.push(weightsOf(await trainDense(train.data, train.target, parameters, { validation })));
    }
    for (const weights of fitted) expect(largestGap(weights, fitted[0])).toBeLessThan(1e-6);
  });
});
