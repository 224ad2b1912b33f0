import { mean, median } from 'd3-array';
import { expectedCalibrationError } from '../../ml/metrics/calibration-error.ts';
import { accuracyAt, f1At, kappaAt, precisionAt, recallAt } from '../../ml/metrics/confusion.ts';
import { gini } from '../../ml/metrics/gini.ts';
import { highCostAccuracy, highCostPrecision, highCostRecall, highCostThreshold } from '../../ml/metrics/high-cost.ts';
import type { Metric } from '../../ml/metrics/metric.ts';
import { meanOfRankings, meanOverOutputs, outputOf } from '../../ml/metrics/outputs.ts';
import { brier, logLoss } from '../../ml/metrics/probability.ts';
import { concordance, ndcgAtK, topKOverlap } from '../../ml/metrics/ranking.ts';
import { mae, r2, rmse } from '../../ml/metrics/regression.ts';
import { averagePrecision, rocAuc } from '../../ml/metrics/roc.ts';
import { skillOver } from '../../ml/metrics/skill.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { decisionThreshold, labelColumns, taskOf } from '../../usecase/label.ts';
import { type MetricName, type Task, metricDescriptors } from '../../usecase/metrics.ts';

/** What metrics compare with; taken from the training labels once and stored with the model. */
export type LabelReference = {
  task: Task;
  /** By output: from where on a case is "high", and the best constants for squared and for absolute errors. */
  highThresholds: number[];
  means: number[];
  medians: number[];
  /** Of an event: the probability from which the decision is positive. */
  threshold: number | null;
};

/** `trainingLabel` holds rows × outputs, row-major. */
export function labelReference(trainingLabel: Float64Array, declaration: Declaration): LabelReference {
  const task = taskOf(declaration);
  const outputs = labelColumns(declaration).length;
  const columns = Array.from({ length: outputs }, (_, output) => outputOf(trainingLabel, outputs, output));
  return {
    task,
    highThresholds: columns.map((label) => highCostThreshold(label, declaration.label.highQuantile)),
    means: columns.map((label) => mean(label) ?? NaN),
    medians: columns.map((label) => median(label) ?? NaN),
    threshold: task === 'binary' ? decisionThreshold(declaration) : null,
  };
}

/** The metrics of the task by name, of rows × outputs values. `skill_over_rules` needs the rules' predictions: `skillOverRules`. */
export type MetricSet = Readonly<Record<string, Metric>>;

/** A number by metric. */
export type Measured = Record<string, number>;

/** The metrics that declarations name, for one model's reference. */
export function metricSet(reference: LabelReference): MetricSet {
  return { regression: amountMetrics, binary: eventMetrics, ranking: rankingMetrics }[reference.task](reference);
}

function amountMetrics({ medians: [constant], highThresholds: [high] }: LabelReference): MetricSet {
  return {
    r2,
    mae,
    rmse,
    gini,
    skill_over_constant: skillOver(mae, constant),
    high_cost_accuracy: highCostAccuracy(high),
    high_cost_recall: highCostRecall(high),
    high_cost_precision: highCostPrecision(high),
  };
}

function eventMetrics({ means: [baseRate], threshold }: LabelReference): MetricSet {
  const positiveFrom = threshold ?? 0.5;
  return {
    roc_auc: rocAuc,
    pr_auc: averagePrecision,
    log_loss: logLoss,
    brier,
    calibration_error: expectedCalibrationError({ strategy: 'quantile' }),
    accuracy: accuracyAt(positiveFrom),
    precision: precisionAt(positiveFrom),
    recall: recallAt(positiveFrom),
    f1: f1At(positiveFrom),
    quadratic_kappa: kappaAt(positiveFrom),
    skill_over_constant: skillOver(logLoss, baseRate),
  };
}

function rankingMetrics({ medians }: LabelReference): MetricSet {
  const outputs = medians.length;
  const each = (metric: Metric) => meanOverOutputs(medians.map(() => metric));
  return {
    r2: each(r2),
    mae: each(mae),
    rmse: each(rmse),
    ndcg_at_5: meanOfRankings(outputs, (lists) => ndcgAtK(lists, 5)),
    top_5_overlap: meanOfRankings(outputs, (lists) => topKOverlap(lists, 5)),
    skill_over_constant: meanOverOutputs(medians.map((constant) => skillOver(mae, constant))),
  };
}

/** Concordance with what came of rows × outputs, NaN where that is not known: of outcomes in place of labels. */
export const outcomeConcordance = (outputs: number): Metric => meanOfRankings(outputs, concordance);

/** Skill over the rules in use, whose predictions of the very same rows are given, rows × outputs. */
export function skillOverRules({ task, medians }: LabelReference, rules: Float64Array): Metric {
  const outputs = medians.length;
  const loss = task === 'binary' ? logLoss : mae;
  return meanOverOutputs(medians.map((_, output) => skillOver(loss, outputOf(rules, outputs, output))));
}

/** The same metrics of the best constant: the median where absolute errors count, the mean otherwise. */
export function constantMetrics(reference: LabelReference, actual: Float64Array): Measured {
  const { task, means, medians } = reference;
  const rows = actual.length / means.length;
  const constant = (values: readonly number[]) =>
    measure(
      metricSet(reference),
      actual,
      Float64Array.from({ length: rows * values.length }, (_, i) => values[i % values.length]),
    );
  const ofMeans = constant(means);
  if (task === 'binary') return ofMeans;
  return { ...constant(medians), r2: ofMeans.r2, rmse: ofMeans.rmse };
}

/** Every metric of these predictions. */
export function measure(metrics: MetricSet, actual: Float64Array, predicted: Float64Array): Measured {
  return Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, metric(actual, predicted)]));
}

/** How the report writes a metric. */
export function describeMetric(name: MetricName, labelUnit: string) {
  const { better, unit, title } = metricDescriptors[name];
  return { name: title, unit: unit === 'label' ? labelUnit : unit === 'ratio' ? '' : unit, better };
}
