import type { Matrix } from '../matrix.ts';
import {
  InvalidModel,
  type Tree,
  type TreeModel,
  categoricalBit,
  defaultLeftBit,
  inCategorySet,
  missing,
} from './model.ts';
import { addScores, isComparable } from './kernel/scoring.ts';
import type { KernelChoice } from './kernel/operations.ts';
import { inverseLink } from './objective.ts';

export type PredictOptions = {
  /** Leave the outputs on the link scale. */
  raw?: boolean;
  /** Use only the first iterations. */
  iterations?: number;
  /** @default 'webassembly', where it is to be had and there are rows enough; the scores are the same to the last bit. */
  kernel?: KernelChoice;
  /** With 2, a second thread scores half of the rows; it needs the kernel, and the scores are the same. @default 1 */
  threads?: 1 | 2;
};

/** Rows are scored in blocks of this many, copied row by row, so that a block's values stay in the first-level cache. */
const blockRows = 64;

/** For fewer rows, setting the WebAssembly kernel up takes longer than it saves. */
const fewestKernelRows = 200;

/**
 * Scores a matrix: rows × outputs, row-major. Offsets given in training are not part of the model: on a log scale multiply the
 * result by the exposure. Throws InvalidModel when the matrix has another number of columns than the model has features.
 */
export function predict(model: TreeModel, matrix: Matrix, options: PredictOptions = {}): Float64Array {
  checkColumns(model, matrix);
  const { outputs } = model;
  const { rows } = matrix;
  const trees = options.iterations === undefined ? model.trees : model.trees.slice(0, options.iterations * outputs);
  const scores = new Float64Array(rows * outputs);
  const isFast =
    rows >= fewestKernelRows &&
    options.kernel !== 'typescript' &&
    trees.every(isComparable) &&
    addScores(trees, outputs, matrix, scores, options.threads ?? 1);
  if (!isFast) walkRows(trees, outputs, matrix, scores);

  if (model.averaged && trees.length > 0) {
    const iterations = trees.length / outputs;
    for (let i = 0; i < scores.length; i++) scores[i] /= iterations;
  }
  if (options.raw !== true) inverseLink(model, scores);
  return scores;
}

/** Adds the values of the leaves that each row falls into to its scores. */
function walkRows(trees: readonly Tree[], outputs: number, matrix: Matrix, scores: Float64Array): void {
  const { rows, columns } = matrix;
  const block = new Float64Array(blockRows * columns);
  const walks = trees.map(walkable);
  for (let first = 0; first < rows; first += blockRows) {
    const count = Math.min(blockRows, rows - first);
    copyBlock(block, matrix, first, count);
    // tree by tree in their order, so that the sums are the same to the last bit with the kernel and without
    for (let t = 0; t < trees.length; t++) {
      const { leafValue } = trees[t];
      for (let r = 0, at = first * outputs + (t % outputs); r < count; r++, at += outputs) {
        scores[at] += leafValue[leafOf(walks[t], block, r * columns)];
      }
    }
  }
}

/** Throws InvalidModel unless the matrix has one column for each feature of the model. */
export function checkColumns(model: TreeModel, matrix: Matrix): void {
  if (matrix.columns === model.featureNames.length) return;
  throw new InvalidModel(
    `The model has ${model.featureNames.length} features (${model.featureNames.slice(0, 3).join(', ')}, …), the data has ${matrix.columns} columns.`,
  );
}

/** Copies `rows` rows from `first`, row by row: `block[r * columns + c]`. Returns whether a value among them is missing. */
export function copyBlock(block: Float64Array, matrix: Matrix, first: number, rows: number): boolean {
  const { columns, values } = matrix;
  let hasMissing = false;
  for (let c = 0; c < columns; c++) {
    const offset = c * matrix.rows + first;
    for (let r = 0, at = c; r < rows; r++, at += columns) {
      const value = values[offset + r];
      block[at] = value;
      hasMissing ||= Number.isNaN(value);
    }
  }
  return hasMissing;
}

/**
 * A tree whose `bound` is NaN wherever a comparison alone does not decide (category sets, zero as missing): like a missing
 * value, such a node fails both comparisons and goes the slow way.
 */
export type WalkableTree = { source: Tree; bound: Float64Array };

export function walkable(tree: Tree): WalkableTree {
  const bound = tree.threshold.map((threshold, node) => {
    const decision = tree.decision[node];
    return (decision & categoricalBit) !== 0 || (decision & missing.mask) === missing.zero ? NaN : threshold;
  });
  return { source: tree, bound };
}

/** The leaf that the row at `block[base …]` falls into. */
export function leafOf({ source, bound }: WalkableTree, block: Float64Array, base: number): number {
  const { splitFeature, left, right } = source;
  let node = source.leaves > 1 ? 0 : -1;
  while (node >= 0) {
    const value = block[base + splitFeature[node]];
    if (value <= bound[node]) node = left[node];
    else if (value > bound[node]) node = right[node];
    else node = goesLeft(source, node, value) ? left[node] : right[node];
  }
  return ~node;
}

/** LightGBM treats what is this close to zero as zero (the float 1e-35). */
const zeroThreshold = Math.fround(1e-35);

/** Where a node sends any value, missing and categorical included. */
export function goesLeft(tree: Tree, node: number, value: number): boolean {
  const decision = tree.decision[node];
  const defaultLeft = (decision & defaultLeftBit) !== 0;
  if ((decision & categoricalBit) !== 0) {
    if (Number.isNaN(value)) return defaultLeft;
    return inCategorySet(tree, tree.threshold[node], value);
  }
  const missingType = decision & missing.mask;
  if (missingType === missing.nan && Number.isNaN(value)) return defaultLeft;
  const known = Number.isNaN(value) ? 0 : value;
  if (missingType === missing.zero && Math.abs(known) <= zeroThreshold) return defaultLeft;
  return known <= tree.threshold[node];
}
