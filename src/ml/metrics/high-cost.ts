import { quantile } from 'd3-array';
import { ArgumentError, ensureSameRows } from '../ensure.ts';
import type { Metric } from './metric.ts';

/**
 * The high-cost threshold: the quantile (linear interpolation) of the label over the reference data, by default p95.
 * Take it once from all labelled reference rows and store it with the model: a threshold redrawn from every batch hides drift.
 */
export function highCostThreshold(reference: Float64Array, level = 0.95): number {
  const threshold = quantile(reference, level);
  if (threshold === undefined)
    throw new ArgumentError('The high-cost threshold needs reference labels, there are none.');
  return threshold;
}

/**
 * Share of rows whose actual and predicted value lie on the same side of the threshold. A model that never predicts high
 * scores about .95 at p95, so read it only beside recall and precision.
 */
export function highCostAccuracy(threshold: number): Metric {
  return (actual, predicted, weight) => {
    const { bothHigh, bothLow, total } = sides(threshold, actual, predicted, weight);
    return (bothHigh + bothLow) / total;
  };
}

/**
 * Of the rows that are truly high (actual ≥ threshold), the share predicted high (predicted ≥ the same threshold). Both
 * sides use one threshold in the label's unit, because that is what the business rules act on; a model that shrinks its
 * large predictions pays for it here, where "the top 5 % of predictions" would forgive it. NaN without a truly high row.
 */
export function highCostRecall(threshold: number): Metric {
  return (actual, predicted, weight) => {
    const { bothHigh, actualHigh } = sides(threshold, actual, predicted, weight);
    return actualHigh > 0 ? bothHigh / actualHigh : NaN;
  };
}

/** Of the rows predicted high, the share truly high, at one threshold; 0 where no row is predicted high. */
export function highCostPrecision(threshold: number): Metric {
  return (actual, predicted, weight) => {
    const { bothHigh, predictedHigh } = sides(threshold, actual, predicted, weight);
    return predictedHigh > 0 ? bothHigh / predictedHigh : 0;
  };
}

function sides(threshold: number, actual: Float64Array, predicted: Float64Array, weight?: Float64Array) {
  ensureSameRows({ actual, predicted, weight });
  let bothHigh = 0;
  let bothLow = 0;
  let actualHigh = 0;
  let predictedHigh = 0;
  let total = 0;
  for (let i = 0; i < actual.length; i++) {
    const w = weight ? weight[i] : 1;
    const isHigh = actual[i] >= threshold;
    const saidHigh = predicted[i] >= threshold;
    total += w;
    if (isHigh) actualHigh += w;
    if (saidHigh) predictedHigh += w;
    if (isHigh && saidHigh) bothHigh += w;
    if (!isHigh && !saidHigh) bothLow += w;
  }
  return { bothHigh, bothLow, actualHigh, predictedHigh, total };
}
