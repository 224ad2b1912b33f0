import type { Matrix } from '../matrix.ts';
import type { Tree, TreeModel } from '../trees/model.ts';
import { checkColumns } from '../trees/predictor.ts';
import { decisions, rowMajor } from './decisions.ts';
import { averageOver } from './explanation.ts';
import { type LeafGroup, type LeafPath, type TreePaths, treePaths } from './paths.ts';
import { gaussLegendre } from './quadrature.ts';

/**
 * SHAP values on the scale of the raw score: `values[(row * outputs + output) * (columns + 1) + column]`, where the last entry of
 * each run is the expected value, the same for all rows. A run adds up to the raw score.
 */
export type ShapValues = { rows: number; outputs: number; columns: number; values: Float64Array };

/** A table of answers may have this many bits, and this many patterns for each row to explain. */
const mostTableBits = 12;
const patternsPerRow = 2;

/** Leaves are taken together as long as the rows are many to each pattern: else filling the table is most of the work. */
const mostGroupBits = 10;
const rowsPerGroupPattern = 4;

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
 * The answer depends on the row only through which features are hot; like Fast TreeSHAP v2 (Yang, 2021) it is kept per pattern, here
 * for small subtrees together.
 * Throws InvalidModel when the matrix does not fit the model.
 */
export function treeShap(model: TreeModel, matrix: Matrix): ShapValues {
  checkColumns(model, matrix);
  const { outputs } = model;
  const { rows, columns } = matrix;
  const run = columns + 1;
  const values = new Float64Array(rows * outputs * run);

  const byRow = rowMajor(matrix);
  model.trees.forEach((tree, t) => addTreeShap(tree, byRow, columns, rows, values, (t % outputs) * run, outputs * run));
  averageOver(model, values);
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
  const paths = treePaths(tree, Math.min(mostGroupBits, Math.floor(Math.log2(rows / rowsPerGroupPattern))));
  const tables = paths.groups.map((group) => groupTable(group, rows));
  const decide = decisions(tree);
  const pattern = new Int32Array(paths.places);
  const { parent, bit, edgeLeft, edgeNode, groups, places, expected } = paths;

  for (let row = 0; row < rows; row++) {
    const left = decide(byRow, row * columns);
    const at = start + row * step;

    // the features that leave the way above each place, as bits; beyond 32 they mix, but then no table is asked
    for (let place = 1; place < places; place++) {
      const leaves = left[edgeNode[place]] ^ edgeLeft[place];
      pattern[place] = pattern[parent[place]] | (leaves << bit[place]);
    }

    for (let g = 0; g < groups.length; g++) {
      const group = groups[g];
      const { features, nodes, pathBits } = group;
      const table = tables[g];
      let phi: Float64Array;
      let from = 0;
      if (table === null) {
        phi = direct.length >= features.length ? direct : (direct = new Float64Array(features.length));
        phi.fill(0, 0, features.length);
        addGroup(paths, group, left, phi, 0);
      } else {
        let asked = pattern[group.place];
        for (let k = 0; k < nodes.length; k++) asked |= left[nodes[k]] << (pathBits + k);
        phi = table.phi;
        from = asked * features.length;
        if (table.known[asked] === 0) {
          table.known[asked] = 1;
          addGroup(paths, group, left, phi, from);
        }
      }
      for (let j = 0; j < features.length; j++) values[at + features[j]] += phi[from + j];
    }
    values[at + columns] += expected;
  }
}

let direct = new Float64Array(32);

type Table = { known: Uint8Array; phi: Float64Array };

function groupTable({ pathBits, nodes, features }: LeafGroup, rows: number): Table | null {
  const patterns = 2 ** (pathBits + nodes.length);
  if (patterns > 2 ** mostTableBits || patterns > patternsPerRow * rows) return null;
  return { known: new Uint8Array(patterns), phi: new Float64Array(patterns * features.length) };
}

/** Adds the Shapley values of every leaf of a group to `phi[from …]`, in the order of the group's features. */
function addGroup(paths: TreePaths, group: LeafGroup, left: Uint8Array, phi: Float64Array, from: number): void {
  const { parent, bit, edgeNode, edgeLeft } = paths;
  const { nodes, leaves, pathBits, features } = group;
  if (cold.length < features.length) cold = new Uint8Array(features.length);
  for (const leaf of leaves) {
    // which features of the path the row leaves it on, above the group and in it
    cold.fill(0, 0, leaf.coverShare.length);
    if (pathBits > 0) {
      for (let place = group.place; parent[place] >= 0; place = parent[place]) {
        cold[bit[place]] |= left[edgeNode[place]] ^ edgeLeft[place];
      }
    }
    for (const edge of leaf.edges) cold[edge.bit] |= left[nodes[edge.node]] ^ edge.isLeft;
    addLeaf(leaf, phi, from);
  }
}

/** Which features of the path are cold; kept between calls, because there are many. */
let cold = new Uint8Array(64);

/** The formula above for one leaf and one pattern of cold features: adds φ of each feature on the path. */
function addLeaf({ value, coverShare, target }: LeafPath, phi: Float64Array, from: number): void {
  const depth = coverShare.length;
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
    const rest = 1 - t;
    let product = weights[q] * scale;
    for (let j = 0; j < depth; j++) product *= cold[j] === 1 ? rest : t + coverShare[j] * rest;
    if (coldCount > 0) coldPhi -= product / rest;
    if (coldCount === depth) continue;
    for (let j = 0; j < depth; j++) {
      if (cold[j] === 0) phi[from + target[j]] += ((1 - coverShare[j]) * product) / (t + coverShare[j] * rest);
    }
  }
  if (coldCount > 0) for (let j = 0; j < depth; j++) if (cold[j] === 1) phi[from + target[j]] += coldPhi;
}
