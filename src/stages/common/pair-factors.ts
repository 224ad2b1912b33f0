import type { Columns } from '../../ml/encoders/columns.ts';
import { type Matrix, takeRows } from '../../ml/matrix.ts';
import { treeShap } from '../../ml/shap/tree-shap.ts';
import type { TreeModel } from '../../ml/trees/model.ts';
import { type Learnt, isTrees, matrixOf } from './learning.ts';

/** What speaks for and against one output for one row: every feature that adds something, strongest first. */
export type Factor = {
  row: number;
  output: number;
  contributions: { feature: string; contribution: number }[];
};

/** So many features of each pair are kept: more than a text or a list of reasons ever names. */
const mostContributions = 12;

/**
 * Exact SHAP values of some outputs for some rows, in the order of the pairs. Output by output: each has trees of its own, so that
 * only those of the wanted pairs are walked.
 */
export function explainPairs(
  learnt: Learnt,
  columns: Columns,
  pairs: readonly { row: number; output: number }[],
): Factor[] {
  const matrix = matrixOf(learnt, columns);
  const run = matrix.columns + 1;
  const factors: Factor[] = Array.from({ length: pairs.length });
  const placesOf = Map.groupBy(pairs.keys(), (place) => pairs[place].output);
  for (const [output, places] of placesOf) {
    const rows = places.map((place) => pairs[place].row);
    const values = shapOfOutput(learnt, takeRows(matrix, rows), output);
    places.forEach((place, i) => {
      const shap = values.subarray(i * run, (i + 1) * run - 1);
      factors[place] = { ...pairs[place], contributions: strongest(shap, matrix.names) };
    });
  }
  return factors;
}

/** The SHAP values of one output of a model of trees: for each row a run of features, and the expected value. */
export function shapOfOutput({ model }: Learnt, matrix: Matrix, output: number): Float64Array {
  if (!isTrees(model)) throw new Error('Outputs are explained apart for models of trees, which alone have several.');
  return treeShap(onlyOutput(model, output), matrix).values;
}

/** The trees of one output as a model of its own. */
function onlyOutput(model: TreeModel, output: number): TreeModel {
  return { ...model, outputs: 1, trees: model.trees.filter((_, t) => t % model.outputs === output) };
}

function strongest(shap: Float64Array, names: readonly string[]): Factor['contributions'] {
  const order: number[] = [];
  for (let c = 0; c < shap.length; c++) {
    const size = Math.abs(shap[c]);
    if (size === 0) continue;
    if (order.length === mostContributions && size <= Math.abs(shap[order[mostContributions - 1]])) continue;
    let place = order.length < mostContributions ? order.length : mostContributions - 1;
    for (; place > 0 && Math.abs(shap[order[place - 1]]) < size; place--) order[place] = order[place - 1];
    order[place] = c;
  }
  return order.map((c) => ({ feature: names[c], contribution: shap[c] }));
}
