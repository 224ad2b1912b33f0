import { Builder } from 'flatbuffers';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './model.ts';
import {
  type OperatorName,
  fileIdentifier,
  fullyConnectedOptions,
  fusedActivations,
  largestOldCode,
  operatorCodes,
  schemaVersion,
  slots,
  tensorTypes,
} from './schema.ts';

/** The model as a .tflite file, schema version 3. The same model gives the same bytes. */
export function writeTflite(model: TfliteModel): Uint8Array {
  const builder = new Builder(1024);
  const names = [...new Set(model.operators.map(({ operator }) => operator))];
  const metadata = Object.entries(model.metadata);
  const constants = model.tensors.filter(({ data }) => data !== null);
  // buffer 0 is empty by convention; then the constants in order, then the metadata
  const buffers = [
    writeBuffer(builder, new Uint8Array()),
    ...constants.map(({ data }) => writeBuffer(builder, bytesOf(data!))),
    ...metadata.map(([, bytes]) => writeBuffer(builder, bytes)),
  ];
  const tensors = model.tensors.map((tensor) => writeTensor(builder, tensor, constants.indexOf(tensor) + 1));
  const operators = model.operators.map((operator) => writeOperator(builder, operator, names));
  const graph = table(builder, slots.subgraph.fields, [
    offset(slots.subgraph.tensors, offsetVector(builder, tensors)),
    offset(slots.subgraph.inputs, int32Vector(builder, [model.input])),
    offset(slots.subgraph.outputs, int32Vector(builder, [model.output])),
    offset(slots.subgraph.operators, offsetVector(builder, operators)),
    offset(slots.subgraph.name, builder.createString('main')),
  ]);
  const codes = names.map((name) => writeCode(builder, name, versionOf(name, model)));
  const entries = metadata.map(([name], i) => writeMetadata(builder, name, 1 + constants.length + i));
  const root = table(builder, slots.model.fields, [
    (b) => b.addFieldInt32(slots.model.version, schemaVersion, 0),
    offset(slots.model.operatorCodes, offsetVector(builder, codes)),
    offset(slots.model.subgraphs, offsetVector(builder, [graph])),
    offset(slots.model.description, builder.createString(model.description)),
    offset(slots.model.buffers, offsetVector(builder, buffers)),
    offset(slots.model.metadata, offsetVector(builder, entries)),
  ]);
  builder.finish(root, fileIdentifier);
  return builder.asUint8Array().slice();
}

/**
 * The version of an operator, by which a runtime that is too old refuses a file: weights of int8 under float inputs are FULLY_CONNECTED 3,
 * int8 inputs 4, a scale per unit 12.
 */
function versionOf(name: OperatorName, { tensors, operators }: TfliteModel): number {
  const versions = operators
    .filter(({ operator }) => operator === name)
    .map((operator) => {
      const isInteger = tensors[operator.input].type === 'int8';
      if (operator.operator !== 'FULLY_CONNECTED') return isInteger && name !== 'QUANTIZE' ? 2 : 1;
      const { type, quantization } = tensors[operator.weights];
      if (isInteger) return quantization!.scales.length > 1 ? 12 : 4;
      return type === 'int8' ? 3 : 1;
    });
  return Math.max(...versions);
}

type Field = (builder: Builder) => void;

const offset =
  (slot: number, to: number): Field =>
  (builder) =>
    builder.addFieldOffset(slot, to, 0);

/** A table of the fields given; what they point to has been written before. */
function table(builder: Builder, size: number, fields: readonly Field[]): number {
  builder.startObject(size);
  for (const field of fields) field(builder);
  return builder.endObject();
}

function writeBuffer(builder: Builder, bytes: Uint8Array): number {
  if (bytes.length === 0) return table(builder, slots.buffer.fields, []);
  // runtimes compute in place on data whose alignment is 16
  builder.startVector(1, bytes.length, 16);
  for (let i = bytes.length - 1; i >= 0; i--) builder.addInt8(bytes[i]);
  return table(builder, slots.buffer.fields, [offset(slots.buffer.data, builder.endVector())]);
}

/** The numbers in the byte order of the format, which is little-endian. */
function bytesOf(data: Float32Array | Int8Array | Int32Array): Uint8Array {
  if (data instanceof Int8Array) return new Uint8Array(data.buffer, data.byteOffset, data.length);
  const bytes = new Uint8Array(4 * data.length);
  const view = new DataView(bytes.buffer);
  data.forEach((value: number, i: number) => {
    if (data instanceof Float32Array) view.setFloat32(4 * i, value, true);
    else view.setInt32(4 * i, value, true);
  });
  return bytes;
}

function writeTensor(builder: Builder, { name, shape, type, quantization }: TfliteTensor, buffer: number): number {
  const fields = [
    offset(slots.tensor.shape, int32Vector(builder, shape)),
    offset(slots.tensor.name, builder.createString(name)),
  ];
  if (quantization) {
    const { scales, zeroPoints } = quantization;
    builder.startVector(4, scales.length, 4);
    for (const scale of [...scales].reverse()) builder.addFloat32(scale);
    const scaleVector = builder.endVector();
    builder.startVector(8, zeroPoints.length, 8);
    for (const point of [...zeroPoints].reverse()) builder.addInt64(BigInt(point));
    const pointVector = builder.endVector();
    const written = table(builder, slots.quantization.fields, [
      offset(slots.quantization.scale, scaleVector),
      offset(slots.quantization.zeroPoint, pointVector),
    ]);
    fields.push(offset(slots.tensor.quantization, written));
  }
  // a first dimension of −1 in the signature lets a runtime resize the batch
  const isComputed = buffer === 0;
  if (isComputed) {
    fields.push(offset(slots.tensor.shapeSignature, int32Vector(builder, [-1, ...shape.slice(1)])));
  }
  return table(builder, slots.tensor.fields, [
    ...fields,
    (b) => b.addFieldInt8(slots.tensor.type, tensorTypes[type], 0),
    (b) => b.addFieldInt32(slots.tensor.buffer, buffer, 0),
  ]);
}

function writeOperator(builder: Builder, operator: TfliteOperator, names: readonly OperatorName[]): number {
  const isLayer = operator.operator === 'FULLY_CONNECTED';
  const inputs = isLayer ? [operator.input, operator.weights, operator.bias ?? -1] : [operator.input];
  const fields: Field[] = [
    offset(slots.operator.inputs, int32Vector(builder, inputs)),
    offset(slots.operator.outputs, int32Vector(builder, [operator.output])),
    (b) => b.addFieldInt32(slots.operator.code, names.indexOf(operator.operator), 0),
  ];
  if (isLayer) {
    const options = table(builder, slots.fullyConnected.fields, [
      (b) => b.addFieldInt8(slots.fullyConnected.activation, fusedActivations.indexOf(operator.activation), 0),
      (b) => b.addFieldInt8(slots.fullyConnected.asymmetricInputs, Number(operator.asymmetricInputs), 0),
    ]);
    fields.push(
      (b) => b.addFieldInt8(slots.operator.optionsType, fullyConnectedOptions, 0),
      offset(slots.operator.options, options),
    );
  }
  return table(builder, slots.operator.fields, fields);
}

function writeCode(builder: Builder, name: OperatorName, version: number): number {
  const code = operatorCodes[name];
  return table(builder, slots.operatorCode.fields, [
    (b) => b.addFieldInt8(slots.operatorCode.deprecatedCode, Math.min(code, largestOldCode), 0),
    (b) => b.addFieldInt32(slots.operatorCode.version, version, 1),
    (b) => b.addFieldInt32(slots.operatorCode.code, code, 0),
  ]);
}

function writeMetadata(builder: Builder, name: string, buffer: number): number {
  const text = builder.createString(name);
  return table(builder, slots.metadata.fields, [
    offset(slots.metadata.name, text),
    (b) => b.addFieldInt32(slots.metadata.buffer, buffer, 0),
  ]);
}

function int32Vector(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addInt32(value);
  return builder.endVector();
}

function offsetVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (const to of [...offsets].reverse()) builder.addOffset(to);
  return builder.endVector();
}
