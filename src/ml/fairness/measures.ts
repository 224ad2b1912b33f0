import { ensureSameRows } from '../ensure.ts';
import type { Metric } from '../metrics/metric.ts';
import { weightedMean } from '../metrics/regression.ts';

/** Share of rows whose prediction is at or above the threshold: those selected by a decision rule. */
export function selectionRate(threshold: number): Metric {
  return (actual, predicted, weight) => {
    ensureSameRows({ actual, predicted, weight });
    let selected = 0;
    let total = 0;
    for (let i = 0; i < predicted.length; i++) {
      const w = weight ? weight[i] : 1;
      total += w;
      if (predicted[i] >= threshold) selected += w;
    }
    return selected / total;
  };
}

/** Mean prediction, in the label's unit. */
export function meanPrediction(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  return weightedMean(predicted, weight);
}

/** Total actual over total predicted: 1 is calibrated in the large, above 1 the group is predicted too low. */
export function actualToExpected(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  return weightedMean(actual, weight) / weightedMean(predicted, weight);
}
