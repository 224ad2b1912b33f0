import { ArgumentError } from '../../ensure.ts';
import {
  type Kernel,
  type LayerConstants,
  dequantise,
  floatLayer,
  floatLogistic,
  floatRelu,
  hybridLayer,
  integerLayer,
  integerLogistic,
  quantise,
  rescale,
} from './kernels.ts';
import { type Quantization, type TfliteModel, type TfliteOperator, type TfliteTensor, width } from './model.ts';

type Values = Float32Array | Int8Array;

/** A graph, ready to be run on rows of its input's own type. */
export type TfliteExecutor = {
  inputs: number;
  outputs: number;
  /** How real numbers become the input's integers, and the output's integers real numbers; null for float32. */
  inputQuantization: Quantization | null;
  outputQuantization: Quantization | null;
  /** Rows one after the other, `values[row * inputs + input]`, to a fresh array `[row * outputs + output]`. */
  run: (values: Values) => Values;
};

/**
 * Prepares a graph that `readTflite` has checked. Integer graphs give, bit for bit, what TensorFlow Lite's reference kernels give. Its
 * XNNPACK kernels, the default on many machines and in its WebAssembly build, scale in float32 and land on the other side of a half
 * in about one result of 100,000. Float graphs agree to a few units in the last place of float32.
 */
export function tfliteExecutor(model: TfliteModel): TfliteExecutor {
  const { tensors, operators } = model;
  const [input, output] = [tensors[model.input], tensors[model.output]];
  // one row of every computed tensor, written over and over
  const row = tensors.map((tensor) => (tensor.data === null ? rowOf(tensor) : tensor.data));
  const kernels = operators.map((operator) => kernelOf(operator, tensors, row));
  const inputs = width(input);
  const outputs = width(output);
  return {
    inputs,
    outputs,
    inputQuantization: input.type === 'int8' ? input.quantization : null,
    outputQuantization: output.type === 'int8' ? output.quantization : null,
    run(values) {
      const [from, to] = [row[model.input], row[model.output]] as [Values, Values];
      if (from.constructor !== values.constructor || values.length % inputs !== 0) {
        throw new ArgumentError(
          `The network takes rows of ${inputs} numbers in a ${from.constructor.name}, not ${values.length} in a ${values.constructor.name}.`,
        );
      }
      const rows = values.length / inputs;
      const results = output.type === 'int8' ? new Int8Array(rows * outputs) : new Float32Array(rows * outputs);
      for (let r = 0; r < rows; r++) {
        from.set(values.subarray(r * inputs, (r + 1) * inputs));
        for (const kernel of kernels) kernel();
        results.set(to, r * outputs);
      }
      return results;
    },
  };
}

function rowOf(tensor: TfliteTensor): Values {
  return tensor.type === 'int8' ? new Int8Array(width(tensor)) : new Float32Array(width(tensor));
}

type Row = Float32Array | Int8Array | Int32Array;

function kernelOf(operator: TfliteOperator, tensors: readonly TfliteTensor[], row: readonly Row[]): Kernel {
  const [input, output] = [tensors[operator.input], tensors[operator.output]];
  const isInteger = input.type === 'int8';
  const [from, to] = [row[operator.input], row[operator.output]];
  const [integers, reals] = [from as Int8Array, from as Float32Array];
  // the check of the file has seen to it that every int8 tensor has a scale
  const rescaling = { from: input.quantization!, to: output.quantization! };
  switch (operator.operator) {
    case 'FULLY_CONNECTED': {
      const weights = tensors[operator.weights];
      const [units, inputs] = weights.shape;
      const bias = operator.bias === null ? null : row[operator.bias];
      const constants = { inputs, units, weights: row[operator.weights], bias };
      const { activation } = operator;
      if (isInteger) {
        const layer = constants as LayerConstants<Int8Array, Int32Array>;
        return integerLayer(layer, weights.quantization!, rescaling, activation, integers, to as Int8Array);
      }
      if (weights.type === 'int8') {
        const layer = constants as LayerConstants<Int8Array, Float32Array>;
        const { asymmetricInputs } = operator;
        return hybridLayer(layer, weights.quantization!, activation, asymmetricInputs, reals, to as Float32Array);
      }
      return floatLayer(constants as LayerConstants<Float32Array, Float32Array>, activation, reals, to as Float32Array);
    }
    case 'LOGISTIC':
      return isInteger
        ? integerLogistic(rescaling, integers, to as Int8Array)
        : floatLogistic(reals, to as Float32Array);
    case 'RELU':
      return isInteger
        ? rescale(rescaling, rescaling.to.zeroPoints[0], integers, to as Int8Array)
        : floatRelu(reals, to as Float32Array);
    case 'QUANTIZE':
      return isInteger
        ? rescale(rescaling, -128, integers, to as Int8Array)
        : quantise(rescaling.to, reals, to as Int8Array);
    default:
      return dequantise(rescaling.from, integers, to as Float32Array);
  }
}
