import { forwardPass, type DenseNetwork } from '../../dense/network.ts';
import { ArgumentError } from '../../ensure.ts';
import type { Quantization, TfliteModel, TfliteOperator, TfliteTensor } from './model.ts';
import { networkOf } from './network.ts';
import { roundHalfAway } from './fixed-point.ts';

/** Dynamic range: int8 weights under float32 activations. A quarter of the size, and no data needed. */
export function toDynamicRange(model: TfliteModel): TfliteModel {
  const weights = new Set(model.operators.flatMap((operator) => ('weights' in operator ? [operator.weights] : [])));
  return {
    ...model,
    tensors: model.tensors.map((tensor, index) => {
      if (!weights.has(index) || !(tensor.data instanceof Float32Array)) return tensor;
      const { integers, scale } = quantiseWeights(tensor.data);
      return { ...tensor, type: 'int8', data: integers, quantization: quantization(scale, 0) };
    }),
  };
}

/**
 * Full-integer int8: weights with one scale per tensor (older runtimes pass over scales per unit without a word), activations with
 * the range that they have over `representative`, biases in int32; int8 in and out, or float32 with a QUANTIZE and DEQUANTIZE around.
 *
 * `representative` holds rows of the network's own inputs, one after the other; 100 to 500 of the training rows will do. Throws
 * ArgumentError where there is none or one is not finite, InvalidModel where the graph is not a chain of layers.
 */
export function toInt8(
  model: TfliteModel,
  representative: Float32Array,
  { inputsAndOutputs = 'int8' }: { inputsAndOutputs?: 'int8' | 'float32' } = {},
): TfliteModel {
  const network = networkOf(model);
  const ranges = activationRanges(network, representative);
  const tensors: TfliteTensor[] = [];
  const operators: TfliteOperator[] = [];
  const add = (tensor: TfliteTensor) => tensors.push(tensor) - 1;
  const isFloat = inputsAndOutputs === 'float32';

  const inputs = network.layers[0].inputs;
  const input = add(isFloat ? real('features', inputs) : integer('features', inputs, ranges[0]));
  let from = input;
  if (isFloat) {
    from = add(integer('features_int8', inputs, ranges[0]));
    operators.push({ operator: 'QUANTIZE', input, output: from });
  }
  network.layers.forEach(({ inputs, units, activation, weights, bias }, k) => {
    const name = `layer_${k}`;
    const { integers, scale } = quantiseWeights(weights);
    const product = tensors[from].quantization!.scales[0] * scale;
    const output = add(integer(name, units, ranges[k + 1]));
    operators.push({
      operator: 'FULLY_CONNECTED',
      input: from,
      weights: add(constant(`${name}/weights`, [units, inputs], 'int8', integers, scale)),
      bias: add(constant(`${name}/bias`, [units], 'int32', quantiseBias(bias, product), product)),
      output,
      activation: activation === 'relu' ? 'relu' : 'none',
      asymmetricInputs: false,
    });
    from = output;
    if (activation === 'sigmoid') {
      // the one scale that the format allows for probabilities
      const probability = add({
        ...integer('probability', units, ranges[k + 1]),
        quantization: quantization(1 / 256, -128),
      });
      operators.push({ operator: 'LOGISTIC', input: from, output: probability });
      from = probability;
    }
  });
  let output = from;
  if (isFloat) {
    output = add(real('result', network.layers.at(-1)!.units));
    operators.push({ operator: 'DEQUANTIZE', input: from, output });
  }
  return { ...model, tensors, operators, input, output };
}

/** The least and largest value of what goes into each layer, and last of what comes out before a sigmoid. */
export function activationRanges({ layers }: DenseNetwork, rows: Float32Array): Range[] {
  const { inputs } = layers[0];
  if (rows.length === 0 || rows.length % inputs !== 0) {
    throw new ArgumentError(`The representative set needs rows of ${inputs} numbers, it has ${rows.length} in all.`);
  }
  if (!rows.every(Number.isFinite)) throw new ArgumentError('The representative set has values that are not finite.');
  const ranges: Range[] = [rangeOf(rows), ...layers.map(() => ({ low: 0, high: 0 }))];
  const passes = layers.map((_, k) => forwardPass(layers.slice(k, k + 1), true));
  for (let row = 0; row < rows.length; row += inputs) {
    let values: ArrayLike<number> = rows.subarray(row, row + inputs);
    passes.forEach((pass, k) => {
      values = pass(values);
      widen(ranges[k + 1], values);
    });
  }
  return ranges;
}

/** Values between which an activation lies; zero is always among them, so that it has an integer of its own. */
export type Range = { low: number; high: number };

function rangeOf(values: ArrayLike<number>): Range {
  const range = { low: 0, high: 0 };
  widen(range, values);
  return range;
}

function widen(range: Range, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    range.low = Math.min(range.low, values[i]);
    range.high = Math.max(range.high, values[i]);
  }
}

/** Scale and zero point that spread a range over the 256 integers. */
export function affineOf({ low, high }: Range): { scale: number; zeroPoint: number } {
  if (low === high) return { scale: 1, zeroPoint: 0 };
  const scale = Math.fround((high - low) / 255);
  return { scale, zeroPoint: Math.max(-128, Math.min(127, roundHalfAway(-128 - low / scale))) };
}

/** Weights by their largest size over −127 … 127. */
export function quantiseWeights(weights: Float32Array): { integers: Int8Array; scale: number } {
  let largest = 0;
  for (const weight of weights) largest = Math.max(largest, Math.abs(weight));
  const scale = largest === 0 ? 1 : Math.fround(largest / 127);
  // the scale may have been rounded down
  const integers = Int8Array.from(weights, (weight) => Math.max(-127, Math.min(127, roundHalfAway(weight / scale))));
  return { integers, scale };
}

function quantiseBias(bias: Float32Array, scale: number): Int32Array {
  const largest = 2 ** 31 - 1;
  return Int32Array.from(bias, (value) => Math.max(-largest, Math.min(largest, roundHalfAway(value / scale))));
}

function quantization(scale: number, zeroPoint: number): Quantization {
  return { scales: Float32Array.of(scale), zeroPoints: Int32Array.of(zeroPoint) };
}

function real(name: string, size: number): TfliteTensor {
  return { name, shape: [1, size], type: 'float32', quantization: null, data: null };
}

function integer(name: string, size: number, range: Range): TfliteTensor {
  const { scale, zeroPoint } = affineOf(range);
  return { name, shape: [1, size], type: 'int8', quantization: quantization(scale, zeroPoint), data: null };
}

function constant(
  name: string,
  shape: number[],
  type: 'int8' | 'int32',
  data: Int8Array | Int32Array,
  scale: number,
): TfliteTensor {
  return { name, shape, type, quantization: quantization(scale, 0), data };
}
