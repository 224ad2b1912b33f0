import type { Json } from '../../data/json.ts';
import type { Matrix } from '../matrix.ts';
import { type Random, random } from '../random.ts';
import { type BinnedMatrix, binMatrix } from './binning.ts';
import { flattenTree, leafResults } from './flatten.ts';
import { type GrownTree, treeGrower } from './grower.ts';
import type { KernelChoice } from './kernel/operations.ts';
import { type StartThread, withThreads } from './kernel/second-thread.ts';
import { type Loss, lossOf, weightedQuantile } from './loss.ts';
import type { Tree, TreeModel } from './model.ts';
import {
  type Boosting,
  type BoostingParameters,
  InvalidParameter,
  boostingParameters,
  completeParameters,
} from './parameters.ts';
import { addTree } from './predictor.ts';
import { quantise } from './quantise.ts';
import { checkMonotone, checkTrainingData, describeModel } from './training-data.ts';

export type BoostingOptions = {
  /** One per row, ≥ 0. */
  weight?: Float64Array;
  /** One per row, added to the score on the link scale: the log of the exposure for Poisson, Gamma and Tweedie. */
  offset?: Float64Array;
  /** What early stopping watches; never trained on. */
  validation?: { data: Matrix; target: Float64Array; weight?: Float64Array; offset?: Float64Array };
  /** The levels behind the codes of each categorical column, kept in the model file. */
  categories?: readonly (readonly Json[])[];
  /** @default 'webassembly', where it is to be had; the trees are the same. */
  kernel?: KernelChoice;
  /** With 2, a second thread builds half of each large histogram; it needs WebAssembly, and the trees are the same. @default 1 */
  threads?: 1 | 2;
  /** Called after each iteration, with the validation loss when there is a validation set. */
  onIteration?: (iteration: number, validationLoss: number | null) => void;
};

/**
 * Gradient boosting of histogram trees (Friedman, "Greedy function approximation", 2001; second order and regularised as Chen and
 * Guestrin, "XGBoost", 2016; leaf-wise over binned features as Ke et al., "LightGBM", 2017).
 *
 * `target` holds rows × outputs, row-major; several outputs share one binning and get one tree each per iteration.
 * Equal data, parameters and seed give an equal model. Throws InvalidParameter and InvalidTrainingData.
 */
export function trainBoosting(
  data: Matrix,
  target: Float64Array,
  parameters: BoostingParameters = {},
  options: BoostingOptions = {},
): TreeModel {
  return withThreads(options.threads ?? 1, (startThread) => boost(data, target, parameters, options, startThread));
}

function boost(
  data: Matrix,
  target: Float64Array,
  parameters: BoostingParameters,
  options: BoostingOptions,
  startThread: StartThread | null,
): TreeModel {
  const complete = completeParameters(boostingParameters, parameters);
  const outputs = checkTrainingData('training', data, target, options.weight, options.offset);
  checkMonotone(complete.monotoneConstraints, data);
  const loss = lossOf(complete);
  loss.check(target);
  if (outputs > 1 && loss.hasLink) {
    throw new InvalidParameter(`Objective ${complete.objective} takes one output, the target has ${outputs} per row.`);
  }
  const binned = binMatrix(data, complete);
  const seeded = random(complete.seed);
  const bagging = seeded.fork('bagging');
  const grow = treeGrower(binned, { ...complete, minSplitSamples: 2 }, options.kernel, startThread);
  const watched = watchedLoss(options.validation, data, outputs, loss, complete);

  const heads = Array.from({ length: outputs }, (_, output) =>
    boostingHead(loss, complete, binned, columnOf(target, outputs, output), options),
  );
  const trees: Tree[] = [];
  let bag: Int32Array | null = null;
  let leftOut: Int32Array | null = null;
  let best = { iterations: 0, loss: Infinity };
  for (let iteration = 0; iteration < complete.iterations; iteration++) {
    if (complete.baggingFraction < 1 && iteration % complete.baggingFrequency === 0) {
      bag = bagging.sample(data.rows, Math.max(1, Math.round(complete.baggingFraction * data.rows)));
      leftOut = outside(bag, data.rows);
    }

    const grown = heads.map((head, output) => head.next(grow, bag, seeded.fork(iteration * outputs + output)));
    const isStuck = grown.every(({ tree }) => tree.leaves === 1);
    if (isStuck && iteration > 0) break;
    grown.forEach(({ tree, values }, output) => {
      trees.push(tree);
      if (leftOut !== null) addTree(tree, data, leftOut, heads[output].score, values);
      watched?.add(output, tree);
    });

    const validationLoss = watched === null ? null : watched.loss();
    options.onIteration?.(iteration, validationLoss);
    if (validationLoss !== null && complete.earlyStoppingRounds > 0) {
      if (validationLoss < best.loss) best = { iterations: iteration + 1, loss: validationLoss };
      else if (iteration + 1 - best.iterations >= complete.earlyStoppingRounds) break;
    }
    if (isStuck) break;
  }

  const kept = best.iterations > 0 ? trees.slice(0, best.iterations * outputs) : trees;
  return describeModel(data, binned, options, modelHead(loss, outputs, complete), kept);
}

function modelHead(loss: Loss, outputs: number, parameters: Boosting) {
  // LightGBM has no objective for several regression outputs; `custom` keeps the raw scores as they are
  const objective = outputs === 1 ? loss.name : 'custom';
  return { objective, outputs, averaged: false, parameters: { boosting: 'gbdt', ...parameters } };
}

type Grow = ReturnType<typeof treeGrower>;

/** The state of one output: its scores, and how its next tree is made. */
function boostingHead(
  loss: Loss,
  parameters: Boosting,
  binned: BinnedMatrix,
  target: Float64Array,
  options: BoostingOptions,
) {
  const { rows } = binned;
  const weight = options.weight ?? null;
  const initial = loss.initialScore(target, weight, options.offset ?? null);
  const score = new Float64Array(rows).fill(initial);
  if (options.offset !== undefined) for (let i = 0; i < rows; i++) score[i] += options.offset[i];
  const gradient = new Float64Array(rows);
  const hessian = new Float64Array(rows);
  const allRows = Int32Array.from(score.keys());
  const allSlots = Int32Array.from(binned.slots.keys());
  let quantised: Float64Array | undefined;
  let isFirst = true;

  /** Grows a tree against the present scores and adds it to those of the rows it has seen. */
  function next(grow: Grow, bag: Int32Array | null, seeded: Random): { tree: Tree; values: Float64Array } {
    loss.derivatives(target, score, weight, gradient, hessian);
    const rounded = quantise(gradient, loss.constantHessian && weight === null ? null : hessian, rows, quantised);
    quantised = rounded.values;
    const slots = someOf(allSlots, parameters.featureFraction, seeded);
    const grown = grow(rounded, bag ?? allRows, slots, seeded);
    const { order } = grown;

    const results = leafResults(grown, gradient, hessian, parameters);
    if (loss.leafQuantile !== null) renewByQuantile(grown, results.value, loss.leafQuantile);
    const tree = flattenTree(grown, binned, results, parameters, parameters.learningRate, isFirst ? initial : 0);
    isFirst = false;
    const values = results.value.map((value) => value * parameters.learningRate);
    grown.leaves.forEach(({ start, end }, leaf) => {
      for (let i = start; i < end; i++) score[order[i]] += values[leaf];
    });
    return { tree, values };
  }

  function renewByQuantile({ leaves, order }: GrownTree, values: Float64Array, level: number): void {
    leaves.forEach(({ start, end, bounds }, leaf) => {
      const residuals = new Float64Array(end - start);
      const weights = new Float64Array(end - start).fill(1);
      for (let i = start; i < end; i++) {
        residuals[i - start] = target[order[i]] - score[order[i]];
        if (weight !== null) weights[i - start] = weight[order[i]];
      }
      values[leaf] = Math.min(bounds.high, Math.max(bounds.low, weightedQuantile(residuals, weights, level)));
    });
  }

  return { score, next };
}

/** The validation scores, kept up tree by tree, and their mean loss over the outputs. */
function watchedLoss(
  validation: BoostingOptions['validation'],
  training: Matrix,
  outputs: number,
  loss: Loss,
  parameters: Boosting,
) {
  if (validation === undefined) {
    if (parameters.earlyStoppingRounds > 0) {
      throw new InvalidParameter('earlyStoppingRounds needs a validation set; give options.validation.');
    }
    return null;
  }
  const { data, target, weight, offset } = validation;
  const validationOutputs = checkTrainingData('validation', data, target, weight, offset);
  if (validationOutputs !== outputs || data.columns !== training.columns) {
    throw new InvalidParameter(
      `The validation set has ${data.columns} columns and ${validationOutputs} outputs, the training set ${training.columns} and ${outputs}.`,
    );
  }
  const targets = Array.from({ length: outputs }, (_, output) => columnOf(target, outputs, output));
  const scores = targets.map(() => (offset === undefined ? new Float64Array(data.rows) : Float64Array.from(offset)));
  return {
    add: (output: number, tree: Tree) => addTree(tree, data, null, scores[output], tree.leafValue),
    loss: () =>
      targets.reduce((sum, actual, output) => sum + loss.meanLoss(actual, scores[output], weight ?? null), 0) / outputs,
  };
}

function columnOf(target: Float64Array, outputs: number, output: number): Float64Array {
  return outputs === 1
    ? target
    : Float64Array.from({ length: target.length / outputs }, (_, i) => target[i * outputs + output]);
}

function someOf(slots: Int32Array, fraction: number, seeded: Random): Int32Array {
  if (fraction >= 1 || slots.length === 0) return slots;
  return seeded.sample(slots.length, Math.max(1, Math.round(fraction * slots.length)));
}

/** The rows that an ascending list of rows leaves out. */
function outside(bag: Int32Array, rows: number): Int32Array {
  const left = new Int32Array(rows - bag.length);
  let at = 0;
  for (let row = 0, k = 0; row < rows; row++) {
    if (k < bag.length && bag[k] === row) k++;
    else left[at++] = row;
  }
  return left;
}
