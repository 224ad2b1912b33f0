import { type Metric, type Statistic, over } from './metric.ts';
import { type RankedLists, meanOverRows } from './ranking.ts';

/** The values of one output, of rows × outputs values in row-major order. */
export function outputOf(values: Float64Array, outputs: number, output: number): Float64Array {
  if (outputs === 1) return values;
  return Float64Array.from({ length: values.length / outputs }, (_, row) => values[row * outputs + output]);
}

/** The metric over the rows whose actual value is known; NaN is none. */
export function overKnown(metric: Metric, actual: Float64Array, predicted: Float64Array): Statistic {
  if (!actual.some(Number.isNaN)) return over(metric, actual, predicted);
  const known = Float64Array.from(actual, (value) => (Number.isNaN(value) ? 0 : 1));
  // a row of weight 0 counts as absent, but its values are still multiplied
  const statistic = over(
    metric,
    actual.map((value, row) => (known[row] === 1 ? value : predicted[row])),
    predicted,
  );
  return (weight) => statistic(weight ? known.map((one, row) => one * weight[row]) : known);
}

/**
 * The mean over the outputs of a metric that each has of its own, for rows × outputs values, of which unknown ones are NaN; the
 * weight stays one per row. With one output it is that output's metric.
 */
export function meanOverOutputs(perOutput: readonly Metric[]): Metric {
  const [only] = perOutput;
  if (perOutput.length === 1) return only;
  const outputs = perOutput.length;
  const statistic = (actual: Float64Array, predicted: Float64Array) => {
    const parts = perOutput.map((metric, k) =>
      overKnown(metric, outputOf(actual, outputs, k), outputOf(predicted, outputs, k)),
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
