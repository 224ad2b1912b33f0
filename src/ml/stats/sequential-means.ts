import { ensureShare } from '../ensure.ts';
import type { Estimate } from '../metrics/metric.ts';
import { criticalT, logMeanEvalue } from './e-value.ts';
import { type Moments, mergeMoments, squaresOf } from './moments.ts';

export type SequentialOptions = {
  /** The effect that matters, in standard deviations of a row; declared before the first look. */
  effectSd: number;
  /** The chance of ever calling a difference that is not there. */
  significance: number;
};

/** What is known after a look; plain JSON. */
export type SequentialLook = {
  /** Natural logarithm of the evidence that there is a difference. */
  logEvalue: number;
  /** Valid at every look: the smallest 1 / e so far. */
  pValue: number;
  /** current − reference over all rows so far; the intervals of all looks hold the truth together. */
  difference: Estimate;
  /** True from the look on at which the evidence reached 1 / `significance`. */
  significant: boolean;
};

/**
 * The anytime-valid test of one mean against 0, for pairs: per row the loss under the champion less the loss under the
 * challenger. Each look brings new rows only, as moments.
 */
export function sequentialMean(looks: readonly Moments[], options: SequentialOptions): SequentialLook[] {
  let all: Moments = noRows;
  return followed(options, looks, (look) => {
    all = mergeMoments(all, look);
    return {
      value: all.mean,
      standardError: all.sd / Math.sqrt(all.count),
      degreesOfFreedom: all.count - 1,
      effectiveRows: all.count,
    };
  });
}

/**
 * The anytime-valid test that two samples have one mean, for traffic that is split between two models. Each look brings new
 * rows of both. The variance is pooled: both samples vary alike where nothing differs.
 */
export function sequentialMeans(
  looks: readonly { reference: Moments; current: Moments }[],
  options: SequentialOptions,
): SequentialLook[] {
  let was: Moments = noRows;
  let is: Moments = noRows;
  return followed(options, looks, ({ reference, current }) => {
    was = mergeMoments(was, reference);
    is = mergeMoments(is, current);
    return twoSampleT(was, is);
  });
}

/** The difference of two means with its pooled standard error, as `logMeanEvalue` wants it. */
export type Difference = { value: number; standardError: number; degreesOfFreedom: number; effectiveRows: number };

export function twoSampleT(reference: Moments, current: Moments): Difference {
  const degreesOfFreedom = reference.count + current.count - 2;
  const effectiveRows = 1 / (1 / reference.count + 1 / current.count);
  const variance = (squaresOf(reference) + squaresOf(current)) / degreesOfFreedom;
  return {
    value: current.mean - reference.mean,
    standardError: Math.sqrt(variance / effectiveRows),
    degreesOfFreedom,
    effectiveRows,
  };
}

/** The evidence of a difference; none where both samples are constant and equal. */
export function logEvalueOf(difference: Difference, effectSd: number): number {
  const t = difference.value === 0 ? 0 : difference.value / difference.standardError;
  return logMeanEvalue({ ...difference, t }, effectSd);
}

function followed<Look>(
  { effectSd, significance }: SequentialOptions,
  looks: readonly Look[],
  differenceAfter: (look: Look) => Difference,
): SequentialLook[] {
  ensureShare('The significance', significance);
  let pValue = 1;
  return looks.map((look) => {
    const difference = differenceAfter(look);
    const logEvalue = logEvalueOf(difference, effectSd);
    pValue = Math.min(pValue, Math.exp(-logEvalue));
    const critical = criticalT(difference, effectSd, significance);
    const half = critical === Infinity ? Infinity : critical * difference.standardError;
    const { value } = difference;
    return {
      logEvalue,
      pValue,
      difference: { value, low: value - half, high: value + half },
      significant: pValue <= significance,
    };
  });
}

const noRows: Moments = { count: 0, mean: NaN, sd: NaN };
