import { ensureSameRows } from '../ensure.ts';
import type { Metric } from '../metrics/metric.ts';
import { weightedMean } from '../metrics/regression.ts';
import type { Suite } from './suite.ts';

/** Predictions of a quantile: the loss that it minimises, and how much of the truth lies at or below it. */
export function quantileSuite(level: number): Suite {
  return {
    pinball_loss: {
      metric: pinballLoss(level),
      title: `pinball loss at ${level}`,
      better: 'lower',
      unit: 'label',
      constant: level,
    },
    share_at_or_below: {
      metric: shareAtOrBelow,
      title: `share at or below (should be ${level})`,
      better: { target: level },
      unit: 'ratio',
      constant: level,
    },
  };
}

/** Koenker and Bassett's loss ("Regression quantiles", 1978): an error is weighted by `level` above the prediction, 1 − level below. */
export function pinballLoss(level: number): Metric {
  return (actual, predicted, weight) => {
    ensureSameRows({ actual, predicted, weight });
    const losses = actual.map((y, i) => Math.max(level * (y - predicted[i]), (level - 1) * (y - predicted[i])));
    return weightedMean(losses, weight);
  };
}

/** Share of the rows whose actual value does not exceed the prediction. */
export function shareAtOrBelow(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  return weightedMean(
    actual.map((y, i) => Number(y <= predicted[i])),
    weight,
  );
}
