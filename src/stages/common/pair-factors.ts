import type { Columns } from '../../ml/encoders/columns.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { explainTasks } from '../../ml/shap/tasks.ts';
import { treeShap } from '../../ml/shap/tree-shap.ts';
import { type TreeModel, onlyOutput } from '../../ml/trees/model.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { type Learnt, isTrees, matrixOf } from './learning.ts';

/** Which outputs of which rows, in columns because there are many. */
export type Pairs = { rows: Int32Array; outputs: Int32Array };

/** What speaks for and against each of some pairs: the features that add most to its output, strongest first. */
export type PairFactors = {
  features: readonly string[];
  /** `strongest[pair * mostContributions + place]` is an index into the features, or −1 where no more of them add anything. */
  strongest: Int32Array;
  /** What that feature adds to the output. */
  contributions: Float64Array;
};

/** So many features of each pair are kept: more than a text or a list of reasons ever names. */
const mostContributions = 12;

/**
 * Exact SHAP values of some outputs for some rows. Output by output: each has trees of its own, so that only those of the wanted
 * pairs are walked.
 */
export function explainPairs(
  learnt: Learnt,
  columns: Columns,
  { rows, outputs }: Pairs,
  { modelThreads: threads = 1 }: Pick<Ports, 'modelThreads'> = {},
): PairFactors {
  const model = treesOf(learnt);
  const matrix = matrixOf(learnt, columns);
  const run = matrix.columns + 1;
  const strongest = new Int32Array(rows.length * mostContributions);
  const contributions = new Float64Array(rows.length * mostContributions);
  const placesOf = [...Map.groupBy(outputs.keys(), (pair) => outputs[pair])];
  const tasks = placesOf.map(([output, pairs]) => ({
    model: onlyOutput(model, output),
    matrix,
    rows: Int32Array.from(pairs, (pair) => rows[pair]),
  }));
  explainTasks(
    tasks,
    (values, task) =>
      placesOf[task][1].forEach((pair, i) => {
        const kept = [pair * mostContributions, (pair + 1) * mostContributions] as const;
        keepStrongest(values, i * run, matrix.columns, strongest.subarray(...kept), contributions.subarray(...kept));
      }),
    { threads },
  );
  return { features: matrix.names, strongest, contributions };
}

/** What is kept of one pair. */
export function contributionsOf(
  { features, strongest, contributions }: PairFactors,
  pair: number,
): { feature: string; contribution: number }[] {
  const found: { feature: string; contribution: number }[] = [];
  const end = (pair + 1) * mostContributions;
  for (let at = pair * mostContributions; at < end && strongest[at] >= 0; at++) {
    found.push({ feature: features[strongest[at]], contribution: contributions[at] });
  }
  return found;
}

/** The SHAP values of one output of a model of trees: for each row a run of features, and the expected value. */
export function shapOfOutput(learnt: Learnt, matrix: Matrix, output: number): Float64Array {
  return treeShap(onlyOutput(treesOf(learnt), output), matrix).values;
}

function treesOf({ model }: Learnt): TreeModel {
  if (isTrees(model)) return model;
  throw new Error('Outputs are explained apart for models of trees, which alone have several.');
}

/** Of equal sizes the feature that stands first. */
function keepStrongest(
  values: Float64Array,
  start: number,
  columns: number,
  order: Int32Array,
  contributions: Float64Array,
): void {
  let found = 0;
  for (let c = 0; c < columns; c++) {
    const value = values[start + c];
    const size = Math.abs(value);
    if (size === 0 || (found === order.length && size <= Math.abs(contributions[found - 1]))) continue;
    let place = found < order.length ? found++ : found - 1;
    for (; place > 0 && Math.abs(contributions[place - 1]) < size; place--) {
      order[place] = order[place - 1];
      contributions[place] = contributions[place - 1];
    }
    order[place] = c;
    contributions[place] = value;
  }
  order.fill(-1, found);
}
