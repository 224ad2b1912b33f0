import { InvalidModel } from '../../trees/model.ts';
import { checkTflite } from './check.ts';
import { type FlatTable, flatbuffer } from './flatbuffer.ts';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './model.ts';
import {
  type OperatorName,
  type TensorType,
  fileIdentifier,
  fullyConnectedOptions,
  fusedActivations,
  operatorCodes,
  operatorName,
  schemaVersion,
  slots,
  tensorTypes,
  typeName,
} from './schema.ts';

/**
 * Reads a .tflite file, of this product or of another: one graph of FULLY_CONNECTED, LOGISTIC, RELU, QUANTIZE and DEQUANTIZE over
 * float32 and int8 tensors, one input, one output. Throws InvalidModel for a file that is damaged, truncated or of another version,
 * for a graph whose parts do not fit together, and, by name, for an operator or type that is not among these.
 */
export function readTflite(bytes: Uint8Array): TfliteModel {
  if (new TextDecoder('latin1').decode(bytes.subarray(4, 8)) !== fileIdentifier) {
    throw new InvalidModel(`This is no .tflite file: the letters ${fileIdentifier} are missing.`);
  }
  const buffer = flatbuffer(bytes);
  const root = buffer.root();
  const version = buffer.uint32(root, slots.model.version, 0);
  if (version !== schemaVersion) {
    throw new InvalidModel(`The .tflite file has schema version ${version}; ${schemaVersion} is known.`);
  }
  const subgraphs = buffer.tables(root, slots.model.subgraphs);
  if (subgraphs.length !== 1) throw new InvalidModel(`The .tflite file has ${subgraphs.length} graphs instead of one.`);
  const [graph] = subgraphs;
  const buffers = buffer.tables(root, slots.model.buffers);
  const codes = buffer.tables(root, slots.model.operatorCodes).map((code) => operatorOf(buffer, code));
  const model: TfliteModel = {
    description: buffer.text(root, slots.model.description),
    tensors: buffer.tables(graph, slots.subgraph.tensors).map((tensor) => readTensor(buffer, tensor, buffers)),
    operators: buffer.tables(graph, slots.subgraph.operators).map((operator) => readOperator(buffer, operator, codes)),
    input: only(buffer.int32s(graph, slots.subgraph.inputs), 'input'),
    output: only(buffer.int32s(graph, slots.subgraph.outputs), 'output'),
    metadata: Object.fromEntries(
      buffer
        .tables(root, slots.model.metadata)
        .map((entry) => [
          buffer.text(entry, slots.metadata.name),
          dataOf(buffer, buffers, buffer.uint32(entry, slots.metadata.buffer, 0)),
        ]),
    ),
  };
  checkTflite(model);
  return model;
}

type Buffer = ReturnType<typeof flatbuffer>;

/** The name of an operator that is known here. Codes up to 127 stand in an old field of one byte, and in both in newer files. */
function operatorOf(buffer: Buffer, table: FlatTable): OperatorName {
  const old = buffer.int8(table, slots.operatorCode.deprecatedCode, 0);
  const code = Math.max(old, buffer.int32(table, slots.operatorCode.code, 0));
  const name = operatorName(code);
  if (Object.hasOwn(operatorCodes, name)) return name as OperatorName;
  const custom = buffer.text(table, slots.operatorCode.customCode);
  throw new InvalidModel(
    `The .tflite file uses the operator ${name}${custom === '' ? '' : ` "${custom}"`}; ` +
      `those known here are ${Object.keys(operatorCodes).join(', ')}.`,
  );
}

function readTensor(buffer: Buffer, table: FlatTable, buffers: readonly FlatTable[]): TfliteTensor {
  const name = buffer.text(table, slots.tensor.name);
  const code = buffer.uint8(table, slots.tensor.type, 0);
  const type = (Object.keys(tensorTypes) as TensorType[]).find((known) => tensorTypes[known] === code);
  if (type === undefined) {
    throw new InvalidModel(
      `The tensor "${name}" is of type ${typeName(code)}; those known here are FLOAT32, INT32 and INT8.`,
    );
  }
  if (buffer.table(table, slots.tensor.sparsity)) {
    throw new InvalidModel(`The tensor "${name}" is sparse: convert the model without sparsity.`);
  }
  const place = buffer.uint32(table, slots.tensor.buffer, 0);
  const data = place === 0 ? new Uint8Array() : dataOf(buffer, buffers, place);
  const shape = buffer.int32s(table, slots.tensor.shape);
  return {
    name,
    shape,
    type,
    quantization: readQuantization(buffer, name, buffer.table(table, slots.tensor.quantization)),
    data: data.length === 0 ? null : valuesOf(name, type, data),
  };
}

function readQuantization(buffer: Buffer, name: string, table: FlatTable | undefined): TfliteTensor['quantization'] {
  if (!table) return null;
  const scales = Float32Array.from(buffer.float32s(table, slots.quantization.scale));
  if (scales.length === 0) return null;
  const points = buffer.int64s(table, slots.quantization.zeroPoint);
  if (points.length !== scales.length && points.length > 0) {
    throw new InvalidModel(`The tensor "${name}" has ${scales.length} scales and ${points.length} zero points.`);
  }
  if (scales.length > 1 && buffer.int32(table, slots.quantization.dimension, 0) !== 0) {
    throw new InvalidModel(`The tensor "${name}" has its scales along another dimension than its units.`);
  }
  return { scales, zeroPoints: points.length > 0 ? Int32Array.from(points) : new Int32Array(scales.length) };
}

function valuesOf(name: string, type: TensorType, bytes: Uint8Array): Float32Array | Int8Array | Int32Array {
  if (type === 'int8') return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length % 4 !== 0) throw new InvalidModel(`The values of the tensor "${name}" are truncated.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const places = Array.from({ length: bytes.length / 4 }, (_, i) => 4 * i);
  return type === 'int32'
    ? Int32Array.from(places, (at) => view.getInt32(at, true))
    : Float32Array.from(places, (at) => view.getFloat32(at, true));
}

function dataOf(buffer: Buffer, buffers: readonly FlatTable[], index: number): Uint8Array {
  if (index >= buffers.length) throw new InvalidModel('The .tflite file is damaged: a buffer is missing.');
  // files above 2 GB keep their data behind the tables
  if (buffer.uint32(buffers[index], slots.buffer.offset, 0) > 1) {
    throw new InvalidModel('The .tflite file keeps its data outside its tables, as only very large ones do.');
  }
  return buffer.bytes(buffers[index], slots.buffer.data);
}

function readOperator(buffer: Buffer, table: FlatTable, codes: readonly OperatorName[]): TfliteOperator {
  const operator = codes[buffer.uint32(table, slots.operator.code, 0)];
  if (operator === undefined) throw new InvalidModel('The .tflite file is damaged: an operator has no code.');
  const inputs = buffer.int32s(table, slots.operator.inputs);
  const output = only(buffer.int32s(table, slots.operator.outputs), `output of ${operator}`);
  if (operator !== 'FULLY_CONNECTED') return { operator, input: only(inputs, `input of ${operator}`), output };
  if (inputs.length < 2 || inputs.length > 3) {
    throw new InvalidModel(`A FULLY_CONNECTED has ${inputs.length} inputs instead of two or three.`);
  }
  const hasOptions = buffer.uint8(table, slots.operator.optionsType, 0) === fullyConnectedOptions;
  const options = hasOptions ? buffer.table(table, slots.operator.options) : undefined;
  const option = (slot: number) => (options ? buffer.uint8(options, slot, 0) : 0);
  const activation = fusedActivations[option(slots.fullyConnected.activation)];
  if (activation === undefined) throw new InvalidModel('A FULLY_CONNECTED has a fused activation that is not known.');
  if (option(slots.fullyConnected.weightsFormat) !== 0) {
    throw new InvalidModel('A FULLY_CONNECTED has shuffled weights: convert the model without.');
  }
  const [input, weights, bias = -1] = inputs;
  return {
    operator,
    input,
    weights,
    bias: bias < 0 ? null : bias,
    output,
    activation,
    asymmetricInputs: option(slots.fullyConnected.asymmetricInputs) !== 0,
  };
}

function only(values: readonly number[], what: string): number {
  if (values.length !== 1) throw new InvalidModel(`The .tflite file has ${values.length} instead of one ${what}.`);
  return values[0];
}
