import { ArgumentError, ensureFinite, ensureSameLength, ensureSameRows } from '../ensure.ts';
import type { Estimate } from '../metrics/metric.ts';
import { proportion } from '../metrics/proportion.ts';
import { conformalQuantiles, quantileByRow, type ConformalQuantiles } from './conformal-quantiles.ts';

/**
 * How far an actual may lie from its prediction: `absolute` is |actual − predicted| in the label's unit, `relative` divides
 * it by |predicted|, so the interval widens in proportion to the prediction.
 */
export type ConformityScore = 'absolute' | 'relative';

/** A fitted conformal predictor; plain JSON, stored with the model. Its `quantile` is the half-width of the intervals. */
export type Conformal = { kind: 'conformal'; score: ConformityScore } & ConformalQuantiles;

/** A prediction interval per row, in the label's unit. */
export type Intervals = { low: Float64Array; high: Float64Array };

/**
 * Split conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, JASA 113, 2018): the half-width is the
 * ⌈(n + 1)(1 − miscoverage)⌉-th smallest score of rows the model was not fitted on. With a held-out calibration set the
 * coverage on exchangeable new rows is at least 1 − miscoverage; with out-of-fold predictions, whose models differ a little
 * from the final one, this is no theorem but holds closely, so state the measured coverage with it (`coverage`).
 *
 * With `groups` each group gets its own quantile (Mondrian conformal prediction: Vovk, 2012), and the guarantee per group.
 */
export function fitConformal(
  actual: Float64Array,
  predicted: Float64Array,
  options: { score: ConformityScore; miscoverage: number; groups?: ArrayLike<string> },
): Conformal {
  const { score, miscoverage, groups } = options;
  ensureSameRows({ actual, predicted, groups });
  ensureFinite('actual', actual);
  ensureFinite('predicted', predicted);
  const scores = conformityScores(score, actual, predicted);
  return { kind: 'conformal', score, ...conformalQuantiles(scores, miscoverage, groups) };
}

/**
 * The interval of each prediction. A group unseen in calibration uses the pooled half-width. `atLeast` is the smallest
 * value the label can take (0 for a cost); intervals are cut there.
 */
export function applyConformal(
  conformal: Conformal,
  predicted: Float64Array,
  options: { groups?: ArrayLike<string>; atLeast?: number } = {},
): Intervals {
  const { groups, atLeast = -Infinity } = options;
  ensureSameLength({ predicted, groups });
  const quantileOf = quantileByRow(conformal, groups);
  const low = new Float64Array(predicted.length);
  const high = new Float64Array(predicted.length);
  for (let i = 0; i < predicted.length; i++) {
    const halfWidth = quantileOf(i) * (conformal.score === 'relative' ? Math.abs(predicted[i]) : 1);
    low[i] = Math.max(atLeast, predicted[i] - halfWidth);
    high[i] = Math.max(atLeast, predicted[i] + halfWidth);
  }
  return { low, high };
}

export type Coverage = {
  rows: number;
  /** Share of actuals inside their interval, ends included, with Wilson's interval. */
  coverage: Estimate;
  /** Mean width, in the label's unit. */
  meanWidth: number;
};

/** Measured coverage of intervals on rows with known truth; `byGroup` where groups are given, names ascending. */
export function coverage(
  actual: Float64Array,
  { low, high }: Intervals,
  groups?: ArrayLike<string>,
): Coverage & { byGroup?: Record<string, Coverage> } {
  ensureSameRows({ actual, low, high, groups });
  const overall = coverageOf(actual, low, high, () => true);
  if (!groups) return overall;
  const names = [...new Set(Array.from(groups))].sort();
  const byGroup = names.map((name) => [name, coverageOf(actual, low, high, (row) => groups[row] === name)]);
  return { ...overall, byGroup: Object.fromEntries(byGroup) as Record<string, Coverage> };
}

function coverageOf(
  actual: Float64Array,
  low: Float64Array,
  high: Float64Array,
  counts: (row: number) => boolean,
): Coverage {
  let rows = 0;
  let inside = 0;
  let width = 0;
  for (let i = 0; i < actual.length; i++) {
    if (!counts(i)) continue;
    rows++;
    width += high[i] - low[i];
    if (actual[i] >= low[i] && actual[i] <= high[i]) inside++;
  }
  return { rows, coverage: proportion(inside, rows), meanWidth: width / rows };
}

function conformityScores(score: ConformityScore, actual: Float64Array, predicted: Float64Array): Float64Array {
  return actual.map((value, i) => Math.abs(value - predicted[i]) / conformityScale(score, predicted, i));
}

/** What a row's error is measured in: 1 or the size of its prediction. Throws for a relative score of a prediction of 0. */
export function conformityScale(score: ConformityScore, predicted: Float64Array, row: number): number {
  if (score === 'absolute') return 1;
  if (predicted[row] === 0) {
    throw new ArgumentError(`A relative conformity score needs predictions other than 0, row ${row} is 0.`);
  }
  return Math.abs(predicted[row]);
}
