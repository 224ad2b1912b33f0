import { InvalidModel } from '../../trees/model.ts';
import { type TfliteModel, type TfliteOperator, type TfliteTensor, width } from './model.ts';
import type { TensorType } from './schema.ts';

/**
 * Asserts that a graph can be computed: every tensor is there before it is read, shapes and types agree, constants are whole and
 * finite, and scales are those of the schema. Throws InvalidModel, which names the tensor.
 */
export function checkTflite({ tensors, operators, input, output }: TfliteModel): void {
  const at = (index: number): TfliteTensor => {
    const tensor = tensors[index];
    if (!tensor) throw new InvalidModel(`The .tflite file is damaged: there is no tensor ${index}.`);
    return tensor;
  };
  tensors.forEach(checkTensor);
  if (at(input).data !== null) throw new InvalidModel('The input of the .tflite file is a constant.');
  const computed = new Set([input]);
  for (const operator of operators) {
    if (!computed.has(operator.input)) {
      throw new InvalidModel(
        `${operator.operator} reads the tensor "${at(operator.input).name}" before it is computed.`,
      );
    }
    if (at(operator.output).data !== null || computed.has(operator.output)) {
      throw new InvalidModel(`${operator.operator} writes the tensor "${at(operator.output).name}" a second time.`);
    }
    if (operator.operator === 'FULLY_CONNECTED') checkFullyConnected(operator, at);
    else checkElementwise(operator, at(operator.input), at(operator.output));
    computed.add(operator.output);
  }
  if (!computed.has(output)) throw new InvalidModel('The output of the .tflite file is never computed.');
  for (const index of [input, output]) {
    if (at(index).type === 'int32') throw new InvalidModel(`The tensor "${at(index).name}" is an int32.`);
  }
}

function checkTensor({ name, shape, type, data, quantization }: TfliteTensor): void {
  // an unknown number of rows is −1 in some files
  if (!shape.every((size, dimension) => size >= 1 || (data === null && dimension === 0 && size === -1))) {
    throw new InvalidModel(`The tensor "${name}" has the shape [${shape.join(', ')}].`);
  }
  if (data === null && shape.length !== 2) {
    throw new InvalidModel(
      `The tensor "${name}" has ${shape.length} dimensions: those known here have rows and columns.`,
    );
  }
  if (data !== null && data.length !== shape.reduce((product, size) => product * size, 1)) {
    throw new InvalidModel(`The tensor "${name}" has ${data.length} values for the shape [${shape.join(', ')}].`);
  }
  if (type === 'float32' && data !== null && !data.every(Number.isFinite)) {
    throw new InvalidModel(`The tensor "${name}" has values that are no finite numbers.`);
  }
  if (type === 'int8' && quantization === null) throw new InvalidModel(`The int8 tensor "${name}" has no scale.`);
  if (quantization === null) return;
  if (!quantization.scales.every((scale) => scale > 0 && scale < Infinity)) {
    throw new InvalidModel(`A scale of the tensor "${name}" is no positive number.`);
  }
  if (!quantization.zeroPoints.every((point) => point >= -128 && point <= 127)) {
    throw new InvalidModel(`A zero point of the tensor "${name}" is outside of int8.`);
  }
}

function checkFullyConnected(
  operator: Extract<TfliteOperator, { operator: 'FULLY_CONNECTED' }>,
  at: (index: number) => TfliteTensor,
): void {
  const [input, weights, output] = [at(operator.input), at(operator.weights), at(operator.output)];
  const bias = operator.bias === null ? null : at(operator.bias);
  const { name } = weights;
  if (weights.data === null || bias?.data === null) throw new InvalidModel(`The layer of "${name}" has no weights.`);
  const [units, inputs] = weights.shape;
  if (weights.shape.length !== 2 || inputs !== width(input) || units !== width(output) || bias?.shape.length === 2) {
    throw new InvalidModel(`The layer of "${name}" does not fit: its weights are [${weights.shape.join(', ')}].`);
  }
  if (bias && width(bias) !== units) {
    throw new InvalidModel(`The layer of "${name}" has ${units} units and a bias of ${width(bias)}.`);
  }
  const types = [input.type, weights.type, bias?.type ?? 'none', output.type].join(' ');
  const known =
    /^float32 (float32|int8) (float32|none) float32$/.test(types) || /^int8 int8 (int32|none) int8$/.test(types);
  if (!known) throw new InvalidModel(`The layer of "${name}" mixes types that are not known here: ${types}.`);
  const { quantization } = weights;
  if (quantization && (!isPerTensorOr(quantization.scales.length, units) || quantization.zeroPoints.some(Boolean))) {
    throw new InvalidModel(`The weights "${name}" have scales or zero points that the schema does not allow.`);
  }
  for (const tensor of [input, output]) ensureOneScale(tensor);
}

const isPerTensorOr = (scales: number, units: number) => scales === 1 || scales === units;

const elementwise: Record<Exclude<TfliteOperator['operator'], 'FULLY_CONNECTED'>, [TensorType, TensorType][]> = {
  LOGISTIC: [
    ['float32', 'float32'],
    ['int8', 'int8'],
  ],
  RELU: [
    ['float32', 'float32'],
    ['int8', 'int8'],
  ],
  QUANTIZE: [
    ['float32', 'int8'],
    ['int8', 'int8'],
  ],
  DEQUANTIZE: [['int8', 'float32']],
};

function checkElementwise(
  { operator }: Extract<TfliteOperator, { operator: keyof typeof elementwise }>,
  input: TfliteTensor,
  output: TfliteTensor,
): void {
  if (width(input) !== width(output)) {
    throw new InvalidModel(`${operator} takes ${width(input)} numbers and gives ${width(output)}.`);
  }
  if (!elementwise[operator].some(([from, to]) => input.type === from && output.type === to)) {
    throw new InvalidModel(`${operator} from ${input.type} to ${output.type} is not known here.`);
  }
  for (const tensor of [input, output]) ensureOneScale(tensor);
  // the kernels of TensorFlow Lite give probabilities this scale and refuse another
  if (operator === 'LOGISTIC' && output.quantization && output.type === 'int8') {
    const { scales, zeroPoints } = output.quantization;
    if (scales[0] !== 1 / 256 || zeroPoints[0] !== -128) {
      throw new InvalidModel(`The output "${output.name}" of LOGISTIC must have scale 1/256 and zero point −128.`);
    }
  }
}

function ensureOneScale({ name, quantization }: TfliteTensor): void {
  if (quantization && quantization.scales.length !== 1) {
    throw new InvalidModel(`The tensor "${name}" has ${quantization.scales.length} scales instead of one.`);
  }
}
