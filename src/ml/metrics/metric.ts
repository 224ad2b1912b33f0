/**
 * A metric of predictions against truth. The arrays have one entry per row; `weight` is exposure, or how often a bootstrap
 * resample drew the row, so a row of weight 0 must count as absent. NaN means undefined on these rows.
 */
export type Metric = {
  (actual: Float64Array, predicted: Float64Array, weight?: Float64Array): number;
  /** The same metric with its sorting done once, for metrics that sort: what a bootstrap evaluates a thousand times. */
  over?: (actual: Float64Array, predicted: Float64Array) => Statistic;
};

/** A number of a fixed set of rows under changing weights. */
export type Statistic = (weight?: Float64Array) => number;

/** A number with its interval, both in the unit of the number. */
export type Estimate = { value: number; low: number; high: number };

/** The metric bound to its data. */
export function over(metric: Metric, actual: Float64Array, predicted: Float64Array): Statistic {
  return metric.over?.(actual, predicted) ?? ((weight) => metric(actual, predicted, weight));
}
