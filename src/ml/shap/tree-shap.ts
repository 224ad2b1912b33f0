import type { Matrix } from '../matrix.ts';
import type { Tree, TreeModel } from '../trees/model.ts';
import { checkColumns, copyBlock, goesLeft, walkable } from '../trees/predictor.ts';
import { type LeafPath, type TreePaths, treePaths } from './paths.ts';
import { gaussLegendre } from './quadrature.ts';

/**
 * SHAP values on the scale of the raw score: `values[(row * outputs + output) * (columns + 1) + column]`, where the last entry of
 * each run is the expected value, the same for all rows. A run adds up to the raw score.
 */
export type ShapValues = { rows: number; outputs: number; columns: number; values: Float64Array };

const rowsPerBlock = 256;

/** A leaf's answers are kept per pattern while its patterns are at most this many times the rows to explain. */
const patternsPerRow = 2;
const mostPatternBits = 12;

/**
 * Exact path-dependent TreeSHAP (Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
 * 2020): the Shapley values of the game in which an unknown feature follows both branches in proportion to their covers.
 *
 * Computed leaf by leaf. On the path to a leaf of value v let feature j have cover share z_j, and call it hot when the row follows
 * the path there. Because k!(d−1−k)!/d! is the integral of t^k·(1−t)^(d−1−k), the Shapley weights of all coalitions collapse to
 *
 *     φ_j = v · (hot_j − z_j) · Π_{cold c ≠ j} z_c · ∫₀¹ Π_{hot h ≠ j} (t + z_h·(1−t)) · (1−t)^{number of cold ≠ j} dt
 *
 * whose integrand is a polynomial: Gauss–Legendre with ⌈d/2⌉ points is exact, and all its terms are positive, so nothing cancels.
 * The answer depends on the row only through which features are hot; like Fast TreeSHAP v2 (Yang, 2021) it is kept per pattern.
 * Throws InvalidModel when the matrix does not fit the model.
 */
export function treeShap(model: TreeModel, matrix: Matrix): ShapValues {
  checkColumns(model, matrix);
  const { outputs } = model;
  const { rows, columns } = matrix;
  const run = columns + 1;
  const values = new Float64Array(rows * outputs * run);

  const byRow = new Float64Array(rows * columns);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const count = Math.min(rowsPerBlock, rows - first);
    copyBlock(byRow.subarray(first * columns), matrix, first, count);
  }
  model.trees.forEach((tree, t) => addTreeShap(tree, byRow, columns, rows, values, (t % outputs) * run, outputs * run));

  if (model.averaged) {
    const iterations = model.trees.length / outputs;
    for (let i = 0; i < values.length; i++) values[i] /= iterations;
  }
  return { rows, outputs, columns, values };
}

function addTreeShap(
  tree: Tree,
  byRow: Float64Array,
  columns: number,
  rows: number,
  values: Float64Array,
  start: number,
  step: number,
): void {
  const paths = treePaths(tree);
  const answers = paths.leaves.map((leaf) => leafAnswers(leaf, rows));
  const decide = decisions(tree, paths);
  const longest = paths.leaves.reduce((most, { features }) => Math.max(most, features.length), 0);
  const cold = new Uint8Array(longest);
  const pattern = new Int32Array(paths.places);
  const { parent, bit, edgeLeft, edgeNode } = paths;

  for (let row = 0; row < rows; row++) {
    const left = decide(byRow, row * columns);
    const at = start + row * step;
    // the features that leave the path somewhere above each place, as bits; beyond 32 features they mix, but are not asked for
    for (let place = 1; place < paths.places; place++) {
      const leaves = left[edgeNode[place]] ^ edgeLeft[place];
      pattern[place] = pattern[parent[place]] | (leaves << bit[place]);
    }
    for (let k = 0; k < paths.leaves.length; k++) {
      const leaf = paths.leaves[k];
      const { features } = leaf;
      const depth = features.length;
      let phi: Float64Array;
      let from = 0;
      const kept = answers[k];
      if (kept !== null) {
        const asked = pattern[leaf.place];
        phi = kept.phi;
        from = asked * depth;
        if (kept.known[asked] === 0) {
          kept.known[asked] = 1;
          for (let j = 0; j < depth; j++) cold[j] = (asked >>> j) & 1;
          shapleyOfLeaf(leaf, cold, phi, from);
        }
      } else {
        markCold(paths, leaf, left, cold);
        phi = direct.length >= depth ? direct : (direct = new Float64Array(depth));
        shapleyOfLeaf(leaf, cold, phi, 0);
      }
      for (let j = 0; j < depth; j++) values[at + features[j]] += phi[from + j];
    }
    values[at + columns] += paths.expected;
  }
}

let direct = new Float64Array(32);

type Answers = { known: Uint8Array; phi: Float64Array };

function leafAnswers({ features }: LeafPath, rows: number): Answers | null {
  const bits = features.length;
  if (bits > mostPatternBits || 2 ** bits > patternsPerRow * rows) return null;
  return { known: new Uint8Array(2 ** bits), phi: new Float64Array(2 ** bits * bits) };
}

/** Whether each inner node sends a row left, as 0 or 1. */
function decisions(tree: Tree, { leaves }: TreePaths): (block: Float64Array, base: number) => Uint8Array {
  const nodes = leaves.length - 1;
  const left = new Uint8Array(nodes);
  const { bound } = walkable(tree);
  const { splitFeature } = tree;
  return (block, base) => {
    for (let node = 0; node < nodes; node++) {
      const value = block[base + splitFeature[node]];
      if (value <= bound[node]) left[node] = 1;
      else if (value > bound[node]) left[node] = 0;
      else left[node] = goesLeft(tree, node, value) ? 1 : 0;
    }
    return left;
  };
}

function markCold(
  { parent, bit, edgeNode, edgeLeft }: TreePaths,
  leaf: LeafPath,
  left: Uint8Array,
  cold: Uint8Array,
): void {
  cold.fill(0, 0, leaf.features.length);
  for (let place = leaf.place; parent[place] >= 0; place = parent[place]) {
    cold[bit[place]] |= left[edgeNode[place]] ^ edgeLeft[place];
  }
}

/** The formula above for one leaf and one pattern: writes φ of each feature on the path to `phi[from …]`. */
function shapleyOfLeaf({ value, coverShare }: LeafPath, cold: Uint8Array, phi: Float64Array, from: number): void {
  const depth = coverShare.length;
  phi.fill(0, from, from + depth);
  let coldCount = 0;
  let scale = value;
  for (let j = 0; j < depth; j++) {
    if (cold[j] === 0) continue;
    coldCount++;
    scale *= coverShare[j];
  }
  if (scale === 0) return;

  const { nodes, weights } = gaussLegendre((depth + 1) >> 1);
  let coldPhi = 0;
  for (let q = 0; q < nodes.length; q++) {
    const t = nodes[q];
    let product = weights[q] * scale;
    for (let j = 0; j < depth; j++) product *= cold[j] === 1 ? 1 - t : t + coverShare[j] * (1 - t);
    if (coldCount > 0) coldPhi -= product / (1 - t);
    for (let j = 0; j < depth; j++) {
      if (cold[j] === 0) phi[from + j] += ((1 - coverShare[j]) * product) / (t + coverShare[j] * (1 - t));
    }
  }
  for (let j = 0; j < depth; j++) if (cold[j] === 1) phi[from + j] = coldPhi;
}
