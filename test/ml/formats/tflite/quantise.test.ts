import { describe, expect, test } from 'vitest';
import { predictDense } from '../../../../src/ml/dense/network.ts';
import { compareQuantised } from '../../../../src/ml/formats/tflite/compare-quantised.ts';
import { tfliteExecutor } from '../../../../src/ml/formats/tflite/executor.ts';
import { networkOf, tfliteOf } from '../../../../src/ml/formats/tflite/network.ts';
import { predictTflite, tflitePredictor } from '../../../../src/ml/formats/tflite/predictor.ts';
import { activationRanges, affineOf, toDynamicRange, toInt8 } from '../../../../src/ml/formats/tflite/quantise.ts';
import { readTflite } from '../../../../src/ml/formats/tflite/reader.ts';
import { writeTflite } from '../../../../src/ml/formats/tflite/writer.ts';
import { random } from '../../../../src/ml/random.ts';
import { largestGap, normals, randomNetwork } from './tflite-fixtures.ts';

const stream = random('quantise');
const network = randomNetwork([80, 64, 32, 1], 'sigmoid', stream.fork('network'));
const rows = normals(80 * 2000, stream.fork('rows'));
const representative = rows.subarray(0, 80 * 300);
const float = tfliteOf(network, { note: new TextEncoder().encode('kept') });
const integer = toInt8(float, representative);

const matrix = {
  rows: 2000,
  columns: 80,
  names: network.featureNames,
  values: Float64Array.from({ length: rows.length }, (_, i) => rows[(i % 2000) * 80 + Math.floor(i / 2000)]),
};

describe('three precisions', () => {
  test('the float file is the network: same weights after a round trip, same outputs, same raw outputs', () => {
    const again = readTflite(writeTflite(float));
    expect(networkOf(again)).toEqual(network);
    for (const raw of [false, true]) {
      expect(largestGap(predictTflite(again, matrix, { raw }), predictDense(network, matrix, { raw }))).toBeLessThan(
        3e-6,
      );
    }
  });

  test('integers take less than a third of the room and stay close', () => {
    const { bytes, scoreDifference, rows: compared } = compareQuantised(float, integer, rows, [0.5]);
    expect(compared).toBe(2000);
    expect(bytes.fileRatio).toBeLessThan(1 / 3);
    expect(bytes.constantsRatio).toBeLessThan(0.27);
    expect(scoreDifference.mean).toBeLessThan(0.02);
    expect(scoreDifference.max).toBeLessThan(0.15);
    const dynamic = toDynamicRange(float);
    expect(writeTflite(dynamic).length).toBeLessThan(writeTflite(float).length / 3);
    expect(largestGap(tflitePredictor(dynamic)(rows), tflitePredictor(float)(rows))).toBeLessThan(0.05);
  });

  test('metadata and names of the features stay with every precision', () => {
    for (const model of [integer, toDynamicRange(float)]) {
      const { metadata } = readTflite(writeTflite(model));
      expect(new TextDecoder().decode(metadata.note)).toBe('kept');
      expect(networkOf(model).featureNames).toEqual(network.featureNames);
    }
  });

  test('float32 in and out of the integer graph gives what rounding outside of it gives', () => {
    const wrapped = toInt8(float, representative, { inputsAndOutputs: 'float32' });
    expect(wrapped.operators[0].operator).toBe('QUANTIZE');
    expect(wrapped.operators.at(-1)!.operator).toBe('DEQUANTIZE');
    expect(tflitePredictor(wrapped)(rows)).toEqual(tflitePredictor(integer)(rows));
  });
});

describe('scales', () => {
  test('are one per tensor, inputs and outputs are int8, probabilities count in 256ths', () => {
    const scales = integer.tensors.map(({ quantization }) => quantization!.scales.length);
    expect(new Set(scales)).toEqual(new Set([1]));
    const executor = tfliteExecutor(integer);
    expect(executor.inputQuantization).not.toBeNull();
    expect([...executor.outputQuantization!.scales, ...executor.outputQuantization!.zeroPoints]).toEqual([
      1 / 256,
      -128,
    ]);
  });

  test('cover the representative rows, and zero has an integer of its own', () => {
    for (const range of activationRanges(network, representative)) {
      const { scale, zeroPoint } = affineOf(range);
      expect(Number.isInteger(zeroPoint)).toBe(true);
      expect(scale * (-128 - zeroPoint)).toBeLessThan(range.low + scale);
      expect(scale * (127 - zeroPoint)).toBeGreaterThan(range.high - scale);
    }
    expect(affineOf({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
    expect(affineOf({ low: 0, high: 255 / 1024 })).toEqual({ scale: 1 / 1024, zeroPoint: -128 });
  });

  test('need representative rows', () => {
    expect(() => toInt8(float, new Float32Array())).toThrow(/representative set needs rows of 80 numbers/);
    expect(() => toInt8(float, representative.with(5, NaN))).toThrow(/not finite/);
  });
});

describe('the evidence for the release gate', () => {
  test('counts decisions that changed sides as a plain comparison of the scores does', () => {
    const thresholds = [0.3, 0.5, 0.8];
    const [before, after] = [float, integer].map((model) => tflitePredictor(model)(rows));
    const { flips, latencySeconds } = compareQuantised(float, integer, rows, thresholds);
    thresholds.forEach((threshold, k) => {
      const changed = before.filter((score, row) => score >= threshold !== after[row] >= threshold).length;
      expect(flips[k]).toMatchObject({ threshold, share: changed / 2000 });
      expect(flips[k].toAbove + flips[k].toBelow).toBe(changed);
    });
    expect(flips.some(({ share }) => share > 0)).toBe(true);
    expect(latencySeconds).toBeNull();
  });

  test('a network compared with itself differs in nothing', () => {
    const { scoreDifference, flips, bytes } = compareQuantised(float, float, rows, [0.5]);
    expect(scoreDifference).toEqual({ mean: 0, median: 0, p95: 0, p99: 0, max: 0 });
    expect(flips[0].share).toBe(0);
    expect(bytes.fileRatio).toBe(1);
  });

  test('latency is per row, by the clock that is given', () => {
    let ticks = 0;
    const { latencySeconds } = compareQuantised(float, integer, rows, [], () => ticks++);
    expect(latencySeconds).toEqual({ float: 1 / 2000, integer: 1 / 2000, ratio: 1 });
  });
});
