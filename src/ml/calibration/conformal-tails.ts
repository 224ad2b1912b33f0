import { ensureFinite, ensureSameLength, ensureSameRows } from '../ensure.ts';
import { conformityScale, type ConformityScore, type Intervals } from './conformal.ts';
import { conformalQuantiles, quantileByRow, type ConformalQuantiles } from './conformal-quantiles.ts';

/**
 * A fitted conformal predictor with a quantile for each tail; plain JSON. How far intervals reach below and above the prediction;
 * either may be negative, where predictions are off to one side.
 */
export type ConformalTails = {
  kind: 'conformal-tails';
  score: ConformityScore;
  /** Target share of actuals outside, half of it on either side. */
  miscoverage: number;
  below: ConformalQuantiles;
  above: ConformalQuantiles;
};

/**
 * Split conformal prediction with asymmetric intervals (Linusson, Johansson and Löfström, "Signed-error conformal regression",
 * PAKDD 2014): each tail gets half of the miscoverage and its own finite-sample quantile of the signed errors. Costs are skewed:
 * one half-width for both sides reaches below zero and yet misses the large ones. Each tail keeps its level by itself, so the
 * interval says "at most so much" with confidence 1 − miscoverage / 2. `groups` as in `fitConformal`.
 *
 * Needs about twice the calibration rows of `fitConformal`: 2 / miscoverage − 1 at least.
 */
export function fitConformalTails(
  actual: Float64Array,
  predicted: Float64Array,
  options: { score: ConformityScore; miscoverage: number; groups?: ArrayLike<string> },
): ConformalTails {
  const { score, miscoverage, groups } = options;
  ensureSameRows({ actual, predicted, groups });
  ensureFinite('actual', actual);
  ensureFinite('predicted', predicted);
  const error = actual.map((value, i) => (value - predicted[i]) / conformityScale(score, predicted, i));
  return {
    kind: 'conformal-tails',
    score,
    miscoverage,
    below: conformalQuantiles(
      error.map((value) => -value),
      miscoverage / 2,
      groups,
    ),
    above: conformalQuantiles(error, miscoverage / 2, groups),
  };
}

/**
 * The interval of each prediction; options as in `applyConformal`. Where the two ends would cross it is the point halfway.
 */
export function applyConformalTails(
  tails: ConformalTails,
  predicted: Float64Array,
  options: { groups?: ArrayLike<string>; atLeast?: number } = {},
): Intervals {
  const { groups, atLeast = -Infinity } = options;
  ensureSameLength({ predicted, groups });
  const belowOf = quantileByRow(tails.below, groups);
  const aboveOf = quantileByRow(tails.above, groups);
  const low = new Float64Array(predicted.length);
  const high = new Float64Array(predicted.length);
  for (let i = 0; i < predicted.length; i++) {
    const scale = conformityScale(tails.score, predicted, i);
    const bottom = predicted[i] - belowOf(i) * scale;
    const top = predicted[i] + aboveOf(i) * scale;
    const middle = (bottom + top) / 2;
    low[i] = Math.max(atLeast, Math.min(bottom, middle));
    high[i] = Math.max(atLeast, Math.max(top, middle));
  }
  return { low, high };
}
