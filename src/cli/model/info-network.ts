import type { Json } from '../../data/json.ts';
import { say } from '../../governance/text.ts';
import { parameterCount } from '../../ml/dense/network.ts';
import { type TfliteTensor, precisionOf } from '../../ml/formats/tflite/model.ts';
import { networkOf } from '../../ml/formats/tflite/network.ts';
import type { Call } from '../command.ts';
import type { SavedNetwork } from './network.ts';

/** `model info` of a network: its layers and how its numbers are kept. */
export function printNetwork({ output }: Call, { format, model, design, featureNames }: SavedNetwork): void {
  const { tensors, operators } = model;
  const network = networkOf(model);
  const weights = operators.flatMap((operator) => ('weights' in operator ? [tensors[operator.weights]] : []));
  const layers = network.layers.map(({ inputs, units, activation }, k) => {
    const { type, quantization } = weights[k];
    return { inputs, units, activation, weights: type, scales: quantization?.scales.length ?? 0 };
  });
  const precision = precisionOf(model);
  const parameters = parameterCount(network);
  const encoders = design === null ? null : design.features.map(({ column, as }) => `${column} (${as})`);
  output.table(
    ['what', 'value'],
    [
      ['precision', precision],
      ['operators', operators.map(({ operator }) => operator).join(', ')],
      ['weights and biases', say(parameters)],
      ['input', tensorText(tensors[model.input])],
      ['output', tensorText(tensors[model.output])],
      ['features', featureNames.join(', ')],
      ['encoders', encoders === null ? 'none in the file: it takes numbers as they are' : encoders.join(', ')],
    ],
  );
  output.print();
  output.table(
    ['layer', 'inputs', 'units', 'activation', 'weights', 'scales'],
    layers.map(({ inputs, units, activation, weights, scales }, k) => [
      String(k + 1),
      String(inputs),
      String(units),
      activation,
      weights,
      String(scales),
    ]),
  );
  output.document({
    format,
    kind: 'network',
    precision,
    description: model.description,
    operators: operators.map(({ operator }) => operator),
    parameters,
    features: featureNames,
    layers,
    design,
    metadata: Object.keys(model.metadata),
  } as unknown as Json);
}

function tensorText({ name, type, quantization }: TfliteTensor): string {
  if (type !== 'int8') return `${name}, ${type}`;
  const { scales, zeroPoints } = quantization!;
  return `${name}, int8: ${say(scales[0])} × (value − ${zeroPoints[0]})`;
}
