import { mean, median } from 'd3-array';
import { gini } from '../../ml/metrics/gini.ts';
import { highCostAccuracy, highCostPrecision, highCostRecall, highCostThreshold } from '../../ml/metrics/high-cost.ts';
import type { Metric } from '../../ml/metrics/metric.ts';
import { mae, r2, rmse } from '../../ml/metrics/regression.ts';
import { skillOver } from '../../ml/metrics/skill.ts';
import { type MetricName, metricDescriptors } from '../../usecase/metrics.ts';

/** What metrics compare with; taken from the training labels once and stored with the model. */
export type LabelReference = {
  /** From here on a case is "high". */
  highThreshold: number;
  /** The best constants: for squared and for absolute errors. */
  mean: number;
  median: number;
};

export function labelReference(trainingLabel: Float64Array, highQuantile: number): LabelReference {
  return {
    highThreshold: highCostThreshold(trainingLabel, highQuantile),
    mean: mean(trainingLabel) ?? NaN,
    median: median(trainingLabel) ?? NaN,
  };
}

export type MetricSet = { [name in Exclude<MetricName, 'skill_over_rules'>]: Metric };

/** The metrics that declarations name, for one model's reference. */
export function metricSet(reference: LabelReference): MetricSet {
  return {
    r2,
    mae,
    rmse,
    gini,
    skill_over_constant: skillOver(mae, reference.median),
    high_cost_accuracy: highCostAccuracy(reference.highThreshold),
    high_cost_recall: highCostRecall(reference.highThreshold),
    high_cost_precision: highCostPrecision(reference.highThreshold),
  };
}

/** The same metrics of the best constant: the mean where errors are squared, the median otherwise. */
export function constantMetrics(
  reference: LabelReference,
  actual: Float64Array,
): { [name in keyof MetricSet]: number } {
  const constant = (value: number) =>
    measure(metricSet(reference), actual, new Float64Array(actual.length).fill(value));
  const { r2: r2OfMean, rmse: rmseOfMean } = constant(reference.mean);
  return { ...constant(reference.median), r2: r2OfMean, rmse: rmseOfMean };
}

/** Every metric of these predictions. */
export function measure(
  metrics: MetricSet,
  actual: Float64Array,
  predicted: Float64Array,
): { [name in keyof MetricSet]: number } {
  const measured = Object.entries(metrics).map(([name, metric]) => [name, metric(actual, predicted)]);
  return Object.fromEntries(measured) as { [name in keyof MetricSet]: number };
}

/** How the report writes a metric. */
export function describeMetric(name: MetricName, labelUnit: string) {
  const { better, unit, title } = metricDescriptors[name];
  return { name: title, unit: unit === 'label' ? labelUnit : '', better };
}
