import type { Matrix } from '../matrix.ts';
import { type TreeModel, onlyOutput } from '../trees/model.ts';
import { checkColumns } from '../trees/predictor.ts';
import { type ExplainOptions, explainTasks } from './tasks.ts';

/**
 * SHAP values on the scale of the raw score: `values[(row * outputs + output) * (columns + 1) + column]`, where the last entry of
 * each run is the expected value, the same for all rows. A run adds up to the raw score.
 */
export type ShapValues = { rows: number; outputs: number; columns: number; values: Float64Array };

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
export function treeShap(model: TreeModel, matrix: Matrix, options: ExplainOptions = {}): ShapValues {
  checkColumns(model, matrix);
  const { outputs } = model;
  const { rows, columns } = matrix;
  const run = columns + 1;
  const values = new Float64Array(rows * outputs * run);
  const tasks = Array.from({ length: outputs }, (_, output) => ({ model: onlyOutput(model, output), matrix }));
  explainTasks(
    tasks,
    (own, output) => {
      if (outputs === 1) return values.set(own);
      for (let row = 0; row < rows; row++) {
        values.set(own.subarray(row * run, (row + 1) * run), (row * outputs + output) * run);
      }
    },
    options,
  );
  return { rows, outputs, columns, values };
}
