import { ensureSameRows } from '../ensure.ts';

/** Mean absolute error, in the unit of the label; rows weighted. */
export function mae(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  let sum = 0;
  let total = 0;
  for (let i = 0; i < actual.length; i++) {
    const w = weight ? weight[i] : 1;
    sum += w * Math.abs(actual[i] - predicted[i]);
    total += w;
  }
  return sum / total;
}

/** Mean squared error, in the squared unit of the label; rows weighted. */
export function mse(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  let sum = 0;
  let total = 0;
  for (let i = 0; i < actual.length; i++) {
    const w = weight ? weight[i] : 1;
    const error = actual[i] - predicted[i];
    sum += w * error * error;
    total += w;
  }
  return sum / total;
}

/** Root mean squared error, in the unit of the label; rows weighted. */
export function rmse(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  return Math.sqrt(mse(actual, predicted, weight));
}

/**
 * Coefficient of determination: 1 − (squared error of the predictions) / (squared error of the rows' own mean). It is 0
 * for that mean, negative for worse, and NaN where the label does not vary, because nothing can then be explained.
 */
export function r2(actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number {
  ensureSameRows({ actual, predicted, weight });
  const mean = weightedMean(actual, weight);
  let unexplained = 0;
  let spread = 0;
  for (let i = 0; i < actual.length; i++) {
    const w = weight ? weight[i] : 1;
    const error = actual[i] - predicted[i];
    const deviation = actual[i] - mean;
    unexplained += w * error * error;
    spread += w * deviation * deviation;
  }
  return spread > 0 ? 1 - unexplained / spread : NaN;
}

/** Weighted mean of the values; NaN where the weights are all zero. */
export function weightedMean(values: Float64Array, weight?: Float64Array): number {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const w = weight ? weight[i] : 1;
    sum += w * values[i];
    total += w;
  }
  return sum / total;
}
