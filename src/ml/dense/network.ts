import { ArgumentError } from '../ensure.ts';
import type { Matrix } from '../matrix.ts';
import { InvalidModel } from '../trees/model.ts';
import { exp } from '../exponential.ts';

export type Activation = 'linear' | 'relu' | 'sigmoid';

/**
 * One fully connected layer: activation(weights · x + bias).
 *
 * | array   | type    | why                                                                                   |
 * |---------|---------|---------------------------------------------------------------------------------------|
 * | weights | float32 | `weights[unit * inputs + input]`: the order of a .tflite file, and of the inner loops  |
 * | bias    | float32 | one per unit                                                                          |
 */
export type DenseLayer = {
  inputs: number;
  units: number;
  activation: Activation;
  weights: Float32Array;
  bias: Float32Array;
};

/**
 * A feed-forward network of fully connected layers; sigmoid stands in the last layer only. Its inputs are standardised features:
 * the scaling is part of the fitted design (`scale: 'standard'`), which stands beside the weights in the model's own file. It is not
 * folded into the first layer, because an int8 file has one scale for all inputs: raw features of 0 to 1 beside others of 0 to
 * 500 would be rounded away, while z-scores share one range.
 */
export type DenseNetwork = { featureNames: readonly string[]; layers: readonly DenseLayer[] };

/** What a network's parameters take, in numbers: weights and biases. */
export function parameterCount({ layers }: DenseNetwork): number {
  return layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0);
}

/**
 * The network's outputs for every row, `values[row * outputs + output]`; `raw` leaves the last sigmoid out (log-odds). Sums are
 * accumulated in float64, activations kept in float32. Throws InvalidModel for another number of features, and ArgumentError for a
 * feature that is missing or not finite: a network has no rule for that, the design must impute it.
 */
export function predictDense(network: DenseNetwork, matrix: Matrix, { raw = false } = {}): Float64Array {
  const { layers } = network;
  const rows = denseRows(network.featureNames.length, matrix);
  const outputs = layers.at(-1)!.units;
  const values = new Float64Array(matrix.rows * outputs);
  const forward = forwardPass(layers, raw);
  for (let row = 0; row < matrix.rows; row++) {
    values.set(forward(rows.subarray(row * matrix.columns, (row + 1) * matrix.columns)), row * outputs);
  }
  return values;
}

/** A function from one row to the outputs; the array that it gives is its own and is overwritten by the next call. */
export function forwardPass(layers: readonly DenseLayer[], raw: boolean): (row: ArrayLike<number>) => Float64Array {
  const buffers = layers.map(({ units }) => new Float64Array(units));
  return (row) => {
    let input: ArrayLike<number> = row;
    layers.forEach(({ inputs, units, activation, weights, bias }, k) => {
      const output = buffers[k];
      for (let unit = 0; unit < units; unit++) {
        let sum = bias[unit];
        for (let i = 0, at = unit * inputs; i < inputs; i++) sum += weights[at + i] * input[i];
        output[unit] = activate(sum, raw && activation === 'sigmoid' ? 'linear' : activation);
      }
      input = output;
    });
    return buffers.at(-1)!;
  };
}

export function activate(value: number, activation: Activation): number {
  if (activation === 'relu') return value > 0 ? value : 0;
  return activation === 'sigmoid' ? 1 / (1 + exp(-value)) : value;
}

/** The matrix row by row, as float32: what a network is trained and asked with. Throws as `predictDense` does. */
export function denseRows(features: number, { rows, columns, names, values }: Matrix): Float32Array {
  if (columns !== features) {
    throw new InvalidModel(`The network takes ${features} features, the data has ${columns}.`);
  }
  const byRow = new Float32Array(rows * columns);
  for (let c = 0; c < columns; c++) {
    for (let row = 0; row < rows; row++) {
      const value = Math.fround(values[c * rows + row]);
      if (!Number.isFinite(value)) {
        throw new ArgumentError(
          `The feature ${names[c]} is missing or not a finite number in row ${row + 1}: a network needs a value, impute it.`,
        );
      }
      byRow[row * columns + c] = value;
    }
  }
  return byRow;
}
