import { type BootstrapOptions, bootstrap } from '../metrics/bootstrap.ts';
import type { Estimate, Metric } from '../metrics/metric.ts';
import { weightedMean } from '../metrics/regression.ts';
import { weightedQuantile } from '../trees/loss.ts';

/** A metric with what a reader needs to print and judge it. */
export type SuiteMetric = {
  metric: Metric;
  title: string;
  /** Which way is good; a target is best reached exactly. */
  better: 'higher' | 'lower' | { target: number };
  unit: 'ratio' | 'label' | 'label squared' | 'nats';
  /** The best constant for it: the rows' own mean, or a quantile of them, as the median (0.5) for absolute errors. @default 'mean' */
  constant?: 'mean' | number;
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
  return Object.entries(suite).map(([name, { metric, title, better, unit, constant = 'mean' }]) => ({
    name,
    title,
    better,
    unit,
    estimate: estimates[name],
    ofConstant: metric(actual, new Float64Array(actual.length).fill(constantOf(constant, actual, weight)), weight),
  }));
}

function constantOf(constant: 'mean' | number, actual: Float64Array, weight: Float64Array | undefined): number {
  if (constant === 'mean') return weightedMean(actual, weight);
  return weightedQuantile(actual, weight ?? new Float64Array(actual.length).fill(1), constant);
}
