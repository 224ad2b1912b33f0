import type { DenseLayer, DenseNetwork } from '../../dense/network.ts';
import { InvalidModel } from '../../trees/model.ts';
import { type TfliteModel, type TfliteOperator, type TfliteTensor, width } from './model.ts';

/** Under which name a file has its features' names, as a JSON list. */
const namesKey = 'bordereau_features';

/** The network as a float32 graph: a FULLY_CONNECTED with its fused RELU per layer, and a LOGISTIC where the last is a sigmoid. */
export function tfliteOf({ featureNames, layers }: DenseNetwork, metadata: TfliteModel['metadata'] = {}): TfliteModel {
  const tensors: TfliteTensor[] = [computed('features', layers[0].inputs)];
  const operators: TfliteOperator[] = [];
  const add = (tensor: TfliteTensor) => tensors.push(tensor) - 1;
  let input = 0;
  layers.forEach(({ inputs, units, activation, weights: values, bias: biases }, k) => {
    const name = `layer_${k}`;
    const weights = add(constant(`${name}/weights`, [units, inputs], values));
    const bias = add(constant(`${name}/bias`, [units], biases));
    let output = add(computed(name, units));
    operators.push({
      operator: 'FULLY_CONNECTED',
      input,
      weights,
      bias,
      output,
      activation: activation === 'relu' ? 'relu' : 'none',
      asymmetricInputs: false,
    });
    if (activation === 'sigmoid') {
      const probability = add(computed('probability', units));
      operators.push({ operator: 'LOGISTIC', input: output, output: probability });
      output = probability;
    }
    input = output;
  });
  const names = new TextEncoder().encode(JSON.stringify(featureNames));
  return {
    description: 'Dense network of Bordereau',
    tensors,
    operators,
    input: 0,
    output: input,
    metadata: { ...metadata, [namesKey]: names },
  };
}

/**
 * The network behind a graph of any precision, integer weights as the real numbers that they stand for; what rounds activations is
 * left out. Throws InvalidModel for a graph that is not one chain of layers with a sigmoid at most at its end.
 */
export function networkOf(model: TfliteModel): DenseNetwork {
  const { tensors, operators } = model;
  const layers: DenseLayer[] = [];
  let at = model.input;
  for (const operator of operators) {
    const last = layers.at(-1);
    if (operator.input !== at || last?.activation === 'sigmoid') {
      const isEnd = operator.operator === 'DEQUANTIZE' && operator.input === at;
      if (!isEnd) throw new InvalidModel('The .tflite file is not one chain of layers with a sigmoid at its end.');
    }
    at = operator.output;
    if (operator.operator === 'FULLY_CONNECTED') layers.push(layerOf(operator, tensors));
    else if (operator.operator === 'RELU' || operator.operator === 'LOGISTIC') {
      if (!last) throw new InvalidModel(`The .tflite file begins with ${operator.operator}: a layer must come first.`);
      layers[layers.length - 1] = { ...last, activation: operator.operator === 'RELU' ? 'relu' : 'sigmoid' };
    }
  }
  if (layers.length === 0 || at !== model.output) {
    throw new InvalidModel('The .tflite file is not one chain of layers from its input to its output.');
  }
  const unnamed = Array.from({ length: layers[0].inputs }, (_, i) => `Column_${i}`);
  return { featureNames: featureNamesOf(model) ?? unnamed, layers };
}

/** The names of the inputs, where the file has them: files of other programs do not. Throws InvalidModel where they do not fit. */
export function featureNamesOf({ metadata, tensors, input }: TfliteModel): string[] | null {
  const bytes = metadata[namesKey];
  if (bytes === undefined) return null;
  let names: unknown;
  try {
    names = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    names = undefined;
  }
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string');
  if (!isList || (names as string[]).length !== width(tensors[input])) {
    throw new InvalidModel('The names of the features in the .tflite file are damaged.');
  }
  return names as string[];
}

/** The same graph without its last LOGISTIC and what follows it: its output is then on the scale of log-odds. */
export function rawGraph(model: TfliteModel): TfliteModel {
  const at = model.operators.findLastIndex(({ operator }) => operator === 'LOGISTIC');
  if (at < 0) return model;
  return { ...model, operators: model.operators.slice(0, at), output: model.operators[at].input };
}

function layerOf(
  { input, weights, bias, output, activation }: Extract<TfliteOperator, { operator: 'FULLY_CONNECTED' }>,
  tensors: readonly TfliteTensor[],
): DenseLayer {
  if (activation !== 'none' && activation !== 'relu') {
    throw new InvalidModel(
      `The layer "${tensors[output].name}" has the activation ${activation}: only RELU is known here.`,
    );
  }
  const units = width(tensors[output]);
  return {
    inputs: width(tensors[input]),
    units,
    activation: activation === 'relu' ? 'relu' : 'linear',
    weights: realsOf(tensors[weights]),
    bias: bias === null ? new Float32Array(units) : biasOf(tensors[bias], tensors[input], tensors[weights]),
  };
}

function realsOf({ data, quantization, shape }: TfliteTensor): Float32Array {
  if (data instanceof Float32Array || quantization === null) return Float32Array.from(data!);
  const { scales } = quantization;
  return Float32Array.from(data!, (value, i) => value * scales[scales.length > 1 ? Math.floor(i / shape[1]) : 0]);
}

/** An integer bias counts in products of input and weight scale, whether or not the file says so. */
function biasOf(bias: TfliteTensor, input: TfliteTensor, weights: TfliteTensor): Float32Array {
  if (bias.type === 'float32') return Float32Array.from(bias.data!);
  const { scales } = weights.quantization!;
  const [inputScale] = input.quantization!.scales;
  return Float32Array.from(bias.data!, (value, unit) => value * inputScale * scales[scales.length > 1 ? unit : 0]);
}

function computed(name: string, size: number): TfliteTensor {
  return { name, shape: [1, size], type: 'float32', quantization: null, data: null };
}

function constant(name: string, shape: number[], data: Float32Array): TfliteTensor {
  return { name, shape, type: 'float32', quantization: null, data };
}
