import type { Json } from '../../data/json.ts';
import type { Matrix } from '../matrix.ts';
import type { BinnedMatrix } from './binning.ts';
import type { Tree, TreeModel } from './model.ts';
import { InvalidParameter, InvalidTrainingData } from './parameters.ts';

/** Throws InvalidTrainingData unless there are rows, lengths agree and targets and weights are usable; returns the outputs per row. */
export function checkTrainingData(
  what: string,
  data: Matrix,
  target: Float64Array,
  weight: Float64Array | undefined,
  offset?: Float64Array,
): number {
  const outputs = target.length / data.rows;
  if (data.rows === 0 || data.columns === 0) {
    throw new InvalidTrainingData(`The ${what} matrix is empty: ${data.rows} rows × ${data.columns} columns.`);
  }
  if (!(Number.isInteger(outputs) && outputs >= 1)) {
    throw new InvalidTrainingData(`The ${what} target has ${target.length} values for ${data.rows} rows.`);
  }
  if (!target.every(Number.isFinite)) {
    throw new InvalidTrainingData(`The ${what} target holds missing or infinite values; leave those rows out.`);
  }
  if (weight !== undefined) {
    if (weight.length !== data.rows) {
      throw new InvalidTrainingData(`There are ${weight.length} ${what} weights for ${data.rows} rows.`);
    }
    let total = 0;
    for (const w of weight) total += w >= 0 ? w : NaN;
    if (!(total > 0 && total < Infinity)) {
      throw new InvalidTrainingData(`The ${what} weights must be at least 0, finite, and not all 0.`);
    }
  }
  if (offset !== undefined && !(offset.length === data.rows && offset.every(Number.isFinite))) {
    throw new InvalidTrainingData(`The ${what} offset needs one finite value for each of ${data.rows} rows.`);
  }
  return outputs;
}

/** Throws InvalidParameter unless the constraints fit the columns. */
export function checkMonotone(constraints: readonly number[] | undefined, data: Matrix): void {
  if (constraints === undefined) return;
  if (constraints.length !== data.columns) {
    throw new InvalidParameter(
      `monotoneConstraints has ${constraints.length} entries, the data has ${data.columns} columns.`,
    );
  }
  for (const c of data.categorical ?? []) {
    if (constraints[c] !== 0) {
      throw new InvalidParameter(`monotoneConstraints: "${data.names[c]}" is categorical and has no order.`);
    }
  }
}

/** A model around its trees: what the file remembers of the data it was trained on. */
export function describeModel(
  data: Matrix,
  binned: BinnedMatrix,
  options: { categories?: readonly (readonly Json[])[] },
  described: { objective: string; outputs: number; averaged: boolean; parameters: object },
  trees: Tree[],
): TreeModel {
  const categorical = [...(data.categorical ?? [])].sort((a, b) => a - b);
  if (options.categories !== undefined && options.categories.length !== categorical.length) {
    throw new InvalidTrainingData(
      `There are ${options.categories.length} lists of categories for ${categorical.length} categorical columns.`,
    );
  }
  const { monotoneConstraints } = described.parameters as { monotoneConstraints?: number[] };
  return {
    objective: described.objective,
    outputs: described.outputs,
    averaged: described.averaged,
    featureNames: data.names,
    featureInfos: binned.featureInfos,
    categorical,
    categories: options.categories ?? null,
    monotone: monotoneConstraints?.some((c) => c !== 0) === true ? monotoneConstraints : null,
    parameters: lightgbmParameters(described.parameters),
    trees,
  };
}

/** Our parameters by LightGBM's names; it warns of any other name when it loads a model. */
const lightgbmNames: Record<string, string> = {
  boosting: 'boosting',
  objective: 'objective',
  alpha: 'alpha',
  tweediePower: 'tweedie_variance_power',
  scalePosWeight: 'scale_pos_weight',
  iterations: 'num_iterations',
  trees: 'num_iterations',
  learningRate: 'learning_rate',
  numLeaves: 'num_leaves',
  maxDepth: 'max_depth',
  featureFraction: 'feature_fraction',
  featureFractionByNode: 'feature_fraction_bynode',
  baggingFraction: 'bagging_fraction',
  baggingFrequency: 'bagging_freq',
  earlyStoppingRounds: 'early_stopping_round',
  minChildSamples: 'min_data_in_leaf',
  minChildWeight: 'min_sum_hessian_in_leaf',
  lambdaL1: 'lambda_l1',
  lambdaL2: 'lambda_l2',
  minSplitGain: 'min_gain_to_split',
  maxBin: 'max_bin',
  minDataInBin: 'min_data_in_bin',
  extraTrees: 'extra_trees',
  monotoneConstraints: 'monotone_constraints',
  categoricalSmoothing: 'cat_smooth',
  categoricalL2: 'cat_l2',
  maxCategoriesPerSplit: 'max_cat_threshold',
  seed: 'seed',
};

function lightgbmParameters(parameters: object): Record<string, string> {
  const named = Object.entries(parameters).filter(([name, value]) => name in lightgbmNames && value !== undefined);
  return Object.fromEntries(named.map(([name, value]) => [lightgbmNames[name], String(value)]));
}
