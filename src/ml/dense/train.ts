import type * as Tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ArgumentError } from '../ensure.ts';
import type { Matrix } from '../matrix.ts';
import { type Random, random } from '../random.ts';
import { adam } from './adam.ts';
import { initialNetwork } from './initial.ts';
import { meanLoss } from './loss.ts';
import { type DenseNetwork, forwardPass } from './network.ts';
import { type Dense, type DenseParameters, checkDenseParameters } from './parameters.ts';
import { type DenseRows, trainingRows } from './rows.ts';

export type DenseOptions = {
  /** Weight of each row. @default - one */
  weight?: ArrayLike<number>;
  /** Rows that early stopping looks at, and nothing else. */
  validation?: { data: Matrix; target: ArrayLike<number>; weight?: ArrayLike<number> };
};

export type DenseTraining = {
  network: DenseNetwork;
  /** Mean loss after each epoch: over (at most 5,000 of) the training rows, and over the validation rows. */
  history: { epoch: number; loss: number; validationLoss: number | null }[];
  /** The epoch, from 1 on, whose weights the network has. */
  bestEpoch: number;
};

/** From minus this to plus this the derivative of RELU rises from 0 to 1 in training; standardised inputs have deviation 1. */
const gateWidth = 0.1;
const adamEpsilon = 1e-4;

/**
 * Trains a network of fully connected layers with TensorFlow.js, which computes the gradients on the backend that `useBackend` has
 * chosen before, and Adam in float64. `data` holds standardised features without missing values; `target` is
 * `[row * outputs + output]`, 0 and 1 for `binary`. Without validation rows it does not stop early.
 *
 * The same data, parameters and seed give the same weights on every backend, to 1e-6 over some thousand steps, beyond which roundings
 * add up. Start, order of rows and dropout are drawn here, because TensorFlow.js can seed neither its shuffling nor more than one
 * mask of its dropout. Backends add up in different orders, and two things would make another network of a last bit: the step in the
 * derivative of RELU, and Adam's division by the size of gradients that are next to nothing. So in training the derivative rises
 * from 0 to 1 over a short way (`gateWidth`), and Adam's epsilon is 1e-4.
 *
 * Throws ArgumentError for parameters, rows, labels or weights that do not fit, and where the loss stops being a finite number.
 */
export async function trainDense(
  data: Matrix,
  target: ArrayLike<number>,
  parameters: DenseParameters = {},
  options: DenseOptions = {},
): Promise<DenseTraining> {
  const checked = checkDenseParameters(parameters);
  const outputs = target.length / data.rows;
  const train = trainingRows(data, target, options.weight, checked);
  const { validation } = options;
  const watched = validation && trainingRows(validation.data, validation.target, validation.weight, checked);
  if (watched && watched.target.length / watched.weight.length !== outputs) {
    throw new ArgumentError('The validation rows have another number of outputs than the training rows.');
  }
  const stream = random(checked.seed).fork('dense');
  const start = initialNetwork(data.names, checked, baseOf(train, outputs, checked), stream.fork('weights'));
  const trainer = await layersModel(start, checked);
  try {
    return runEpochs(trainer, start, train, watched, checked, stream);
  } finally {
    trainer.dispose();
  }
}

function runEpochs(
  trainer: Trainer,
  start: DenseNetwork,
  train: DenseRows,
  watched: DenseRows | undefined,
  { objective, batchSize, epochs, earlyStoppingEpochs, dropout }: Dense,
  stream: Random,
): DenseTraining {
  const history: DenseTraining['history'] = [];
  const rows = train.weight.length;
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  const hidden = start.layers.slice(0, -1).map(({ units }) => units);
  const shown = rowsOf(train, order.slice(0, 5000));
  let best = { network: start, epoch: 0, loss: Infinity };
  for (let epoch = 1; epoch <= epochs; epoch++) {
    stream.fork(`order ${epoch}`).shuffle(order);
    const masks = stream.fork(`masks ${epoch}`);
    for (let from = 0; from < rows; from += batchSize) {
      const batch = order.subarray(from, from + batchSize);
      const masked = dropout > 0 ? hidden.map((units) => dropoutMask(batch.length * units, dropout, masks)) : [];
      trainer.step(rowsOf(train, batch), masked);
    }
    const network = trainer.network();
    const validationLoss = watched ? lossOf(network, watched, objective) : null;
    const loss = lossOf(network, shown, objective);
    history.push({ epoch, loss, validationLoss });
    if (!Number.isFinite(loss)) {
      throw new ArgumentError(
        `The loss is no finite number after epoch ${epoch}: lower learningRate or standardise the features.`,
      );
    }
    if (validationLoss === null || validationLoss < best.loss) best = { network, epoch, loss: validationLoss ?? 0 };
    else if (earlyStoppingEpochs > 0 && epoch - best.epoch >= earlyStoppingEpochs) break;
  }
  return { network: best.network, history, bestEpoch: best.epoch };
}

/** The best constant prediction of each output: its mean, as log-odds where the output is a probability. */
function baseOf({ target, weight }: DenseRows, outputs: number, { objective }: Dense): Float64Array {
  return Float64Array.from({ length: outputs }, (_, output) => {
    let sum = 0;
    for (let row = 0; row < weight.length; row++) sum += weight[row] * target[row * outputs + output];
    const mean = sum / weight.length;
    if (objective === 'squared_error') return mean;
    const inside = Math.min(1 - 1e-6, Math.max(1e-6, mean));
    return Math.log(inside / (1 - inside));
  });
}

function rowsOf({ features, target, weight }: DenseRows, rows: Uint32Array): DenseRows {
  const take = (values: Float32Array) => {
    const width = values.length / weight.length;
    const taken = new Float32Array(rows.length * width);
    rows.forEach((row, i) => taken.set(values.subarray(row * width, (row + 1) * width), i * width));
    return taken;
  };
  return { features: take(features), target: take(target), weight: take(weight) };
}

/** Zero with the probability `dropout`; what is kept is enlarged, so that sums keep their size. */
function dropoutMask(length: number, dropout: number, stream: Random): Float32Array {
  return Float32Array.from({ length }, () => (stream.uniform() < dropout ? 0 : 1 / (1 - dropout)));
}

function lossOf({ layers }: DenseNetwork, rows: DenseRows, objective: Dense['objective']): number {
  const { inputs } = layers[0];
  const forward = forwardPass(layers, true);
  const raw = new Float64Array(rows.target.length);
  for (let row = 0; row < rows.weight.length; row++) {
    const output = forward(rows.features.subarray(row * inputs, (row + 1) * inputs));
    raw.set(output, row * output.length);
  }
  return meanLoss(objective, raw, rows);
}

type Trainer = {
  /** One step of Adam. */
  step: (batch: DenseRows, masks: readonly Float32Array[]) => void;
  network: () => DenseNetwork;
  dispose: () => void;
};

/**
 * The network as a model of tfjs-layers. Its output is raw (log-odds), and dropout is a product with masks that come in as inputs of
 * their own. The libraries are loaded when the first network is trained: a second that nobody else should wait for.
 */
async function layersModel(start: DenseNetwork, { objective, dropout, learningRate }: Dense): Promise<Trainer> {
  const tf = await import('@tensorflow/tfjs-core');
  const { input, layers: make, model: build } = await import('@tensorflow/tfjs-layers');
  const { Layer } = make;
  class SteadyRelu extends Layer {
    static readonly className = 'SteadyRelu';
    override call(given: Tf.Tensor | Tf.Tensor[]): Tf.Tensor {
      return steadyRelu(tf, Array.isArray(given) ? given[0] : given);
    }
  }
  const inputs = [input({ shape: [start.featureNames.length] })];
  let at: SymbolicTensor = inputs[0];
  start.layers.forEach(({ units }, k) => {
    const isLast = k === start.layers.length - 1;
    // the initialiser is passed over: weights are set below
    at = make.dense({ units, kernelInitializer: 'zeros' }).apply(at) as SymbolicTensor;
    if (!isLast) at = new SteadyRelu({}).apply(at) as SymbolicTensor;
    if (!isLast && dropout > 0) {
      const mask = input({ shape: [units] });
      inputs.push(mask);
      at = make.multiply().apply([at, mask]) as SymbolicTensor;
    }
  });
  const model: LayersModel = build({ inputs, outputs: at });
  const weights = start.layers.flatMap(({ inputs, units, weights, bias }) => [
    tf.tensor2d(transposed(weights, units, inputs), [inputs, units]),
    tf.tensor1d(bias),
  ]);
  model.setWeights(weights);
  tf.dispose(weights);

  const variables = model.trainableWeights.map((weight) => weight.read() as Tf.Variable);
  const parameters = variables.map((variable) => Float64Array.from(variable.dataSync()));
  const gradients = parameters.map(({ length }) => new Float64Array(length));
  const change = adam(parameters, gradients, { learningRate, epsilon: adamEpsilon });

  return {
    step({ features, target, weight }, masks) {
      const rows = weight.length;
      const tensor = (values: Float32Array) => tf.tensor2d(values, [rows, values.length / rows]);
      tf.tidy(() => {
        const given = [features, ...masks].map(tensor);
        const [actual, weights] = [tensor(target), tensor(weight)];
        const { grads } = tf.variableGrads(() => {
          const raw = model.apply(given.length === 1 ? given[0] : given, { training: true }) as Tf.Tensor;
          return lossGradient(tf, objective, actual, raw, weights);
        }, variables);
        variables.forEach(({ name }, k) => gradients[k].set(grads[name].dataSync()));
        change();
        variables.forEach((variable, k) =>
          variable.assign(tf.tensor(Float32Array.from(parameters[k]), variable.shape)),
        );
      });
    },
    network() {
      const layers = start.layers.map((layer, k) => ({
        ...layer,
        weights: transposed(Float32Array.from(parameters[2 * k]), layer.inputs, layer.units),
        bias: Float32Array.from(parameters[2 * k + 1]),
      }));
      return { ...start, layers };
    },
    dispose: () => model.dispose(),
  };
}

/** RELU itself, with a derivative that has no step. */
function steadyRelu(tf: typeof Tf, given: Tf.Tensor): Tf.Tensor {
  const compute = tf.customGrad((x, save) => {
    (save as (tensors: Tf.Tensor[]) => void)([x as Tf.Tensor]);
    const gradFunc = (dy: Tf.Tensor, [saved]: Tf.Tensor[]) =>
      tf.mul(dy, tf.clipByValue(tf.add(tf.mul(saved, 0.5 / gateWidth), 0.5), 0, 1));
    return { value: tf.relu(x as Tf.Tensor), gradFunc };
  });
  return compute(given);
}

/**
 * The gradient of the weighted mean loss, which for both losses is the weighted difference of prediction and label. The loss itself is
 * not computed at every step: as a value there is zero.
 */
function lossGradient(
  tf: typeof Tf,
  objective: Dense['objective'],
  actual: Tf.Tensor,
  raw: Tf.Tensor,
  weight: Tf.Tensor,
): Tf.Scalar {
  const compute = tf.customGrad((x, save) => {
    (save as (tensors: Tf.Tensor[]) => void)([x as Tf.Tensor]);
    const gradFunc = (_: Tf.Tensor, [saved]: Tf.Tensor[]) => {
      const predicted = objective === 'binary' ? tf.sigmoid(saved) : saved;
      const factor = (objective === 'binary' ? 1 : 2) / saved.size;
      return tf.mul(tf.sub(predicted, actual), tf.mul(weight, factor));
    };
    return { value: tf.scalar(0), gradFunc };
  });
  return compute(raw);
}

/** A matrix of `rows` × `columns`, row by row, turned about its diagonal. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}
