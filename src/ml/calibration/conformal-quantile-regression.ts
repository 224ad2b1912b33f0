import { ensureFinite, ensureSameLength, ensureSameRows } from '../ensure.ts';
import type { Intervals } from './conformal.ts';
import { conformalQuantiles, quantileByRow, type ConformalQuantiles } from './conformal-quantiles.ts';

/** A fitted correction of quantile intervals; plain JSON. Its `quantile` is added on both sides and may be negative. */
export type ConformalQuantileRegression = { kind: 'conformalised-quantiles' } & ConformalQuantiles;

/**
 * Conformalised quantile regression (Romano, Patterson and Candès, NeurIPS 2019): intervals between two predicted quantiles
 * are widened or narrowed by the finite-sample quantile of how far actuals lie outside (positive) or inside (negative) of
 * them, in the label's unit. They keep the adaptive width of the quantile models and gain the coverage guarantee on
 * exchangeable rows. Calibrate on rows that the quantile models were not trained on.
 */
export function fitConformalQuantileRegression(
  actual: Float64Array,
  predicted: Intervals,
  options: { miscoverage: number; groups?: ArrayLike<string> },
): ConformalQuantileRegression {
  const { low, high } = predicted;
  const { miscoverage, groups } = options;
  ensureSameRows({ actual, low, high, groups });
  for (const [name, values] of Object.entries({ actual, low, high })) ensureFinite(name, values);
  const scores = actual.map((y, i) => Math.max(low[i] - y, y - high[i]));
  return { kind: 'conformalised-quantiles', ...conformalQuantiles(scores, miscoverage, groups) };
}

/**
 * The corrected intervals. Where a narrowing would turn an interval inside out, or the two quantile models cross, it
 * shrinks to the point in its middle. `atLeast` is the smallest value the label can take.
 */
export function applyConformalQuantileRegression(
  fitted: ConformalQuantileRegression,
  predicted: Intervals,
  options: { groups?: ArrayLike<string>; atLeast?: number } = {},
): Intervals {
  const { groups, atLeast = -Infinity } = options;
  ensureSameLength({ low: predicted.low, high: predicted.high, groups });
  const quantileOf = quantileByRow(fitted, groups);
  const low = new Float64Array(predicted.low.length);
  const high = new Float64Array(predicted.low.length);
  for (let i = 0; i < low.length; i++) {
    const middle = (predicted.low[i] + predicted.high[i]) / 2;
    low[i] = Math.max(atLeast, Math.min(middle, predicted.low[i] - quantileOf(i)));
    high[i] = Math.max(atLeast, Math.max(middle, predicted.high[i] + quantileOf(i)));
  }
  return { low, high };
}
