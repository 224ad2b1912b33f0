/**
 * Dense networks and TensorFlow Lite: `node bench/dense.ts [--only TEXT]`. Training on every backend that is installed and scoring at
 * every precision, seeded, in processor seconds; where `@tensorflow/tfjs-tflite` is installed, its WebAssembly beside our executor.
 */
import { parseArgs } from 'node:util';
import { tfjsBackends } from '../src/adapters/embedded/tfjs-backend.ts';
import { denseBackends, useBackend } from '../src/ml/dense/backend.ts';
import { denseRows, predictDense } from '../src/ml/dense/network.ts';
import { denseShap } from '../src/ml/dense/shap.ts';
import { trainDense } from '../src/ml/dense/train.ts';
import { tfliteExecutor } from '../src/ml/formats/tflite/executor.ts';
import { tfliteOf } from '../src/ml/formats/tflite/network.ts';
import { toDynamicRange, toInt8 } from '../src/ml/formats/tflite/quantise.ts';
import { writeTflite } from '../src/ml/formats/tflite/writer.ts';
import { type Matrix, takeRows } from '../src/ml/matrix.ts';
import { rocAuc } from '../src/ml/metrics/roc.ts';
import { random } from '../src/ml/random.ts';
import { begin, print as line } from './table.ts';
import { hasWasmRuntime, wasmRuntime } from '../test/ml/formats/tflite/wasm-runtime.ts';

const { values: options } = parseArgs({ options: { only: { type: 'string', default: '' } } });

const sets = [
  {
    name: '80-64-32-1',
    rows: 50_000,
    columns: 80,
    parameters: { hidden: [64, 32], batchSize: 256, epochs: 5, seed: 1 },
  },
  { name: '7-16-8-1', rows: 14_000, columns: 7, parameters: { hidden: [16, 8], batchSize: 32, epochs: 5, seed: 1 } },
];

/** Standardised features, labels by a few of them. */
function examples(rows: number, columns: number, seed: string): { data: Matrix; target: Float64Array } {
  const stream = random(seed);
  const values = Float64Array.from({ length: rows * columns }, () => stream.normal());
  const at = (row: number, c: number) => values[c * rows + row];
  const target = Float64Array.from({ length: rows }, (_, row) =>
    Number(stream.uniform() < 1 / (1 + Math.exp(1.5 * at(row, 1) * at(row, 2) - 2 * at(row, 0)))),
  );
  return { data: { rows, columns, names: Array.from({ length: columns }, (_, c) => `x${c}`), values }, target };
}

async function cpuSeconds<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number }> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

const print = (what: string, side: string, cpuSeconds: number, figure: string) =>
  line({ case: what, side, cpuSeconds, figure });

begin();
for (const { name, rows, columns, parameters } of sets.filter((set) => set.name.includes(options.only))) {
  const train = examples(rows, columns, 'train');
  const test = examples(20_000, columns, 'test');
  let network;
  for (const backend of denseBackends) {
    if (!(await useBackend(tfjsBackends, backend).catch(() => undefined))) continue;
    // the first steps compile
    await trainDense(takeRows(train.data, [0, 1, 2, 3]), train.target.subarray(0, 4), { ...parameters, epochs: 1 });
    const trained = await cpuSeconds(() => trainDense(train.data, train.target, parameters));
    ({ network } = trained.result);
    const auc = rocAuc(test.target, predictDense(network, test.data));
    print(
      `train ${name}, ${rows} rows × ${parameters.epochs} epochs`,
      backend,
      trained.seconds,
      `AUC ${auc.toFixed(4)}`,
    );
  }
  if (!network) continue;

  const asked = denseRows(columns, test.data);
  const float = tfliteOf(network);
  const integer = toInt8(float, asked.subarray(0, 500 * columns));
  const integers = Int8Array.from(asked, (value) => Math.max(-128, Math.min(127, Math.round(value * 32))));
  const runtime = hasWasmRuntime() ? await wasmRuntime() : undefined;
  for (const [precision, model] of Object.entries({
    float32: float,
    'dynamic range': toDynamicRange(float),
    int8: integer,
  })) {
    const input = precision === 'int8' ? integers : asked;
    const bytes = writeTflite(model);
    const { run } = tfliteExecutor(model);
    run(input);
    const ours = await cpuSeconds(() => run(input));
    const rate = (seconds: number) => `${Math.round(test.data.rows / seconds)} rows/s`;
    print(`score ${name} ${precision}, ${bytes.length} bytes`, 'ours', ours.seconds, rate(ours.seconds));
    if (!runtime) continue;
    const theirs = await cpuSeconds(() => runtime(bytes, input, columns, 1));
    print(
      `score ${name} ${precision}`,
      'TensorFlow Lite in WebAssembly, row by row',
      theirs.seconds,
      rate(theirs.seconds),
    );
  }
  const some = takeRows(
    test.data,
    Uint32Array.from({ length: 20 }, (_, i) => i),
  );
  const background = takeRows(
    train.data,
    Uint32Array.from({ length: 50 }, (_, i) => i),
  );
  const shap = await cpuSeconds(() => denseShap(network, some, background));
  print(`SHAP ${name}, background of 50`, 'ours', shap.seconds, `${(20 / shap.seconds).toFixed(0)} rows/s`);
}
