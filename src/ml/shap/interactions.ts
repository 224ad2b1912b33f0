import type { Matrix } from '../matrix.ts';
import type { TreeModel } from '../trees/model.ts';
import { checkColumns } from '../trees/predictor.ts';
import { alikeRows, rowMajor } from './decisions.ts';
import { InvalidExplanation, averageOver } from './explanation.ts';
import { type LeafGroup, type LeafPath, treePaths } from './paths.ts';
import { gaussLegendre } from './quadrature.ts';

/**
 * SHAP interaction values on the scale of the raw score: for each row and output a symmetric square of `columns + 1` lines,
 * `values[((row * outputs + output) * (columns + 1) + i) * (columns + 1) + j]`. Beside the diagonal stands half of what i and j do
 * together, on it what the feature does alone; its last entry is the expected value, beside which all are zero. The lines of a
 * square add up to the SHAP values of `treeShap`, the square to the raw score.
 */
export type ShapInteractions = { rows: number; outputs: number; columns: number; values: Float64Array };

export type InteractionOptions = {
  /** Refuse more numbers than this: rows × outputs × (columns + 1)². @default {@link interactionsLimit} */
  limit?: number;
};

/** 800 MB. */
export const interactionsLimit = 1e8;

/**
 * Exact path-dependent SHAP interaction values (Lundberg et al., 2020; the interaction index of Fujimoto et al., 2006), in the game
 * and the notation of `treeShap`. A coalition weighs |S|!·(d−2−|S|)!/(d−1)! here, the integral of t^|S|·(1−t)^(d−2−|S|), so that a
 * leaf of value v adds, for i ≠ j,
 *
 *     Φ_ij = ½ · v · (hot_i − z_i) · (hot_j − z_j) · ∫₀¹ Π_{k ≠ i, j} (t·hot_k + (1−t)·z_k) dt
 *
 * and Φ_ii is what remains of φ_i. The integrand has degree d − 2, so the quadrature of the SHAP values is exact here too.
 * Rows that a tree cannot tell apart are computed once.
 * Throws InvalidModel when the matrix does not fit the model, InvalidExplanation for more numbers than the limit.
 */
export function shapInteractions(
  model: TreeModel,
  matrix: Matrix,
  { limit = interactionsLimit }: InteractionOptions = {},
): ShapInteractions {
  checkColumns(model, matrix);
  const { outputs } = model;
  const { rows, columns } = matrix;
  const run = columns + 1;
  if (rows * outputs * run * run > limit) {
    throw new InvalidExplanation(
      `Interactions of ${rows} rows, ${outputs} outputs and ${columns} features are ${rows * outputs * run * run} numbers, ` +
        `the limit is ${limit}: explain at most ${Math.floor(limit / outputs / run / run)} rows at once.`,
    );
  }
  const values = new Float64Array(rows * outputs * run * run);
  const byRow = rowMajor(matrix);

  model.trees.forEach((tree, t) => {
    // with so many bits the whole tree is one group
    const { groups, expected } = treePaths(tree, Infinity);
    const [whole] = groups;
    const { features } = whole;
    const square = new Float64Array(features.length ** 2);
    for (const { left, rows: alike } of alikeRows(tree, byRow, columns)) {
      square.fill(0);
      addTree(whole, left, square);
      for (const row of alike) {
        const at = (row * outputs + (t % outputs)) * run * run;
        for (let i = 0; i < features.length; i++) {
          const line = at + features[i] * run;
          for (let j = 0; j < features.length; j++) values[line + features[j]] += square[i * features.length + j];
        }
        values[at + run * run - 1] += expected;
      }
    }
  });
  averageOver(model, values);
  return { rows, outputs, columns, values };
}

/** Adds the interactions of a whole tree, for rows on which its nodes decide `left`, in the order of the group's features. */
function addTree({ nodes, features, leaves }: LeafGroup, left: Uint8Array, square: Float64Array): void {
  const cold = new Uint8Array(features.length);
  const ratio = new Float64Array(features.length);
  for (const leaf of leaves) {
    cold.fill(0, 0, leaf.coverShare.length);
    for (const { bit, node, isLeft } of leaf.edges) cold[bit] |= left[nodes[node]] ^ isLeft;
    addLeaf(leaf, cold, ratio, square, features.length);
  }
}

/** The formula above for one leaf; `ratio` is room for what turns the product of all factors into that without one. */
function addLeaf(
  { value, coverShare, target }: LeafPath,
  cold: Uint8Array,
  ratio: Float64Array,
  square: Float64Array,
  size: number,
): void {
  const depth = coverShare.length;
  let scale = value;
  for (let j = 0; j < depth; j++) if (cold[j] === 1) scale *= coverShare[j];
  if (scale === 0) return;

  const { nodes, weights } = gaussLegendre((depth + 1) >> 1);
  for (let q = 0; q < nodes.length; q++) {
    const t = nodes[q];
    const rest = 1 - t;
    let product = weights[q] * scale;
    for (let j = 0; j < depth; j++) {
      const factor = cold[j] === 1 ? rest : t + coverShare[j] * rest;
      product *= factor;
      ratio[j] = (cold[j] === 1 ? -1 : 1 - coverShare[j]) / factor;
    }
    for (let i = 0; i < depth; i++) {
      const line = target[i] * size;
      const alone = product * ratio[i];
      square[line + target[i]] += alone;
      for (let j = 0; j < i; j++) {
        const half = (alone * ratio[j]) / 2;
        square[line + target[j]] += half;
        square[target[j] * size + target[i]] += half;
        // what two do together is no part of what each does alone
        square[line + target[i]] -= half;
        square[target[j] * size + target[j]] -= half;
      }
    }
  }
}
