import { type FixedPoint, fixedPoint, quantiseValue, roundHalfAway, scaleBy } from './fixed-point.ts';
import type { Quantization } from './model.ts';
import type { FusedActivation } from './schema.ts';
import { exp } from '../../exponential.ts';

/** Computes one row of a tensor from one row of another. */
export type Kernel = () => void;

/** A layer's constants: `weights[unit * inputs + input]`. */
export type LayerConstants<Weights, Bias> = { inputs: number; units: number; weights: Weights; bias: Bias | null };

const bounds: Record<FusedActivation, readonly [low: number, high: number]> = {
  none: [-Infinity, Infinity],
  relu: [0, Infinity],
  reluN1To1: [-1, 1],
  relu6: [0, 6],
};

/** FULLY_CONNECTED on float32. Sums are accumulated in float64, so they differ from a runtime's in the last bits. */
export function floatLayer(
  { inputs, units, weights, bias }: LayerConstants<Float32Array, Float32Array>,
  activation: FusedActivation,
  input: Float32Array,
  output: Float32Array,
): Kernel {
  const [low, high] = bounds[activation];
  return () => {
    for (let unit = 0; unit < units; unit++) {
      let sum = bias === null ? 0 : bias[unit];
      for (let i = 0, at = unit * inputs; i < inputs; i++) sum += weights[at + i] * input[i];
      output[unit] = sum < low ? low : sum > high ? high : sum;
    }
  };
}

/**
 * FULLY_CONNECTED of int8 weights on float32 inputs (dynamic range), as TensorFlow Lite's hybrid kernel has it: the row is rounded to
 * int8 by its own range, around zero or, where asymmetric, with a zero point; products are added as integers and scaled once.
 */
export function hybridLayer(
  { inputs, units, weights, bias }: LayerConstants<Int8Array, Float32Array>,
  { scales }: Quantization,
  activation: FusedActivation,
  isAsymmetric: boolean,
  input: Float32Array,
  output: Float32Array,
): Kernel {
  const [low, high] = bounds[activation];
  const rounded = new Int8Array(inputs);
  const weightSums = Int32Array.from({ length: units }, (_, unit) => {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += weights[unit * inputs + i];
    return sum;
  });
  return () => {
    const { scale, zeroPoint } = isAsymmetric ? roundAsymmetric(input, rounded) : roundSymmetric(input, rounded);
    for (let unit = 0; unit < units; unit++) {
      let product = -zeroPoint * weightSums[unit];
      for (let i = 0, at = unit * inputs; i < inputs; i++) product += weights[at + i] * rounded[i];
      const weightScale = scales.length > 1 ? scales[unit] : scales[0];
      const sum = (bias === null ? 0 : bias[unit]) + product * Math.fround(scale * weightScale);
      output[unit] = sum < low ? low : sum > high ? high : sum;
    }
  };
}

function roundSymmetric(input: Float32Array, rounded: Int8Array): { scale: number; zeroPoint: number } {
  let largest = 0;
  for (const value of input) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) rounded.fill(0);
  const inverse = Math.fround(127 / largest);
  if (largest > 0) {
    for (let i = 0; i < input.length; i++) rounded[i] = roundHalfAway(Math.fround(input[i] * inverse));
  }
  return { scale: largest === 0 ? 1 : Math.fround(largest / 127), zeroPoint: 0 };
}

function roundAsymmetric(input: Float32Array, rounded: Int8Array): { scale: number; zeroPoint: number } {
  let low = 0;
  let high = 0;
  for (const value of input) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low === high) {
    rounded.fill(0);
    return { scale: 1, zeroPoint: 0 };
  }
  const scale = (high - low) / 255;
  const fromLow = -128 - low / scale;
  const fromHigh = 127 - high / scale;
  const isLowCloser = 128 + Math.abs(low / scale) < 127 + Math.abs(high / scale);
  const zeroPoint = Math.max(-128, Math.min(127, roundHalfAway(isLowCloser ? fromLow : fromHigh)));
  const inverse = Math.fround(1 / Math.fround(scale));
  for (let i = 0; i < input.length; i++) {
    const integer = roundHalfAway(Math.fround(zeroPoint + Math.fround(input[i] * inverse)));
    rounded[i] = Math.max(-128, Math.min(127, integer));
  }
  return { scale: Math.fround(scale), zeroPoint };
}

/** The scales and zero points of a computation from int8 to int8. */
export type Rescaling = { from: Quantization; to: Quantization };

/** FULLY_CONNECTED on int8, in integers alone, bit for bit as TensorFlow Lite's reference kernel. */
export function integerLayer(
  { inputs, units, weights, bias }: LayerConstants<Int8Array, Int32Array>,
  { scales }: Quantization,
  { from, to }: Rescaling,
  activation: FusedActivation,
  input: Int8Array,
  output: Int8Array,
): Kernel {
  const [{ scales: [inputScale], zeroPoints: [inputPoint] }, { scales: [outputScale], zeroPoints: [outputPoint] }] = [from, to]; // prettier-ignore
  const multipliers = Array.from({ length: units }, (_, unit) =>
    fixedPoint((inputScale * scales[scales.length > 1 ? unit : 0]) / outputScale),
  );
  // Σ w·(x − zero point) + bias = Σ w·x + (bias − zero point · Σ w)
  const start = Int32Array.from({ length: units }, (_, unit) => {
    let sum = bias === null ? 0 : bias[unit];
    for (let i = 0; i < inputs; i++) sum -= inputPoint * weights[unit * inputs + i];
    return sum;
  });
  const [low, high] = integerBounds(activation, outputScale, outputPoint);
  return () => {
    for (let unit = 0; unit < units; unit++) {
      let sum = start[unit];
      for (let i = 0, at = unit * inputs; i < inputs; i++) sum = (sum + Math.imul(weights[at + i], input[i])) | 0;
      const scaled = scaleBy(multipliers[unit], sum) + outputPoint;
      output[unit] = scaled < low ? low : scaled > high ? high : scaled;
    }
  };
}

/** Where an activation ends among the integers of 8 bits. */
function integerBounds(activation: FusedActivation, scale: number, zeroPoint: number): [number, number] {
  const [low, high] = bounds[activation];
  const integer = (real: number) => zeroPoint + roundHalfAway(Math.fround(real / scale));
  return [
    low === -Infinity ? -128 : Math.max(-128, integer(low)),
    high === Infinity ? 127 : Math.min(127, integer(high)),
  ];
}

/** LOGISTIC on float32. */
export function floatLogistic(input: Float32Array, output: Float32Array): Kernel {
  return () => {
    for (let i = 0; i < input.length; i++) output[i] = 1 / (1 + exp(-input[i]));
  };
}

/** LOGISTIC on int8 by a table of its 256 values, each computed in float32 as the reference kernel does. */
export function integerLogistic({ from, to }: Rescaling, input: Int8Array, output: Int8Array): Kernel {
  const table = new Int8Array(256);
  for (let integer = -128; integer <= 127; integer++) {
    const real = Math.fround(from.scales[0] * (integer - from.zeroPoints[0]));
    const probability = Math.fround(1 / Math.fround(1 + Math.fround(exp(-real))));
    const rounded = roundHalfAway(Math.fround(probability / to.scales[0])) + to.zeroPoints[0];
    table[integer + 128] = Math.max(-128, Math.min(127, rounded));
  }
  return () => {
    for (let i = 0; i < input.length; i++) output[i] = table[input[i] + 128];
  };
}

/** RELU on float32. */
export function floatRelu(input: Float32Array, output: Float32Array): Kernel {
  return () => {
    for (let i = 0; i < input.length; i++) output[i] = input[i] > 0 ? input[i] : 0;
  };
}

/** From one scale of int8 to another, not below `low`: QUANTIZE between integers, and RELU where `low` is the zero point. */
export function rescale({ from, to }: Rescaling, low: number, input: Int8Array, output: Int8Array): Kernel {
  const multiplier: FixedPoint = fixedPoint(from.scales[0] / to.scales[0]);
  return () => {
    for (let i = 0; i < input.length; i++) {
      const scaled = scaleBy(multiplier, input[i] - from.zeroPoints[0]) + to.zeroPoints[0];
      output[i] = scaled < low ? low : scaled > 127 ? 127 : scaled;
    }
  };
}

/** QUANTIZE from float32. */
export function quantise({ scales, zeroPoints }: Quantization, input: Float32Array, output: Int8Array): Kernel {
  return () => {
    for (let i = 0; i < input.length; i++) output[i] = quantiseValue(input[i], scales[0], zeroPoints[0]);
  };
}

/** DEQUANTIZE to float32. */
export function dequantise({ scales, zeroPoints }: Quantization, input: Int8Array, output: Float32Array): Kernel {
  return () => {
    for (let i = 0; i < input.length; i++) output[i] = scales[0] * (input[i] - zeroPoints[0]);
  };
}
