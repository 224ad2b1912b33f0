import { ensureSameRows } from '../ensure.ts';
import { mae, r2, rmse, weightedMean } from '../metrics/regression.ts';
import type { Suite } from './suite.ts';

/** Any number: how far off, in which direction, and how much of the spread is explained. */
export const regressionSuite: Suite = {
  r2: { metric: r2, title: 'R²', better: 'higher', unit: 'ratio' },
  mae: { metric: mae, title: 'mean absolute error', better: 'lower', unit: 'label', constant: 0.5 },
  rmse: { metric: rmse, title: 'root mean squared error', better: 'lower', unit: 'label' },
  mean_error: { metric: meanError, title: 'mean error (predicted − actual)', better: { target: 0 }, unit: 'label' },
};

/** Mean of predicted − actual, in the unit of the label: above 0 the predictions are too high. */
export function meanError(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  return weightedMean(predicted, weight) - weightedMean(actual, weight);
}
