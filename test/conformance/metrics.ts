import { accuracyAt, f1At, kappaAt, matthewsAt, precisionAt, recallAt } from '../../src/ml/metrics/confusion.ts';
import { d2, deviance, type DevianceFamily } from '../../src/ml/metrics/deviance.ts';
import { murphyDecomposition } from '../../src/ml/metrics/murphy.ts';
import { brier, logLoss } from '../../src/ml/metrics/probability.ts';
import { ndcgAtK } from '../../src/ml/metrics/ranking.ts';
import { mae, mse, r2, rmse } from '../../src/ml/metrics/regression.ts';
import { averagePrecision, rocAuc } from '../../src/ml/metrics/roc.ts';
import type { Random } from '../../src/ml/random.ts';
import { binary, many, rounded, weights } from './draws.ts';
import type { Comparison } from './libraries.ts';

const array = (values: readonly number[]) => Float64Array.from(values);
const optional = (values: readonly number[] | null) => (values === null ? undefined : array(values));

/** Positive costs and their predictions. */
function costs(stream: Random) {
  const rows = 20 + stream.integer(300);
  const predicted = many(rows, () => 0.05 + stream.gamma(3, 100));
  return {
    predicted,
    actual: predicted.map((mean) => 0.01 + mean * stream.gamma(2, 1 / 2)),
    weight: weights(stream, rows),
  };
}

const families: { name: string; power: number; family: DevianceFamily }[] = [
  { name: 'normal', power: 0, family: 'normal' },
  { name: 'poisson', power: 1, family: 'poisson' },
  { name: 'tweedie', power: 1.4, family: { tweedie: 1.4 } },
  { name: 'gamma', power: 2, family: 'gamma' },
];

export const metrics: Comparison[] = [
  {
    name: 'regression',
    tolerance: 1e-11,
    draw(stream) {
      const input = costs(stream);
      const given = [array(input.actual), array(input.predicted), optional(input.weight)] as const;
      return { input, ours: { mae: mae(...given), mse: mse(...given), rmse: rmse(...given), r2: r2(...given) } };
    },
  },
  {
    name: 'deviances',
    tolerance: 1e-10,
    draw(stream) {
      const { name, power, family } = stream.choice(families);
      const input = { ...costs(stream), power };
      if (name === 'poisson' || name === 'tweedie') input.actual = input.actual.map((v) => Math.max(0, v - 100));
      const given = [array(input.actual), array(input.predicted), optional(input.weight)] as const;
      return { input, ours: { deviance: deviance(family)(...given), d2: d2(family)(...given) } };
    },
  },
  {
    name: 'classification',
    tolerance: 1e-11,
    draw(stream) {
      const rows = 10 + stream.integer(300);
      const input = { ...binary(stream, rows), weight: weights(stream, rows), threshold: 0.2 + 0.6 * stream.uniform() };
      const given = [array(input.actual), array(input.predicted), optional(input.weight)] as const;
      const { threshold } = input;
      return {
        input,
        ours: {
          rocAuc: rocAuc(...given),
          averagePrecision: averagePrecision(...given),
          logLoss: logLoss(...given),
          brier: brier(...given),
          accuracy: accuracyAt(threshold)(...given),
          precision: precisionAt(threshold)(...given),
          recall: recallAt(threshold)(...given),
          f1: f1At(threshold)(...given),
          kappa: kappaAt(threshold)(...given),
          matthews: matthewsAt(threshold)(...given),
        },
      };
    },
  },
  {
    name: 'ranking',
    tolerance: 1e-12,
    draw(stream) {
      const items = 2 + stream.integer(20);
      const cells = items * 15;
      const input = {
        items,
        k: 1 + stream.integer(items),
        relevance: rounded(
          many(cells, () => 100 * stream.uniform() + 1),
          0,
        ),
        scores: rounded(
          many(cells, () => 10 * stream.uniform()),
          0,
        ),
      };
      const lists = { items, actual: array(input.relevance), predicted: array(input.scores) };
      return { input, ours: { ndcg: [...ndcgAtK(lists, input.k)] } };
    },
  },
  {
    name: 'murphy',
    tolerance: 1e-9,
    draw(stream) {
      const { power, family } = stream.choice(families.filter(({ name }) => name !== 'tweedie'));
      const drawn = costs(stream);
      const input = { ...drawn, power, weight: drawn.weight ?? drawn.actual.map(() => 1) };
      const { score, miscalibration, discrimination, uncertainty } = murphyDecomposition(
        power === 0 ? mse : deviance(family),
        array(input.actual),
        array(input.predicted),
        array(input.weight),
      );
      return { input, ours: { score, miscalibration, discrimination, uncertainty } };
    },
  },
];
