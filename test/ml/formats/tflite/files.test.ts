import { describe, expect, test } from 'vitest';
import { tfliteExecutor } from '../../../../src/ml/formats/tflite/executor.ts';
import { networkOf } from '../../../../src/ml/formats/tflite/network.ts';
import { predictTflite } from '../../../../src/ml/formats/tflite/predictor.ts';
import { readTflite } from '../../../../src/ml/formats/tflite/reader.ts';
import { writeTflite } from '../../../../src/ml/formats/tflite/writer.ts';
import { random } from '../../../../src/ml/random.ts';
import { InvalidModel } from '../../../../src/ml/trees/model.ts';
import { largestGap, normals, tfliteBytes, tfliteFixture } from './tflite-fixtures.ts';

describe('files of TensorFlow’s converter', () => {
  test.each(['claims.int8', 'claims.int8-per-unit', 'costs.int8'])(
    '%s gives, on random rows, the integers of TensorFlow Lite’s reference kernels',
    (name) => {
      const { bytes, integers, integerAnswers } = tfliteFixture(name);
      expect(tfliteExecutor(readTflite(bytes)).run(integers)).toEqual(integerAnswers);
    },
  );

  test('real numbers in and out of an integer network are rounded as QUANTIZE and DEQUANTIZE do it', () => {
    const { bytes, reals, realAnswers } = tfliteFixture('costs.int8-real');
    const model = readTflite(bytes);
    expect(model.operators.map(({ operator }) => operator)).toEqual([
      'QUANTIZE',
      'FULLY_CONNECTED',
      'FULLY_CONNECTED',
      'DEQUANTIZE',
    ]);
    expect(tfliteExecutor(model).run(reals)).toEqual(realAnswers);
  });

  test('float and dynamic range agree to the rounding of their sums', () => {
    const float = tfliteFixture('claims.float');
    expect(largestGap(tfliteExecutor(readTflite(float.bytes)).run(float.reals), float.realAnswers)).toBeLessThan(1e-6);
    const dynamic = tfliteFixture('wide.dynamic');
    const model = readTflite(dynamic.bytes);
    expect(model.tensors.some(({ type }) => type === 'int8')).toBe(true);
    expect(largestGap(tfliteExecutor(model).run(dynamic.reals), dynamic.realAnswers)).toBeLessThan(1e-5);
  });

  test.each(['claims.float', 'claims.int8-per-unit', 'wide.dynamic', 'costs.int8-real'])(
    '%s, written again by this product, is the same graph',
    (name) => {
      const model = readTflite(tfliteBytes(name));
      expect(readTflite(writeTflite(model))).toEqual(model);
      expect(writeTflite(model)).toEqual(writeTflite(readTflite(writeTflite(model))));
    },
  );

  test('the network behind an integer file is that of the float file, to the grid of its weights', () => {
    const [float, integer] = ['claims.float', 'claims.int8'].map((name) => networkOf(readTflite(tfliteBytes(name))));
    float.layers.forEach((layer, k) => {
      const step = Math.max(...layer.weights.map(Math.abs)) / 127;
      expect(integer.layers[k].activation).toBe(layer.activation);
      expect(largestGap(integer.layers[k].weights, layer.weights)).toBeLessThan(0.51 * step);
    });
  });

  test('an operator that is not known here is refused by its name', () => {
    expect(() => readTflite(tfliteBytes('tanh.float'))).toThrow(
      /operator TANH; those known here are .*FULLY_CONNECTED/,
    );
  });
});

describe('damaged files', () => {
  const names = ['claims.float', 'claims.int8-per-unit', 'wide.dynamic', 'costs.int8-real'];

  test.each(names)('%s is refused wherever it is cut off', (name) => {
    const bytes = tfliteBytes(name);
    // a FlatBuffer ends in data that may be padding; everything before its last 16 bytes is needed
    for (let length = 0; length < bytes.length - 16; length += 3) {
      expect(() => readTflite(bytes.slice(0, length))).toThrow(InvalidModel);
    }
  });

  test('changed bytes give a named error or finite numbers, never anything else', () => {
    const stream = random('damage');
    let refused = 0;
    for (let n = 0; n < 2000; n++) {
      const bytes = tfliteBytes(stream.choice(names));
      for (let k = 0; k < 4; k++) bytes[stream.integer(bytes.length)] = stream.integer(256);
      try {
        const model = readTflite(bytes);
        const columns = model.tensors[model.input].shape.at(-1)!;
        const values = Float64Array.from(normals(3 * columns, stream));
        const matrix = { rows: 3, columns, names: Array.from(values, String), values };
        expect(predictTflite(model, matrix).every(Number.isFinite)).toBe(true);
      } catch (error) {
        if (!(error instanceof InvalidModel)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });

  test('another file, another version and a value that is not a number are told apart', () => {
    expect(() => readTflite(new TextEncoder().encode('tree\nversion=v4\n'))).toThrow(/TFL3/);
    const model = readTflite(tfliteBytes('claims.float'));
    const broken = model.tensors.map((tensor) =>
      tensor.data instanceof Float32Array ? { ...tensor, data: tensor.data.with(0, NaN) } : tensor,
    );
    expect(() => readTflite(writeTflite({ ...model, tensors: broken }))).toThrow(/no finite numbers/);
  });
});
