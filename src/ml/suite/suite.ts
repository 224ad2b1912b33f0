import { ascending } from '../metrics/order.ts';
import { type BootstrapOptions, bootstrap } from '../metrics/bootstrap.ts';
import type { Estimate, Metric } from '../metrics/metric.ts';
import { weightedMean } from '../metrics/regression.ts';

/** A metric with what a reader needs to print and judge it. */
export type SuiteMetric = {
  metric: Metric;
  title: string;
  /** `one` is best at 1, `zero` at 0, on either side. */
  better: 'higher' | 'lower' | 'one' | 'zero';
  unit: 'ratio' | 'label' | 'label squared' | 'nats';
  /** The best constant for it: the rows' own mean, or their median where absolute errors count. @default 'mean' */
  constant?: 'mean' | 'median';
};

/** Metrics by name; the names are stable, for documents and gates. */
export type Suite = Readonly<Record<string, SuiteMetric>>;

export type SuiteResult = Omit<SuiteMetric, 'metric' | 'constant'> & {
  name: string;
  estimate: Estimate;
  /** What the best constant earns on the same rows: a figure that does not beat it says nothing for the model. */
  ofConstant: number;
};

/**
 * Every metric of a suite with its bootstrap interval, beside the best constant of these very rows, which is the strictest one.
 * Arrays have one entry per row; see `BootstrapOptions` for weights and the seed.
 */
export function evaluateSuite(
  suite: Suite,
  actual: Float64Array,
  predicted: Float64Array,
  options: BootstrapOptions,
): SuiteResult[] {
  const metrics = Object.fromEntries(Object.entries(suite).map(([name, { metric }]) => [name, metric]));
  const estimates = bootstrap(metrics, actual, predicted, options);
  const { weight } = options;
  const constants = { mean: weightedMean(actual, weight), median: weightedMedian(actual, weight) };
  return Object.entries(suite).map(([name, { metric, title, better, unit, constant = 'mean' }]) => ({
    name,
    title,
    better,
    unit,
    estimate: estimates[name],
    ofConstant: metric(actual, new Float64Array(actual.length).fill(constants[constant]), weight),
  }));
}

/** The smallest value at which half of the weight is reached. */
function weightedMedian(values: Float64Array, weight?: Float64Array): number {
  const order = ascending(values);
  const total = weight ? weight.reduce((sum, w) => sum + w, 0) : values.length;
  let reached = 0;
  for (const row of order) {
    reached += weight ? weight[row] : 1;
    if (reached * 2 >= total) return values[row];
  }
  return NaN;
}
