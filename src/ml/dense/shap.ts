import type { Matrix } from '../matrix.ts';
import { random } from '../random.ts';
import { InvalidExplanation } from '../shap/explanation.ts';
import type { ShapValues } from '../shap/tree-shap.ts';
import { type DenseNetwork, denseRows, forwardPass, parameterCount } from './network.ts';

export type DenseShapOptions = {
  /** Up to so many features all coalitions are counted; above, orders of the features are drawn. @default 12 */
  exactUpTo?: number;
  /** Pairs of an order and its reverse, for each row and background row. @default - as many as make 64 pairs for each row */
  orders?: number;
  seed?: number | string;
  /** Refuse more multiplications than this. @default 5e10, some minutes */
  workLimit?: number;
};

/**
 * Interventional SHAP values of a network on the scale of its raw output (log-odds where it ends in a sigmoid): the Shapley values of
 * the game in which the unknown features take the values of a background row, averaged over the background (Janzing et al., "Feature
 * relevance quantification in explainable AI", 2020). Layout and meaning are those of `interventionalShap`: a run adds up to the raw
 * output to 1e-9, its last entry is the mean raw output of the background.
 *
 * Exact for few features: every coalition is evaluated once per background row, in the order of a Gray code, so that one feature
 * changes at a time and the first layer is brought up to date by one column of its weights. For more features it is the mean over
 * seeded orders of the features, each followed by its reverse (Castro et al., "Polynomial calculation of the Shapley value based on
 * sampling", 2009; Mitchell et al., "Sampling permutations for Shapley value estimation", 2022); it still adds up exactly.
 *
 * Throws InvalidModel and ArgumentError as `predictDense` does, InvalidExplanation for no background or work above the limit.
 */
export function denseShap(
  network: DenseNetwork,
  matrix: Matrix,
  background: Matrix,
  { exactUpTo = 12, orders = Math.ceil(64 / background.rows), seed = 1, workLimit = 5e10 }: DenseShapOptions = {},
): ShapValues {
  const columns = network.featureNames.length;
  const asked = denseRows(columns, matrix);
  const compared = denseRows(columns, background);
  if (background.rows === 0) throw new InvalidExplanation('The background has no row to compare with.');
  const isExact = columns <= exactUpTo;
  const evaluations = isExact ? 2 ** columns : 2 * orders * columns;
  const work = matrix.rows * background.rows * evaluations * parameterCount(network);
  if (work > workLimit) {
    throw new InvalidExplanation(
      `${matrix.rows} rows × ${background.rows} background rows × ${evaluations} evaluations are ${work} multiplications, the limit is ` +
        `${workLimit}: explain at most ${Math.floor(workLimit / (work / matrix.rows))} rows at once, or take a smaller background.`,
    );
  }

  const outputs = network.layers.at(-1)!.units;
  const run = columns + 1;
  const values = new Float64Array(matrix.rows * outputs * run);
  const game = mixtures(network);
  const stream = random(seed).fork('dense shap');
  const share = 1 / background.rows;
  for (let row = 0; row < matrix.rows; row++) {
    const own = asked.subarray(row * columns, (row + 1) * columns);
    const phi = values.subarray(row * outputs * run, (row + 1) * outputs * run);
    const rowStream = stream.fork(row);
    for (let b = 0; b < background.rows; b++) {
      game.begin(own, compared.subarray(b * columns, (b + 1) * columns));
      for (let k = 0; k < outputs; k++) phi[k * run + columns] += share * game.outputs[k];
      if (isExact) addCoalitions(game, columns, share, phi);
      else addOrders(game, columns, orders, share, phi, () => rowStream.shuffle(Uint32Array.from(own, (_, i) => i)));
    }
  }
  return { rows: matrix.rows, outputs, columns, values };
}

/** A row that changes feature by feature between one of the data and one of the background, and the network's raw outputs for it. */
type Mixtures = {
  outputs: Float64Array;
  /** Starts at the background row. */
  begin: (row: Float32Array, reference: Float32Array) => void;
  /** Takes a feature's value from the row, or back from the background. */
  toggle: (feature: number) => void;
};

function mixtures({ layers: [first, ...rest] }: DenseNetwork): Mixtures {
  const { inputs, units, activation, weights, bias } = first;
  const sums = new Float64Array(units);
  const activated = new Float64Array(units);
  const finish = rest.length > 0 ? forwardPass(rest, true) : () => sums;
  const outputs = new Float64Array((rest.at(-1) ?? first).units);
  const differences = new Float64Array(inputs);
  const taken = new Uint8Array(inputs);

  function evaluate(): void {
    for (let unit = 0; unit < units; unit++) {
      activated[unit] = activation === 'relu' && sums[unit] < 0 ? 0 : sums[unit];
    }
    outputs.set(finish(activated));
  }
  return {
    outputs,
    begin(row, reference) {
      taken.fill(0);
      for (let i = 0; i < inputs; i++) differences[i] = row[i] - reference[i];
      for (let unit = 0; unit < units; unit++) {
        let sum = bias[unit];
        for (let i = 0, at = unit * inputs; i < inputs; i++) sum += weights[at + i] * reference[i];
        sums[unit] = sum;
      }
      evaluate();
    },
    toggle(feature) {
      const difference = taken[feature] === 1 ? -differences[feature] : differences[feature];
      taken[feature] ^= 1;
      for (let unit = 0; unit < units; unit++) sums[unit] += difference * weights[unit * inputs + feature];
      evaluate();
    },
  };
}

/** Every coalition's output, times s!(n−s−1)!/n! for each feature that could join it and minus that for each that could leave. */
function addCoalitions(game: Mixtures, columns: number, share: number, phi: Float64Array): void {
  const run = columns + 1;
  const weights = joiningWeights(columns);
  let members = 0;
  let size = 0;
  for (let step = 0; ; step++) {
    for (let i = 0; i < columns; i++) {
      const isMember = ((members >>> i) & 1) === 1;
      const weight = share * (isMember ? weights[size - 1] : -weights[size]);
      for (let k = 0; k < game.outputs.length; k++) phi[k * run + i] += weight * game.outputs[k];
    }
    if (step === 2 ** columns - 1) return;
    // the next word of the Gray code differs in the lowest bit that the next number sets
    const feature = 31 - Math.clz32((step + 1) & -(step + 1));
    members ^= 1 << feature;
    size += ((members >>> feature) & 1) === 1 ? 1 : -1;
    game.toggle(feature);
  }
}

/** s!(n−s−1)!/n! for s = 0 … n−1. */
function joiningWeights(n: number): Float64Array {
  const weights = new Float64Array(n);
  weights[0] = 1 / n;
  for (let s = 1; s < n; s++) weights[s] = (weights[s - 1] * s) / (n - s);
  return weights;
}

/** What each feature changes when it joins, in drawn orders and in their reverse. */
function addOrders(
  game: Mixtures,
  columns: number,
  orders: number,
  share: number,
  phi: Float64Array,
  draw: () => Uint32Array,
): void {
  const run = columns + 1;
  const weight = share / (2 * orders);
  const before = new Float64Array(game.outputs.length);
  for (let n = 0; n < orders; n++) {
    const order = draw();
    // up in the drawn order: each is paid for joining; down in the same order: the last joined leave last, as in the reverse
    for (const sign of [1, -1]) {
      for (const feature of order) {
        before.set(game.outputs);
        game.toggle(feature);
        for (let k = 0; k < before.length; k++) {
          phi[k * run + feature] += sign * weight * (game.outputs[k] - before[k]);
        }
      }
    }
  }
}
