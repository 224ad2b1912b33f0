import type { Matrix } from '../matrix.ts';
import type { Tree, TreeModel } from '../trees/model.ts';
import { checkColumns } from '../trees/predictor.ts';
import { type AlikeRows, alikeRows, rowMajor } from './decisions.ts';
import { InvalidExplanation, averageOver } from './explanation.ts';
import type { ShapValues } from './tree-shap.ts';

export type InterventionalOptions = {
  /** Refuse more than this: rows × background rows × leaves of all trees. @default {@link interventionalWorkLimit} */
  workLimit?: number;
};

/** About a minute where hardly any rows are alike; as a rule much less. */
export const interventionalWorkLimit = 5e9;

/**
 * Exact interventional SHAP values on the scale of the raw score: the Shapley values of the game in which the unknown features take
 * the values of a background row, averaged over the background (Janzing et al., "Feature relevance quantification in explainable
 * AI", 2020). Unlike the path-dependent ones they give a feature that the model does not use exactly zero, whatever it is
 * correlated with, and they compare with a background of choice. The layout is that of `treeShap`: a run adds up to the raw score,
 * its last entry is the mean raw score of the background.
 *
 * Computed for each row, background row and tree in one walk over the leaves that some mixture of the two rows reaches (Lundberg et
 * al., "From local explanations to global understanding with explainable AI for trees", 2020, algorithm 3; Chen et al., "Algorithms
 * to estimate Shapley value feature attributions", 2023). A leaf of value v that needs a features of the row and b of the background
 * row pays
 *
 *     v · (a−1)!·b! / (a+b)!   to each of the a      and takes      v · a!·(b−1)! / (a+b)!   from each of the b.
 *
 * Rows, and background rows, that a tree cannot tell apart are walked once.
 * Throws InvalidModel when a matrix does not fit the model, InvalidExplanation for no background or work above the limit.
 */
export function interventionalShap(
  model: TreeModel,
  matrix: Matrix,
  background: Matrix,
  { workLimit = interventionalWorkLimit }: InterventionalOptions = {},
): ShapValues {
  checkColumns(model, matrix);
  checkColumns(model, background);
  if (background.rows === 0) throw new InvalidExplanation('The background has no row to compare with.');
  const leaves = model.trees.reduce((sum, tree) => sum + tree.leaves, 0);
  const work = matrix.rows * background.rows * leaves;
  if (work > workLimit) {
    throw new InvalidExplanation(
      `${matrix.rows} rows × ${background.rows} background rows × ${leaves} leaves are ${work} steps, the limit is ${workLimit}: ` +
        `explain at most ${Math.floor(workLimit / background.rows / leaves)} rows at once, or take a sample as background.`,
    );
  }

  const { outputs } = model;
  const { rows, columns } = matrix;
  const run = columns + 1;
  const values = new Float64Array(rows * outputs * run);
  const byRow = rowMajor(matrix);
  const backgroundByRow = rowMajor(background);
  const shares = sharesUpTo(Math.max(0, ...model.trees.map((tree) => new Set(tree.splitFeature).size)));
  const phi = new Float64Array(run);

  model.trees.forEach((tree, t) => {
    const references = alikeRows(tree, backgroundByRow, columns);
    const explainPair = pairExplainer(tree, shares, phi);
    for (const { left, rows: alike } of alikeRows(tree, byRow, columns)) {
      phi.fill(0);
      for (const reference of references) explainPair(left, reference.left, reference.rows.length / background.rows);
      phi[columns] = expectedOf(tree, references, background.rows);
      for (const row of alike) {
        const at = (row * outputs + (t % outputs)) * run;
        for (let c = 0; c < run; c++) values[at + c] += phi[c];
      }
    }
  });
  averageOver(model, values);
  return { rows, outputs, columns, values };
}

/** The table `(a−1)!·b! / (a+b)!` at `a * (most + 1) + b`, for a ≥ 1; zero for a = 0, where nobody is paid. */
function sharesUpTo(most: number): { size: number; table: Float64Array } {
  const size = most + 1;
  const table = new Float64Array(size * size);
  for (let a = 1; a < size; a++) {
    table[a * size] = 1 / a;
    for (let b = 1; b < size; b++) table[a * size + b] = (table[a * size + b - 1] * b) / (a + b);
  }
  return { size, table };
}

const undecided = 0;
const ofRow = 1;
const ofReference = 2;

/** Adds to `phi` what the tree pays each feature of a row against one background row, both given by the nodes' decisions. */
function pairExplainer(
  { leaves, left, right, splitFeature, leafValue }: Tree,
  { size, table }: { size: number; table: Float64Array },
  phi: Float64Array,
): (row: Uint8Array, reference: Uint8Array, weight: number) => void {
  const owner = new Uint8Array(phi.length);
  let rowGoesLeft: Uint8Array;
  let referenceGoesLeft: Uint8Array;
  let weightOfPair: number;
  // what the leaves below the node walked last pay to each feature of the row above them, and take from each of the reference
  let paid = 0;
  let taken = 0;
  return (row, reference, weight) => {
    rowGoesLeft = row;
    referenceGoesLeft = reference;
    weightOfPair = weight;
    walk(leaves > 1 ? 0 : -1, 0, 0);
  };

  /** `a` features on the way here were decided for the row, `b` for the reference. */
  function walk(node: number, a: number, b: number): void {
    if (node < 0) {
      const value = leafValue[~node] * weightOfPair;
      paid = value * table[a * size + b];
      taken = value * table[b * size + a];
      return;
    }
    const feature = splitFeature[node];
    const rowChild = rowGoesLeft[node] === 1 ? left[node] : right[node];
    const referenceChild = referenceGoesLeft[node] === 1 ? left[node] : right[node];
    if (rowChild === referenceChild || owner[feature] === ofRow) return walk(rowChild, a, b);
    if (owner[feature] === ofReference) return walk(referenceChild, a, b);

    owner[feature] = ofRow;
    walk(rowChild, a + 1, b);
    const paidByRow = paid;
    const takenByRow = taken;
    owner[feature] = ofReference;
    walk(referenceChild, a, b + 1);
    owner[feature] = undecided;
    phi[feature] += paidByRow - taken;
    paid += paidByRow;
    taken += takenByRow;
  }
}

/** The tree's mean value over the background. */
function expectedOf(tree: Tree, references: AlikeRows[], rows: number): number {
  let sum = 0;
  for (const { left, rows: alike } of references) {
    let node = tree.leaves > 1 ? 0 : -1;
    while (node >= 0) node = left[node] === 1 ? tree.left[node] : tree.right[node];
    sum += tree.leafValue[~node] * alike.length;
  }
  return sum / rows;
}
