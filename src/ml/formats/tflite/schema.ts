/**
 * The numbers of TensorFlow Lite's file format (schema version 3) that a network of fully connected layers needs: slots of the
 * FlatBuffer tables, codes of operators, types and activations. Source: tensorflow/compiler/mlir/lite/schema/schema.fbs.
 */

export const fileIdentifier = 'TFL3';
export const schemaVersion = 3;

/** The place of each field in its table. */
export const slots = {
  model: { version: 0, operatorCodes: 1, subgraphs: 2, description: 3, buffers: 4, metadata: 6, fields: 8 },
  operatorCode: { deprecatedCode: 0, customCode: 1, version: 2, code: 3, fields: 4 },
  subgraph: { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4, fields: 5 },
  tensor: { shape: 0, type: 1, buffer: 2, name: 3, quantization: 4, sparsity: 6, shapeSignature: 7, fields: 8 },
  quantization: { scale: 2, zeroPoint: 3, dimension: 6, fields: 7 },
  operator: { code: 0, inputs: 1, outputs: 2, optionsType: 3, options: 4, fields: 5 },
  fullyConnected: { activation: 0, weightsFormat: 1, keepDimensions: 2, asymmetricInputs: 3, fields: 4 },
  buffer: { data: 0, offset: 1, size: 2, fields: 1 },
  metadata: { name: 0, buffer: 1, fields: 2 },
} as const;

/** Which table an operator's options are; the other operators here have none. */
export const fullyConnectedOptions = 8;

export const operatorCodes = { DEQUANTIZE: 6, FULLY_CONNECTED: 9, LOGISTIC: 14, RELU: 19, QUANTIZE: 114 } as const;
export type OperatorName = keyof typeof operatorCodes;

/** The code that stands in the old one-byte field for every operator that does not fit there. */
export const largestOldCode = 127;

export const tensorTypes = { float32: 0, int32: 2, int8: 9 } as const;
export type TensorType = keyof typeof tensorTypes;

export const fusedActivations = ['none', 'relu', 'reluN1To1', 'relu6'] as const;
export type FusedActivation = (typeof fusedActivations)[number];

const typeNames = 'FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64'.split(
  ' ',
);

// the operators of general use, by code, to name what is refused
const operatorNames = (
  'ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED ' +
  'HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU ' +
  'RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM ' +
  'EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV ' +
  'SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE ' +
  'BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE ' +
  'SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT ' +
  'REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ' +
  'ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL ' +
  'REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE'
).split(' ');

export function operatorName(code: number): string {
  return operatorNames[code] ?? `operator ${code}`;
}

export function typeName(code: number): string {
  return typeNames[code] ?? `type ${code}`;
}
