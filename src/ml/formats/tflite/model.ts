import type { FusedActivation, TensorType } from './schema.ts';

/** A scale for the whole tensor, or one per row of a weight tensor; real = scale · (integer − zero point). */
export type Quantization = { scales: Float32Array; zeroPoints: Int32Array };

export type TfliteTensor = {
  name: string;
  shape: readonly number[];
  type: TensorType;
  quantization: Quantization | null;
  /** The values of a constant; null where values are computed. */
  data: Float32Array | Int8Array | Int32Array | null;
};

/** One step of the graph; numbers are tensors by index. */
export type TfliteOperator =
  | {
      operator: 'FULLY_CONNECTED';
      input: number;
      output: number;
      weights: number;
      bias: number | null;
      activation: FusedActivation;
      /** Float inputs over integer weights are rounded with a zero point of their own. */
      asymmetricInputs: boolean;
    }
  | { operator: 'LOGISTIC' | 'RELU' | 'QUANTIZE' | 'DEQUANTIZE'; input: number; output: number };

/** A .tflite file of one graph with one input and one output, rows of a batch in their first dimension. */
export type TfliteModel = {
  description: string;
  tensors: readonly TfliteTensor[];
  operators: readonly TfliteOperator[];
  input: number;
  output: number;
  /** Named byte strings, which TensorFlow Lite keeps and passes over. */
  metadata: Readonly<Record<string, Uint8Array>>;
};

/** How many numbers of a tensor belong to one row of the batch. */
export function width({ shape }: TfliteTensor): number {
  return shape.at(-1) ?? 0;
}

export const precisions = ['float32', 'dynamic-range', 'int8'] as const;
export type Precision = (typeof precisions)[number];

/** float32 throughout, weights of int8 under float32 sums (dynamic range), or integers from layer to layer (int8). */
export function precisionOf({ tensors, operators }: TfliteModel): Precision {
  const layers = operators.filter(({ operator }) => operator === 'FULLY_CONNECTED');
  if (layers.some(({ input }) => tensors[input].type === 'int8')) return 'int8';
  return tensors.some(({ type }) => type === 'int8') ? 'dynamic-range' : 'float32';
}
