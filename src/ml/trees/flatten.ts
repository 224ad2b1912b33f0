import type { BinnedMatrix } from './binning.ts';
import type { GrownTree } from './grower.ts';
import { type Tree, categoricalBit, defaultLeftBit, emptyTree, missing } from './model.ts';
import { leafValue } from './splitter.ts';

/** The values of a grown tree's leaves and how they were come by, all arrays one entry per leaf. */
export type LeafResults = { value: Float64Array; gradient: Float64Array; hessian: Float64Array; count: Float64Array };

/**
 * The exact sums of every leaf over its rows, added up in their order in the partition, and the value of least loss from them.
 */
export function leafResults(
  { leaves, order }: GrownTree,
  gradient: Float64Array,
  hessian: Float64Array,
  lambda: { lambdaL1: number; lambdaL2: number },
): LeafResults {
  const results: LeafResults = {
    value: new Float64Array(leaves.length),
    gradient: new Float64Array(leaves.length),
    hessian: new Float64Array(leaves.length),
    count: new Float64Array(leaves.length),
  };
  leaves.forEach(({ start, end, bounds }, leaf) => {
    let gradientSum = 0;
    let hessianSum = 0;
    for (let i = start; i < end; i++) {
      gradientSum += gradient[order[i]];
      hessianSum += hessian[order[i]];
    }
    results.gradient[leaf] = gradientSum;
    results.hessian[leaf] = hessianSum;
    results.count[leaf] = end - start;
    results.value[leaf] = leafValue(gradientSum, hessianSum, lambda.lambdaL1, lambda.lambdaL2, bounds);
  });
  return results;
}

/** A flat tree with its values times `shrinkage`, plus `bias`. Splits on bins become thresholds and category sets. */
export function flattenTree(
  grown: GrownTree,
  binned: BinnedMatrix,
  results: LeafResults,
  lambda: { lambdaL1: number; lambdaL2: number },
  shrinkage: number,
  bias: number,
): Tree {
  const tree = emptyTree(grown.leaves.length, shrinkage);
  for (let leaf = 0; leaf < tree.leaves; leaf++) {
    tree.leafValue[leaf] = results.value[leaf] * shrinkage + bias;
    tree.leafWeight[leaf] = results.hessian[leaf];
    tree.leafCount[leaf] = results.count[leaf];
  }

  const sets: Uint32Array[] = [];
  grown.nodes.forEach(({ split, left, right }, node) => {
    const { column, codes, upperBounds } = binned.slots[split.slot];
    tree.splitFeature[node] = column;
    tree.splitGain[node] = split.gain;
    tree.left[node] = left;
    tree.right[node] = right;
    if (codes !== null && split.leftBins !== null) {
      tree.threshold[node] = sets.length;
      tree.decision[node] = categoricalBit | missing.nan;
      sets.push(categorySet(codes, split.leftBins));
    } else {
      tree.threshold[node] = upperBounds[split.bin];
      tree.decision[node] = missing.nan | (split.missingLeft ? defaultLeftBit : 0);
    }
  });
  tree.categoryBoundaries = new Int32Array(sets.length + 1);
  sets.forEach((set, k) => (tree.categoryBoundaries[k + 1] = tree.categoryBoundaries[k] + set.length));
  tree.categoryBits = Uint32Array.from(sets.flatMap((set) => [...set]));

  // children come after their parent, so one pass from the back knows both sums of every node
  const gradient = new Float64Array(grown.nodes.length);
  for (let node = grown.nodes.length - 1; node >= 0; node--) {
    for (const child of [tree.left[node], tree.right[node]]) {
      gradient[node] += child >= 0 ? gradient[child] : results.gradient[~child];
      tree.nodeWeight[node] += child >= 0 ? tree.nodeWeight[child] : tree.leafWeight[~child];
      tree.nodeCount[node] += child >= 0 ? tree.nodeCount[child] : tree.leafCount[~child];
    }
    const free = leafValue(gradient[node], tree.nodeWeight[node], lambda.lambdaL1, lambda.lambdaL2, unbounded);
    tree.nodeValue[node] = free * shrinkage + bias;
  }
  return tree;
}

const unbounded = { low: -Infinity, high: Infinity };

function categorySet(codes: Int32Array, leftBins: Uint8Array): Uint32Array {
  const chosen = codes.filter((_, bin) => leftBins[bin] === 1);
  const words = new Uint32Array((chosen.reduce((most, code) => Math.max(most, code), 0) >>> 5) + 1);
  for (const code of chosen) words[code >>> 5] |= 1 << (code & 31);
  return words;
}
