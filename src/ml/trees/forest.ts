import type { Json } from '../../data/json.ts';
import type { Matrix } from '../matrix.ts';
import { type Random, random } from '../random.ts';
import { binMatrix } from './binning.ts';
import { flattenTree, leafResults } from './flatten.ts';
import { treeGrower } from './grower.ts';
import type { KernelChoice } from './kernel/operations.ts';
import type { Tree, TreeModel } from './model.ts';
import { type ForestParameters, completeParameters, forestParameters } from './parameters.ts';
import { quantise } from './quantise.ts';
import { checkMonotone, checkTrainingData, describeModel } from './training-data.ts';

export type ForestOptions = {
  /** @default 'webassembly', where it is to be had; the trees are the same. */
  kernel?: KernelChoice;
  /** One per row, ≥ 0. */
  weight?: Float64Array;
  /** The levels behind the codes of each categorical column, kept in the model file. */
  categories?: readonly (readonly Json[])[];
};

/**
 * A random forest for squared error (Breiman, "Random forests", 2001): each tree is grown on a bootstrap sample and tries a random
 * share of the features at each split; the prediction is the mean of the trees. A target of 0 and 1 gives probabilities.
 *
 * `target` holds rows × outputs, row-major. Equal data, parameters and seed give an equal model. Throws InvalidParameter and
 * InvalidTrainingData.
 */
export function trainForest(
  data: Matrix,
  target: Float64Array,
  parameters: ForestParameters = {},
  options: ForestOptions = {},
): TreeModel {
  const complete = completeParameters(forestParameters, parameters);
  const outputs = checkTrainingData('training', data, target, options.weight);
  checkMonotone(complete.monotoneConstraints, data);
  const binned = binMatrix(data, complete);
  const seeded = random(complete.seed);
  const rules = { ...complete, featureFractionByNode: complete.featureFraction };
  const grow = treeGrower(binned, rules, options.kernel);
  const slots = Int32Array.from(binned.slots.keys());
  const weight = options.weight ?? null;

  // seen from the mean a leaf's mean residual is its Newton step, and the rounding of the gradients is finest
  const heads = Array.from({ length: outputs }, (_, output) => {
    const mean = weightedMean(target, weight, outputs, output);
    const hessian = weight ?? new Float64Array(data.rows).fill(1);
    const gradient = Float64Array.from(hessian, (w, i) => w * (mean - target[i * outputs + output]));
    return { mean, gradient, hessian, rounded: quantise(gradient, weight, data.rows) };
  });

  const trees: Tree[] = [];
  for (let t = 0; t < complete.trees; t++) {
    for (const [output, { mean, gradient, hessian, rounded }] of heads.entries()) {
      const stream = seeded.fork(t * outputs + output);
      const drawn = complete.bootstrap
        ? bootstrap(data.rows, stream)
        : Int32Array.from({ length: data.rows }, (_, i) => i);
      const grown = grow(rounded, drawn, slots, stream);
      const results = leafResults(grown, gradient, hessian, complete);
      trees.push(flattenTree(grown, binned, results, complete, 1, mean));
    }
  }
  const objective = outputs === 1 ? 'regression' : 'custom';
  return describeModel(
    data,
    binned,
    options,
    { objective, outputs, averaged: true, parameters: { boosting: 'rf', ...complete } },
    trees,
  );
}

/** As many rows as there are, drawn with repeats; ascending, so that a tree reads memory forwards. */
function bootstrap(rows: number, stream: Random): Int32Array {
  const times = new Int32Array(rows);
  for (let i = 0; i < rows; i++) times[stream.integer(rows)]++;
  const drawn = new Int32Array(rows);
  for (let row = 0, at = 0; row < rows; row++) for (let k = 0; k < times[row]; k++) drawn[at++] = row;
  return drawn;
}

function weightedMean(target: Float64Array, weight: Float64Array | null, outputs: number, output: number): number {
  let sum = 0;
  let total = 0;
  for (let i = output, row = 0; i < target.length; i += outputs, row++) {
    const w = weight === null ? 1 : weight[row];
    sum += w * target[i];
    total += w;
  }
  return sum / total;
}
