import { say, sayEstimate, sayShare, startWithMetric } from '../governance/text.ts';
import { actualOverExpected, balance, type Groups } from '../ml/metrics/actual-expected.ts';
import { bootstrap } from '../ml/metrics/bootstrap.ts';
import type { Estimate, Metric } from '../ml/metrics/metric.ts';
import { mae } from '../ml/metrics/regression.ts';
import { moments } from '../ml/stats/moments.ts';
import { zTest } from '../ml/stats/z-test.ts';
import { metricNames, type MetricName } from '../usecase/metrics.ts';
import { type MonitorPolicy, standardLimits } from './limits.ts';
import type { ReferenceProfile } from './reference.ts';
import { type Finding, finding } from './severity.ts';

/** Predictions whose truth has matured, row by row. */
export type MaturedRows = {
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
  error: { reference: number; analysis: Estimate; relativeRise: number; significant: boolean } | null;
  /** Actual over expected of the whole portfolio: 1 is balanced. The factor that would recalibrate the model. */
  actualOverExpected: Estimate | null;
  /** Whether the errors would be as they were if the predictions were multiplied by that factor. */
  recalibrationHeals: boolean;
  slices: { column: string; group: string; rows: number; mae: number; actualOverExpected: Estimate }[];
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
  const { actual, predicted } = matured;
  if (actual.length < policy.minVolume) return unknownPerformance(actual.length, policy.minVolume);

  const limits = metricNames.flatMap((name) => {
    const limit = policy.performance[name];
    if (!limit) return [];
    const metric = metrics[name];
    if (metric) return [{ name, metric, ...limit }];
    throw new MetricMissing(`monitor.performance.${name} is declared and the monitor was not given that metric.`);
  });
  const wanted: Record<string, Metric> = {
    mae,
    ...Object.fromEntries(limits.map(({ name, metric }) => [name, metric])),
  };
  const estimates = bootstrap(wanted, actual, predicted, { seed });
  const errors = compareErrors(reference, matured, 1);
  const ratio = balance(actual, predicted);
  return {
    known: true,
    maturedRows: actual.length,
    text: `The truth of ${say(actual.length)} predictions is known: mean absolute error ${sayEstimate(estimates.mae)}.`,
    metrics: limits.map(({ name, min, max }) => {
      const { value } = estimates[name];
      const met = value >= (min ?? -Infinity) && value <= (max ?? Infinity);
      return { name, estimate: estimates[name], limit: min ?? max ?? NaN, met };
    }),
    error: {
      reference: reference.absoluteErrors.mean,
      analysis: estimates.mae,
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

/** Errors in the model's own scale: the truth is divided by the factor, so that inflation alone is no larger error. */
function compareErrors(reference: ReferenceProfile, { actual, predicted }: MaturedRows, factor: number) {
  const errors = moments(actual.map((truth, row) => Math.abs(truth / factor - predicted[row])));
  const relativeRise = errors.mean / reference.absoluteErrors.mean - 1;
  return { relativeRise, pValue: zTest(reference.absoluteErrors, errors).pValue };
}

function sliceErrors({ actual, predicted, groups }: MaturedRows): Performance['slices'] {
  return Object.entries(groups).flatMap(([column, { names, codes }]) =>
    actualOverExpected(actual, predicted, { names, codes })
      .filter(({ rows }) => rows >= standardLimits.minGroupRows)
      .map(({ group, rows, actualOverExpected: ratio }) => {
        const inGroup = Float64Array.from(codes, (code) => (names[code] === group ? 1 : 0));
        return { column, group, rows, mae: mae(actual, predicted, inGroup), actualOverExpected: ratio };
      }),
  );
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
      subject: 'mae',
      value: error.relativeRise,
      limit: standardLimits.errorRise,
      text:
        `The mean absolute error is ${sayEstimate(error.analysis)}, ${sayShare(error.relativeRise)} more than the ` +
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
