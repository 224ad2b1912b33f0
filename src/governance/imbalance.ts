import type { Metric } from '../ml/metrics/metric.ts';
import { weightedMean } from '../ml/metrics/regression.ts';

/** How far the total is off: |actual / expected − 1| over all rows. The calibration of a regression in one number; 0 is best. */
export const imbalance: Metric = (actual, predicted, weight) =>
  Math.abs(weightedMean(actual, weight) / weightedMean(predicted, weight) - 1);
