import { type Metric, over } from './metric.ts';
import { type RankedLists, meanOverRows } from './ranking.ts';

/** The values of one output, of rows × outputs values in row-major order. */
export function outputOf(values: Float64Array, outputs: number, output: number): Float64Array {
  if (outputs === 1) return values;
  return Float64Array.from({ length: values.length / outputs }, (_, row) => values[row * outputs + output]);
}

/**
 * The mean over the outputs of a metric that each has of its own, for rows × outputs values; the weight stays one per row. With
 * one output it is that output's metric.
 */
export function meanOverOutputs(perOutput: readonly Metric[]): Metric {
  const [only] = perOutput;
  if (perOutput.length === 1) return only;
  const outputs = perOutput.length;
  const statistic = (actual: Float64Array, predicted: Float64Array) => {
    const parts = perOutput.map((metric, k) =>
      over(metric, outputOf(actual, outputs, k), outputOf(predicted, outputs, k)),
    );
    return (weight?: Float64Array) => parts.reduce((sum, part) => sum + part(weight), 0) / outputs;
  };
  const metric: Metric = (actual, predicted, weight) => statistic(actual, predicted)(weight);
  metric.over = statistic;
  return metric;
}

/** The mean over the rows of a measure of each row's ranking of the outputs. */
export function meanOfRankings(outputs: number, measure: (lists: RankedLists) => Float64Array): Metric {
  const statistic = (actual: Float64Array, predicted: Float64Array) =>
    meanOverRows(measure({ items: outputs, actual, predicted }));
  const metric: Metric = (actual, predicted, weight) => statistic(actual, predicted)(weight);
  metric.over = statistic;
  return metric;
}
