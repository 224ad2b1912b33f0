import { describe, expect, test } from 'vitest';
import { tfliteExecutor } from '../../../../src/ml/formats/tflite/executor.ts';
import { tfliteOf } from '../../../../src/ml/formats/tflite/network.ts';
import { toInt8 } from '../../../../src/ml/formats/tflite/quantise.ts';
import { writeTflite } from '../../../../src/ml/formats/tflite/writer.ts';
import { random } from '../../../../src/ml/random.ts';
import { largestGap, normals, randomNetwork } from './tflite-fixtures.ts';
import { hasWasmRuntime, wasmRuntime } from './wasm-runtime.ts';

const present = hasWasmRuntime();
if (!present)
  console.warn('Not compared with TensorFlow Lite’s WebAssembly build: @tensorflow/tfjs-tflite is not installed.');

describe('our files in TensorFlow Lite’s WebAssembly build', () => {
  const shapes = [
    { sizes: [7, 16, 8, 1], last: 'sigmoid' },
    { sizes: [80, 64, 32, 1], last: 'sigmoid' },
    { sizes: [12, 40, 3], last: 'linear' },
    { sizes: [5, 1], last: 'sigmoid' },
  ] as const;

  test.skipIf(!present)('give the same integers on 10,000 random rows (needs @tensorflow/tfjs-tflite)', async () => {
    const run = await wasmRuntime();
    for (const { sizes, last } of shapes) {
      const stream = random(`wasm ${sizes.join('-')}`);
      const float = tfliteOf(randomNetwork(sizes, last, stream));
      const model = toInt8(float, normals(sizes[0] * 300, stream));
      const rows = Int8Array.from({ length: sizes[0] * 2500 }, () => stream.integer(256) - 128);
      const theirs = run(writeTflite(model), rows, sizes[0], sizes.at(-1)!);
      expect(tfliteExecutor(model).run(rows)).toEqual(theirs);
      expect(new Set(theirs).size).toBeGreaterThan(20);

      const reals = normals(sizes[0] * 200, stream);
      const real = run(writeTflite(float), reals, sizes[0], sizes.at(-1)!);
      expect(largestGap(tfliteExecutor(float).run(reals), real)).toBeLessThan(2e-6);
    }
  });
});
