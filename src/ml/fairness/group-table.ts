import { ArgumentError, ensureSameRows, ensureWhole } from '../ensure.ts';
import { groupsOf } from '../metrics/actual-expected.ts';
import { percentileInterval, replicate, type ResamplingOptions } from '../metrics/bootstrap.ts';
import { over, type Estimate, type Metric, type Statistic } from '../metrics/metric.ts';

/** Metric × group once; differences and ratios derive from it. Plain JSON. */
export type FairnessTable<Name extends string> = {
  /** The sensitive feature. */
  feature: string;
  minGroupRows: number;
  overall: Record<Name, Estimate>;
  /** Groups of at least `minGroupRows` rows, names ascending. */
  groups: { group: string; rows: number; metrics: Record<Name, Estimate> }[];
  /** Groups too small to judge: named, but neither measured nor counted. */
  suppressed: string[];
  /** Absent for a metric that fewer than two groups have. */
  gaps: Partial<Record<Name, Gap>>;
};

/** Between the groups in which a metric is highest and lowest. */
export type Gap = {
  highest: string;
  lowest: string;
  /** highest − lowest, in the metric's unit. */
  difference: Estimate;
  /** lowest / highest: 1 is equal. NaN where the highest is 0. */
  ratio: Estimate;
};

export type FairnessTask<Name extends string> = {
  actual: Float64Array;
  predicted: Float64Array;
  sensitive: { feature: string; values: ArrayLike<string | number | boolean | null> };
  metrics: Record<Name, Metric>;
  /** @default 30 */
  minGroupRows?: number;
} & ResamplingOptions;

/**
 * The by-group table of a sensitive feature with percentile bootstrap intervals. Missing values are the group "missing".
 *
 * The interval of a gap belongs to the two groups that are furthest apart here, resampled together: it can hold 0, and then
 * the gap may be chance. With many groups some pair is always far apart, so the interval errs on the side of a finding.
 */
export function fairnessTable<Name extends string>(task: FairnessTask<Name>): FairnessTable<Name> {
  const { actual, predicted, sensitive, metrics, minGroupRows = 30, ...options } = task;
  ensureSameRows({ actual, predicted, [`the sensitive feature "${sensitive.feature}"`]: sensitive.values });
  ensureWhole('The smallest group', minGroupRows, 1);
  const names = Object.keys(metrics) as Name[];
  const parts = partsOf(sensitive.values);
  const judged = parts.filter(({ rows }) => rows.length >= minGroupRows);
  if (judged.length === 0) {
    throw new ArgumentError(
      `No group of "${sensitive.feature}" has ${minGroupRows} rows. Judge more rows, or declare coarser groups.`,
    );
  }

  // one statistic per metric and part, the whole table first, all on the same resamples
  const everyone = Uint32Array.from(actual, (_, row) => row);
  const cells = [{ rows: everyone }, ...judged].flatMap(({ rows }, part) =>
    names.map((name) => [cellKey(part, name), ofRows(metrics[name], actual, predicted, rows)] as const),
  );
  const statistics = Object.fromEntries(cells) as Record<string, Statistic>;
  const replicates = replicate(statistics, actual.length, options);
  const valueOf = (key: string) => statistics[key](options.weight ?? new Float64Array(actual.length).fill(1));
  const estimate = (value: number, values: Float64Array): Estimate => ({
    value,
    ...percentileInterval(values, options.confidence),
  });
  const metricsOf = (part: number) =>
    Object.fromEntries(
      names.map((name) => [name, estimate(valueOf(cellKey(part, name)), replicates[cellKey(part, name)])]),
    ) as Record<Name, Estimate>;

  const groups = judged.map(({ group, rows }, i) => ({ group, rows: rows.length, metrics: metricsOf(i + 1) }));
  const gaps: Partial<Record<Name, Gap>> = {};
  for (const name of names) {
    const defined = [...groups.keys()].filter((i) => !Number.isNaN(groups[i].metrics[name].value));
    if (defined.length < 2) continue;
    const value = (i: number) => groups[i].metrics[name].value;
    const high = defined.reduce((best, i) => (value(i) > value(best) ? i : best));
    const low = defined.reduce((best, i) => (value(i) < value(best) ? i : best));
    const ofHigh = replicates[cellKey(high + 1, name)];
    const ofLow = replicates[cellKey(low + 1, name)];
    gaps[name] = {
      highest: groups[high].group,
      lowest: groups[low].group,
      difference: estimate(
        value(high) - value(low),
        ofHigh.map((replicated, b) => replicated - ofLow[b]),
      ),
      ratio: estimate(
        value(low) / value(high),
        ofHigh.map((replicated, b) => ofLow[b] / replicated),
      ),
    };
  }
  return {
    feature: sensitive.feature,
    minGroupRows,
    overall: metricsOf(0),
    groups,
    suppressed: parts.filter(({ rows }) => rows.length < minGroupRows).map(({ group }) => group),
    gaps,
  };
}

function partsOf(values: ArrayLike<string | number | boolean | null>): { group: string; rows: Uint32Array }[] {
  const { names, codes } = groupsOf(values);
  const rows = names.map((): number[] => []);
  for (let row = 0; row < codes.length; row++) rows[codes[row]].push(row);
  return names.map((group, code) => ({ group, rows: Uint32Array.from(rows[code]) }));
}

/** A metric on some of the rows, under weights for all of them. */
function ofRows(metric: Metric, actual: Float64Array, predicted: Float64Array, rows: Uint32Array): Statistic {
  const take = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]);
  const statistic = over(metric, take(actual), take(predicted));
  const own = new Float64Array(rows.length);
  return (weight) => {
    if (!weight) return statistic();
    let total = 0;
    for (let i = 0; i < rows.length; i++) {
      own[i] = weight[rows[i]];
      total += own[i];
    }
    return total > 0 ? statistic(own) : NaN;
  };
}

function cellKey(part: number, name: string): string {
  return `${part}/${name}`;
}
