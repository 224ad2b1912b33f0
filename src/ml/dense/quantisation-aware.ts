import { ArgumentError, ensureWhole } from '../ensure.ts';
import { activationRanges, affineOf, quantiseWeights } from '../formats/tflite/quantise.ts';
import { roundHalfAway } from '../formats/tflite/fixed-point.ts';
import { random } from '../random.ts';
import { adam } from './adam.ts';
import { type DenseLayer, type DenseNetwork, activate } from './network.ts';
import type { Dense } from './parameters.ts';
import type { DenseRows } from './rows.ts';

export type FineTuning = {
  objective: Dense['objective'];
  /** Rows of features over which activations are ranged; those that `toInt8` will get. */
  representative: Float32Array;
  /** @default 3 */
  epochs?: number;
  /** A fifth of what training usually takes. @default 2e-4 */
  learningRate?: number;
  /** @default 32 */
  batchSize?: number;
  /** @default 1 */
  seed?: number | string;
};

/**
 * Trains a network on under the rounding that int8 will do to it (Jacob et al., 2018, §3): forward with weights and activations on
 * the integers' grid, backward as if nothing were rounded (straight-through), but not where an activation was cut off. Give the
 * result to `toInt8` with the same representative rows. The network given stays as it is.
 *
 * A loop of its own rather than TensorFlow.js: the grid must be that of `toInt8` to the last bit, ranges are measured anew for each
 * epoch, and networks of this size take a second this way. Throws ArgumentError for rows that do not fit the network.
 */
export function fineTuneForInt8(
  network: DenseNetwork,
  rows: DenseRows,
  { objective, representative, epochs = 3, learningRate = 2e-4, batchSize = 32, seed = 1 }: FineTuning,
): DenseNetwork {
  ensureWhole('epochs', epochs, 1);
  ensureWhole('batchSize', batchSize, 1);
  const count = rows.weight.length;
  const { inputs } = network.layers[0];
  const outputs = network.layers.at(-1)!.units;
  if (rows.features.length !== count * inputs || rows.target.length !== count * outputs || count === 0) {
    throw new ArgumentError(`The rows do not fit a network of ${inputs} features and ${outputs} outputs.`);
  }
  const layers = network.layers.map((layer) => ({
    ...layer,
    weights: layer.weights.slice(),
    bias: layer.bias.slice(),
  }));
  const parameters = layers.flatMap(({ weights, bias }) => [weights, bias]);
  const gradients = parameters.map(({ length }) => new Float64Array(length));
  const step = adam(parameters, gradients, { learningRate, epsilon: 1e-7 });
  const stream = random(seed).fork('int8');
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    stream.fork(epoch).shuffle(order);
    const grids = activationRanges({ ...network, layers }, representative).map(gridOf);
    for (let from = 0; from < count; from += batchSize) {
      const batch = order.subarray(from, from + batchSize);
      for (const gradient of gradients) gradient.fill(0);
      const learn = roundedPass(layers, grids, objective, gradients);
      for (const row of batch) {
        learn(
          rows.features.subarray(row * inputs, (row + 1) * inputs),
          rows.target.subarray(row * outputs, (row + 1) * outputs),
          rows.weight[row] / (batch.length * outputs),
        );
      }
      step();
    }
  }
  return { ...network, layers };
}

/** The values that the 256 integers of an activation stand for. */
type Grid = { low: number; high: number; round: (value: number) => number };

function gridOf(range: Parameters<typeof affineOf>[0]): Grid {
  const { scale, zeroPoint } = affineOf(range);
  const low = scale * (-128 - zeroPoint);
  const high = scale * (127 - zeroPoint);
  return {
    low,
    high,
    round: (value) => (value <= low ? low : value >= high ? high : scale * roundHalfAway(value / scale)),
  };
}

/** Adds one row's gradient of the loss; the rounded weights are those at the time of the call. */
function roundedPass(
  layers: readonly DenseLayer[],
  grids: readonly Grid[],
  objective: Dense['objective'],
  gradients: readonly Float64Array[],
): (features: Float32Array, target: Float32Array, weight: number) => void {
  const rounded = layers.map(({ weights }) => {
    const { integers, scale } = quantiseWeights(weights);
    return Float64Array.from(integers, (integer) => scale * integer);
  });
  // sums before the activation, rounded activations, and the loss's derivative by the sums
  const sums = layers.map(({ units }) => new Float64Array(units));
  const activations = [new Float64Array(layers[0].inputs), ...layers.map(({ units }) => new Float64Array(units))];
  const slopes = layers.map(({ units }) => new Float64Array(units));
  const last = layers.length - 1;

  function forward(features: Float32Array): void {
    features.forEach((value, i) => {
      activations[0][i] = grids[0].round(value);
    });
    layers.forEach(({ inputs, units, activation, bias }, k) => {
      const [weights, from, grid] = [rounded[k], activations[k], grids[k + 1]];
      for (let unit = 0; unit < units; unit++) {
        let sum = bias[unit];
        for (let i = 0, at = unit * inputs; i < inputs; i++) sum += weights[at + i] * from[i];
        sums[k][unit] = sum;
        activations[k + 1][unit] = grid.round(activation === 'relu' ? activate(sum, 'relu') : sum);
      }
    });
  }

  return (features, target, weight) => {
    forward(features);
    const raw = activations[last + 1];
    target.forEach((label, unit) => {
      const difference = objective === 'binary' ? activate(raw[unit], 'sigmoid') - label : 2 * (raw[unit] - label);
      slopes[last][unit] = weight * difference;
    });
    for (let k = last; k >= 0; k--) {
      const { inputs, units, activation } = layers[k];
      const [weightGradient, biasGradient, from, grid] = [gradients[2 * k], gradients[2 * k + 1], activations[k], grids[k + 1]]; // prettier-ignore
      if (k > 0) slopes[k - 1].fill(0);
      for (let unit = 0; unit < units; unit++) {
        const sum = sums[k][unit];
        const isCutOff = sum > grid.high || sum < (activation === 'relu' ? 0 : grid.low);
        const slope = isCutOff ? 0 : slopes[k][unit];
        if (slope === 0) continue;
        biasGradient[unit] += slope;
        for (let i = 0, at = unit * inputs; i < inputs; i++) {
          weightGradient[at + i] += slope * from[i];
          if (k > 0) slopes[k - 1][i] += slope * rounded[k][at + i];
        }
      }
    }
  };
}
