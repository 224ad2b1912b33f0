import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { trainForest } from '../../../src/ml/trees/forest.ts';
import type { TreeModel } from '../../../src/ml/trees/model.ts';
import { mixedExample } from '../trees/example-data.ts';

const { data, target } = mixedExample(400, 'shap');

/** Small models of six features, missing values and categories among them: sums, means, several outputs. */
export const exampleModels: [string, TreeModel][] = [
  ['boosting', trainBoosting(data, target, { iterations: 6, numLeaves: 12, minChildSamples: 5 })],
  ['a forest', trainForest(data, target, { trees: 4, minChildSamples: 2 })],
  [
    'two outputs',
    trainBoosting(
      data,
      Float64Array.from({ length: 800 }, (_, i) => target[i >> 1] * (i % 2 === 0 ? 1 : -3)),
      { iterations: 4, minChildSamples: 5 },
    ),
  ],
];

/** The trees of one output, and what their sum is multiplied by. */
export function treesOf({ trees, outputs, averaged }: TreeModel, output: number) {
  return { trees: trees.filter((_, t) => t % outputs === output), scale: averaged ? outputs / trees.length : 1 };
}
