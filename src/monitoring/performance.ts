import { say, sayEstimate, sayMetric, sayShare, startWithMetric } from '../governance/text.ts';
import { actualOverExpected, balance, type Groups } from '../ml/metrics/actual-expected.ts';
import { bootstrap } from '../ml/metrics/bootstrap.ts';
import type { Estimate, Metric } from '../ml/metrics/metric.ts';
import { weightedMean } from '../ml/metrics/regression.ts';
import { moments } from '../ml/stats/moments.ts';
import { zTest } from '../ml/stats/z-test.ts';
import { metricNames, rowLoss, type MetricName, type Task } from '../usecase/metrics.ts';
import { type MonitorPolicy, standardLimits } from './limits.ts';
import type { ReferenceProfile } from './reference.ts';
import { rowErrors } from './row-errors.ts';
import { type Finding, finding } from './severity.ts';

/** Predictions whose truth has matured: rows × outputs values, row-major. */
export type MaturedRows = {
  task: Task;
  outputs: number;
  actual: Float64Array;
  predicted: Float64Array;
  /** By sliced column. */
  groups: Readonly<Record<string, Groups>>;
};

/** How the model does on matured truth; plain JSON. */
export type Performance = {
  /** False where too few rows have matured: then the rest is empty and `text` says so. */
  known: boolean;
  maturedRows: number;
  text: string;
  metrics: { name: MetricName; estimate: Estimate; limit: number; met: boolean }[];
  /** Against the errors on the frozen test set. */
  error: { name: MetricName; reference: number; analysis: Estimate; relativeRise: number; significant: boolean } | null;
  /** Actual over expected of the whole portfolio: 1 is balanced. The factor that would recalibrate the model. */
  actualOverExpected: Estimate | null;
  /** Whether the errors would be as they were if the predictions were multiplied by that factor. */
  recalibrationHeals: boolean;
  /** `error` is the mean of `rowErrors`. */
  slices: { column: string; group: string; rows: number; error: number; actualOverExpected: Estimate }[];
};

/** Thrown when a declared limit cannot be measured: it must not pass unnoticed. */
export class MetricMissing extends Error {
  override name = 'MetricMissing';
}

/**
 * Judges the model on matured truth: the declared limits, the error against that of the frozen test set, and the balance. With
 * fewer matured rows than the declared volume nothing is judged. `metrics` holds the metrics that the limits name.
 */
export function calculatePerformance(
  reference: ReferenceProfile,
  matured: MaturedRows,
  policy: Pick<MonitorPolicy, 'minVolume' | 'performance' | 'drift'>,
  { metrics, seed }: { metrics: { readonly [name in MetricName]?: Metric }; seed: number },
): Performance {
  const { actual, predicted, outputs } = matured;
  const rows = actual.length / outputs;
  if (rows < policy.minVolume) return unknownPerformance(rows, policy.minVolume);

  const limits = metricNames.flatMap((name) => {
    const limit = policy.performance[name];
    if (!limit) return [];
    const metric = metrics[name];
    if (metric) return [{ name, metric, ...limit }];
    throw new MetricMissing(`monitor.performance.${name} is declared and the monitor was not given that metric.`);
  });
  const wanted: Record<string, Metric> = {
    error: meanError(matured),
    ...Object.fromEntries(limits.map(({ name, metric }) => [name, metric])),
  };
  const estimates = bootstrap(wanted, actual, predicted, { seed, outputs });
  const errors = compareErrors(reference, matured, 1);
  const ratio = balance(actual, predicted);
  return {
    known: true,
    maturedRows: rows,
    text: `The truth of ${say(rows)} predictions is known: ${sayMetric(rowLoss[matured.task])} ${sayEstimate(estimates.error)}.`,
    metrics: limits.map(({ name, min, max }) => {
      const { value } = estimates[name];
      const met = value >= (min ?? -Infinity) && value <= (max ?? Infinity);
      return { name, estimate: estimates[name], limit: min ?? max ?? NaN, met };
    }),
    error: {
      name: rowLoss[matured.task],
      reference: reference.errors.mean,
      analysis: estimates.error,
      relativeRise: errors.relativeRise,
      significant: errors.pValue <= policy.drift.falseDiscoveryRate,
    },
    actualOverExpected: ratio,
    recalibrationHeals: compareErrors(reference, matured, ratio.value).relativeRise <= standardLimits.errorRise,
    slices: sliceErrors(matured),
  };
}

function unknownPerformance(maturedRows: number, needed: number): Performance {
  return {
    known: false,
    maturedRows,
    text:
      `The truth of ${say(maturedRows)} predictions is known and ${say(needed)} are needed: ` +
      'how well the model does is not known, only whether inputs and predictions have moved.',
    metrics: [],
    error: null,
    actualOverExpected: null,
    recalibrationHeals: false,
    slices: [],
  };
}

/** The mean of the rows' errors, which are worked out once for all resamples. */
function meanError(matured: MaturedRows): Metric {
  const over = (truth: Float64Array, prediction: Float64Array) => {
    const errors = errorsOf(matured, truth, prediction);
    return (weight?: Float64Array) => weightedMean(errors, weight);
  };
  return Object.assign((...[truth, prediction, weight]: Parameters<Metric>) => over(truth, prediction)(weight), {
    over,
  });
}

const errorsOf = ({ task, outputs }: MaturedRows, actual: Float64Array, predicted: Float64Array): Float64Array =>
  rowErrors(task, outputs, actual, predicted);

/**
 * Errors after a factor for all predictions. Of amounts it is the truth that is divided: in the model's own scale inflation alone
 * is no larger error. Of probabilities it is the prediction that is multiplied.
 */
function compareErrors(reference: ReferenceProfile, matured: MaturedRows, factor: number) {
  const { task, actual, predicted } = matured;
  const errors = moments(
    task === 'binary'
      ? errorsOf(
          matured,
          actual,
          predicted.map((p) => Math.min(1, p * factor)),
        )
      : errorsOf(
          matured,
          actual.map((truth) => truth / factor),
          predicted,
        ),
  );
  const relativeRise = errors.mean / reference.errors.mean - 1;
  return { relativeRise, pValue: zTest(reference.errors, errors).pValue };
}

function sliceErrors(matured: MaturedRows): Performance['slices'] {
  const { actual, predicted, outputs, groups } = matured;
  const [total, expected] = [actual, predicted].map((values) => sumsOfRows(values, outputs));
  const errors = errorsOf(matured, actual, predicted);
  return Object.entries(groups).flatMap(([column, { names, codes }]) =>
    actualOverExpected(total, expected, { names, codes })
      .filter(({ rows }) => rows >= standardLimits.minGroupRows)
      .map(({ group, rows, actualOverExpected: ratio }) => {
        const inGroup = Float64Array.from(codes, (code) => (names[code] === group ? 1 : 0));
        return { column, group, rows, error: weightedMean(errors, inGroup), actualOverExpected: ratio };
      }),
  );
}

function sumsOfRows(values: Float64Array, outputs: number): Float64Array {
  if (outputs === 1) return values;
  const sums = new Float64Array(values.length / outputs);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / outputs)] += values[i];
  return sums;
}

/** What of it goes beyond a limit. A declared limit that only part of the interval exceeds is listed, and decides nothing. */
export function performanceFindings(performance: Performance): Finding[] {
  return [...limitFindings(performance), ...errorFinding(performance), ...imbalanceFinding(performance)];
}

function limitFindings({ metrics }: Performance): Finding[] {
  return metrics
    .filter(({ met }) => !met)
    .map(({ name, estimate, limit }) => {
      const certain = estimate.low > limit || estimate.high < limit;
      const critical = estimate.value > standardLimits.criticalFactor * limit && limit > 0;
      return finding({
        kind: 'performance-limit',
        severity: critical ? 'CRITICAL' : certain ? 'HIGH' : 'MEDIUM',
        subject: name,
        value: estimate.value,
        limit,
        text: `${startWithMetric(name)} is ${sayEstimate(estimate)}, the limit is ${say(limit)}${certain ? '' : ' and lies inside the interval'}.`,
      });
    });
}

function errorFinding({ error }: Performance): Finding[] {
  if (!error?.significant || !(error.relativeRise > standardLimits.errorRise)) return [];
  return [
    finding({
      kind: 'performance-worse',
      severity: 'HIGH',
      subject: error.name,
      value: error.relativeRise,
      limit: standardLimits.errorRise,
      text:
        `The ${sayMetric(error.name)} is ${sayEstimate(error.analysis)}, ${sayShare(error.relativeRise)} more than the ` +
        `${say(error.reference)} of the frozen test set.`,
    }),
  ];
}

function imbalanceFinding({ actualOverExpected: ratio }: Performance): Finding[] {
  const limit = standardLimits.imbalance;
  if (!ratio || !(Math.abs(ratio.value - 1) > limit && (ratio.low > 1 || ratio.high < 1))) return [];
  return [
    finding({
      kind: 'imbalance',
      severity: 'HIGH',
      subject: 'actual over expected',
      value: ratio.value,
      limit: 1 + Math.sign(ratio.value - 1) * limit,
      text: `Actual over expected is ${sayEstimate(ratio)}.`,
    }),
  ];
}
