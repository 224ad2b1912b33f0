import { type Random, random } from '../../src/ml/random.ts';
import { trainBoosting } from '../../src/ml/trees/boosting.ts';
import { trainForest } from '../../src/ml/trees/forest.ts';
import type { TreeModel } from '../../src/ml/trees/model.ts';
import { mixedExample } from '../ml/trees/example-data.ts';

/** A model of this product and fresh rows to ask it about; `linked` when predictions go through an exponential. */
export type OurCase = { what: string; model: TreeModel; rows: number[][]; linked: boolean };

const kinds = ['squared_error', 'forest', 'two outputs', 'quantile', 'binary', 'poisson', 'tweedie', 'gamma'] as const;

/** Models of every kind, on random data with missing values and categories, with random parameters. */
export function ourCases(seed: number, count: number): OurCase[] {
  const r = random(seed);
  return Array.from({ length: count }, (_, k) => {
    const what = kinds[k % kinds.length];
    const asked = mixedExample(60, `${r.uniform()}`).data;
    const rows = Array.from({ length: asked.rows }, (_, row) =>
      Array.from({ length: asked.columns }, (_, c) => asked.values[c * asked.rows + row]),
    );
    return { what, model: train(what, r), rows, linked: ['binary', 'poisson', 'tweedie', 'gamma'].includes(what) };
  });
}

function train(what: (typeof kinds)[number], r: Random): TreeModel {
  const { data, target } = mixedExample(300 + r.integer(600), `${r.uniform()}`);
  const parameters = {
    iterations: 10,
    numLeaves: 4 + r.integer(30),
    minChildSamples: 1 + r.integer(15),
    seed: r.uniform(),
  };
  const positive = target.map((y) => Math.exp(y / 4));
  switch (what) {
    case 'forest':
      return trainForest(data, target, { trees: 7, seed: r.uniform(), maxDepth: r.integer(8) });
    case 'two outputs': {
      const both = Float64Array.from({ length: 2 * data.rows }, (_, i) => target[i >> 1] * (i % 2 === 0 ? 1 : 2));
      return trainBoosting(data, both, parameters);
    }
    case 'binary': {
      const claims = target.map((y) => (y > 1 ? 1 : 0));
      return trainBoosting(data, claims, { ...parameters, objective: what });
    }
    case 'poisson':
    case 'tweedie':
      return trainBoosting(data, positive.map(Math.floor), { ...parameters, objective: what });
    case 'gamma':
      return trainBoosting(data, positive, { ...parameters, objective: what });
    default:
      return trainBoosting(data, target, { ...parameters, objective: what, alpha: 0.7 });
  }
}
