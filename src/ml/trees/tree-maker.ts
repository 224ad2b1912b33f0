import { type Random, random } from '../random.ts';
import type { BinnedMatrix } from './binning.ts';
import { flattenTree, leafResults } from './flatten.ts';
import { type GrownTree, treeGrower } from './grower.ts';
import type { KernelChoice } from './kernel/operations.ts';
import { lossOf, weightedQuantile } from './loss.ts';
import type { Tree } from './model.ts';
import type { Boosting } from './parameters.ts';
import { quantise } from './quantise.ts';
import type { Turn } from './rounds.ts';
import { addGrownTree } from './route.ts';

/** A boosting as plain data, its large arrays where every thread that works on it can reach them. */
export type BoostingJob = {
  parameters: Boosting;
  kernel: KernelChoice | undefined;
  binned: BinnedMatrix;
  weight: Float64Array | null;
  /** One per output: what is learnt, and the scores so far, both per row. */
  heads: { target: Float64Array; initial: number; score: Float64Array }[];
  /** What early stopping watches: bins as of `binned`, and per output as above. */
  watched: {
    byColumn: Uint8Array;
    weight: Float64Array | null;
    heads: { target: Float64Array; score: Float64Array }[];
  } | null;
};

/** A tree, and the loss of its output on the rows watched once it is added; NaN where none are. */
export type MadeTree = { tree: Tree; loss: number };

/**
 * Makes a function that grows the next tree of an output and adds it to that output's scores. Its result depends on the turn and those
 * scores alone, not on which turns came before; rounds must not fall from call to call.
 */
export function treeMaker({
  parameters,
  kernel,
  binned,
  weight,
  heads,
  watched,
}: BoostingJob): (turn: Turn) => MadeTree {
  const { rows } = binned;
  const loss = lossOf(parameters);
  const seeded = random(parameters.seed);
  const bagOf = bags(seeded.fork('bagging'), rows, parameters);
  const grow = treeGrower(binned, { ...parameters, minSplitSamples: 2 }, kernel);
  const gradient = new Float64Array(rows);
  const hessian = new Float64Array(rows);
  const allSlots = Int32Array.from(binned.slots.keys());
  let quantised: Float64Array | undefined;

  return function make({ round, output }) {
    const head = heads[output];
    const { target, score } = head;
    const stream = seeded.fork(round * heads.length + output);
    loss.derivatives(target, score, weight, gradient, hessian);
    const rounded = quantise(gradient, loss.constantHessian && weight === null ? null : hessian, rows, quantised);
    quantised = rounded.values;
    const slots = someOf(allSlots, parameters.featureFraction, stream);
    const { bag, leftOut } = bagOf(round);
    const grown = grow(rounded, bag, slots, stream);

    const results = leafResults(grown, gradient, hessian, parameters);
    if (loss.leafQuantile !== null) renewByQuantile(grown, results.value, target, score, loss.leafQuantile);
    const tree = flattenTree(
      grown,
      binned,
      results,
      parameters,
      parameters.learningRate,
      round === 0 ? head.initial : 0,
    );
    const values = results.value.map((value) => value * parameters.learningRate);
    const { order, leaves } = grown;
    leaves.forEach(({ start, end }, leaf) => {
      for (let i = start; i < end; i++) score[order[i]] += values[leaf];
    });
    if (leftOut !== null) addGrownTree(grown, binned.slots, binned.byColumn, leftOut, score, values);
    if (watched === null) return { tree, loss: NaN };

    const seen = watched.heads[output];
    addGrownTree(grown, binned.slots, watched.byColumn, null, seen.score, tree.leafValue);
    return { tree, loss: loss.meanLoss(seen.target, seen.score, watched.weight) };
  };

  function renewByQuantile(
    { leaves, order }: GrownTree,
    values: Float64Array,
    target: Float64Array,
    score: Float64Array,
    level: number,
  ): void {
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
}

type Bag = { bag: Int32Array; leftOut: Int32Array | null };

/** The rows that a round's trees are grown on and those left out, both ascending; rounds must not fall from call to call. */
function bags(stream: Random, rows: number, { baggingFraction, baggingFrequency }: Boosting): (round: number) => Bag {
  let drawn: Bag = { bag: Int32Array.from({ length: rows }, (_, row) => row), leftOut: null };
  let next = 0;
  return (round) => {
    if (baggingFraction === 1) return drawn;
    // those of rounds that another thread has worked on are drawn as well: the stream is one
    for (; next <= round; next += baggingFrequency) {
      const bag = stream.sample(rows, Math.max(1, Math.round(baggingFraction * rows)));
      drawn = { bag, leftOut: outside(bag, rows) };
    }
    return drawn;
  };
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
