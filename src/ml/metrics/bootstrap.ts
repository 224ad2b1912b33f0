import { quantileSorted } from 'd3-array';
import { ensureSameRows, ensureShare, ensureWeights, ensureWhole } from '../ensure.ts';
import { random } from '../random.ts';
import { bcaLevels, jackknife } from './bca.ts';
import { over, type Estimate, type Metric, type Statistic } from './metric.ts';

/** How rows are drawn. */
export type ResamplingOptions = {
  seed: number | string;
  /** Exposure per row; a resample multiplies it by how often the row was drawn. */
  weight?: Float64Array;
  /** @default 1000 */
  resamples?: number;
  /** Of the intervals. @default 0.95 */
  confidence?: number;
  /** Values of each row in `actual` and in the predictions, row-major; `weight` stays one per row. @default 1 */
  outputs?: number;
  /**
   * The entity of each row, where rows of one entity resemble each other (months of a policy, claims of a member): whole entities
   * are drawn instead of rows. @default - every row on its own
   */
  clusters?: ArrayLike<string | number>;
};

export type BootstrapOptions = ResamplingOptions & {
  /**
   * `percentile` reads the interval off the replicates; `bca` corrects it for their bias and skewness first, which matters for
   * few rows and heavy tails and costs up to 200 evaluations more. @default 'percentile'
   */
  interval?: 'percentile' | 'bca';
};

/**
 * Bootstrap intervals (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13 and 14) for any number of
 * metrics of the same predictions. Rows are drawn once per resample and shared by all metrics. Resamples in which a
 * metric is undefined are left out of its interval; where more than half are, the interval is NaN.
 */
export function bootstrap<Name extends string>(
  metrics: Record<Name, Metric>,
  actual: Float64Array,
  predicted: Float64Array,
  options: BootstrapOptions,
): Record<Name, Estimate> {
  const rows = rowsOf({ actual, predicted }, options);
  const statistics = mapValues(metrics, (metric) => over(metric, actual, predicted));
  const replicates = replicate(statistics, rows, options);
  return mapValues(statistics, (statistic, name) => estimateOf(statistic, replicates[name], rows, options));
}

/** The metric that decides, and which way is better. */
export type Direction = 'higher' | 'lower';

export type Comparison = {
  champion: Estimate;
  challenger: Estimate;
  /** Challenger against champion on the same rows, turned so that a positive number means the challenger is better. */
  improvement: Estimate;
  /** Share of resamples in which the challenger is better; ties count half. */
  probabilityOfSuperiority: number;
};

/**
 * Paired bootstrap of two predictions on one test set: each resample judges both on the same rows, so that what makes a
 * row hard for both cancels and the interval of the difference is far narrower than two separate intervals suggest.
 */
export function pairedBootstrap<Name extends string>(
  metrics: Record<Name, { metric: Metric; better: Direction }>,
  actual: Float64Array,
  predictions: { champion: Float64Array; challenger: Float64Array },
  options: BootstrapOptions,
): Record<Name, Comparison> {
  const { champion, challenger } = predictions;
  const rows = rowsOf({ actual, champion, challenger }, options);
  const ofChampion = mapValues(metrics, ({ metric }) => over(metric, actual, champion));
  const ofChallenger = mapValues(metrics, ({ metric }) => over(metric, actual, challenger));
  // one seed draws the same rows for both
  const championReplicates = replicate(ofChampion, rows, options);
  const challengerReplicates = replicate(ofChallenger, rows, options);

  return mapValues(metrics, ({ better }, name) => {
    const gain = (before: number, after: number) => (better === 'higher' ? after - before : before - after);
    const old = championReplicates[name];
    const improvements = challengerReplicates[name].map((value, i) => gain(old[i], value));
    const improvement: Statistic = (weight) => gain(ofChampion[name](weight), ofChallenger[name](weight));
    return {
      champion: estimateOf(ofChampion[name], old, rows, options),
      challenger: estimateOf(ofChallenger[name], challengerReplicates[name], rows, options),
      improvement: estimateOf(improvement, improvements, rows, options),
      probabilityOfSuperiority: shareAboveZero(improvements),
    };
  });
}

/** How many rows are drawn from. */
function rowsOf(values: Record<string, Float64Array>, { weight, outputs = 1 }: BootstrapOptions): number {
  ensureSameRows(values);
  const rows = Object.values(values)[0].length / outputs;
  ensureSameRows({ 'the metric': { length: rows }, weight });
  return rows;
}

/**
 * The values of each statistic over seeded resamples of `rows` rows with replacement: one replicate per resample. With `clusters`
 * whole clusters are drawn, as many as there are.
 */
export function replicate<Name extends string>(
  statistics: Record<Name, Statistic>,
  rows: number,
  { seed, weight, resamples = 1000, clusters }: ResamplingOptions,
): Record<Name, Float64Array> {
  ensureWhole('The number of resamples', resamples, 1);
  if (weight) ensureWeights(weight);
  const { integer } = random(seed);
  const replicates = mapValues(statistics, () => new Float64Array(resamples));

  // a resample is only a new weight per row, so nothing is copied and sorted metrics keep their order
  const drawn = new Float64Array(rows);
  const cluster = clusters && codesOf(clusters, rows);
  const times = cluster ? new Float64Array(cluster.count) : drawn;
  for (let b = 0; b < resamples; b++) {
    times.fill(0);
    for (let i = 0; i < times.length; i++) times[integer(times.length)]++;
    if (cluster) for (let i = 0; i < rows; i++) drawn[i] = times[cluster.codes[i]];
    if (weight) for (let i = 0; i < rows; i++) drawn[i] *= weight[i];
    for (const name in statistics) replicates[name][b] = statistics[name](drawn);
  }
  return replicates;
}

/** The central interval of the replicates, undefined ones left out. */
export function percentileInterval(replicates: Float64Array, confidence = 0.95): { low: number; high: number } {
  ensureShare('The confidence', confidence);
  const tail = (1 - confidence) / 2;
  return quantileInterval(replicates, [tail, 1 - tail]);
}

function estimateOf(statistic: Statistic, replicates: Float64Array, rows: number, options: BootstrapOptions): Estimate {
  const { weight, confidence = 0.95, clusters, interval = 'percentile', seed } = options;
  const value = statistic(weight);
  if (interval === 'percentile') return { value, ...percentileInterval(replicates, confidence) };
  ensureShare('The confidence', confidence);
  const units = clusters
    ? codesOf(clusters, rows)
    : { codes: Uint32Array.from({ length: rows }, (_, i) => i), count: rows };
  const levels = bcaLevels(value, replicates, jackknife(statistic, units, { seed, weight }), confidence);
  return { value, ...quantileInterval(replicates, levels) };
}

function quantileInterval(replicates: Float64Array, [lower, upper]: readonly [number, number]) {
  const defined = replicates.filter((value) => !Number.isNaN(value)).sort();
  if (defined.length * 2 < replicates.length) return { low: NaN, high: NaN };
  const sorted = Array.from(defined);
  return { low: quantileSorted(sorted, lower) ?? NaN, high: quantileSorted(sorted, upper) ?? NaN };
}

/** Numbers the clusters by first appearance. */
function codesOf(clusters: ArrayLike<string | number>, rows: number): { codes: Uint32Array; count: number } {
  ensureSameRows({ 'the metric': { length: rows }, clusters });
  const codes = new Uint32Array(rows);
  const known = new Map<string | number, number>();
  for (let i = 0; i < rows; i++) {
    let code = known.get(clusters[i]);
    if (code === undefined) known.set(clusters[i], (code = known.size));
    codes[i] = code;
  }
  return { codes, count: known.size };
}

function shareAboveZero(values: Float64Array): number {
  let above = 0;
  let defined = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    defined++;
    if (value > 0) above++;
    else if (value === 0) above += 0.5;
  }
  return above / defined;
}

function mapValues<Name extends string, From, To>(
  record: Record<Name, From>,
  to: (value: From, name: Name) => To,
): Record<Name, To> {
  const mapped = {} as Record<Name, To>;
  for (const name in record) mapped[name] = to(record[name], name);
  return mapped;
}
