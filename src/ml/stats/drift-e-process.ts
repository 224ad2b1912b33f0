import { ensureShare } from '../ensure.ts';
import { logEvalueOfP, logSumExp } from './e-value.ts';
import { type Moments, mergeMoments } from './moments.ts';
import { logEvalueOf, type SequentialOptions, twoSampleT } from './sequential-means.ts';

/** What is known of a drift after a look; plain JSON. */
export type DriftLook = {
  /** Natural logarithm of the evidence that the mean has moved at some look. */
  logEvalue: number;
  /** Valid at every look: the smallest 1 / e so far. */
  pValue: number;
  /** The look (0 is the first) with which a drift would most likely have begun. */
  since: number;
  /** True from the look on at which the evidence reached 1 / `significance`. */
  significant: boolean;
};

/**
 * Watches the mean of a column month by month against its reference, with one error chance for all months together. Each look
 * brings its new rows only.
 *
 * The mean may move at any month: the evidence is that of every possible first month k, weighted by 1 / (k (k + 1)), an e-detector
 * in the sense of Shin, Ramdas and Rinaldo ("E-detectors", New England Journal of Statistics in Data Science 2, 2024). For first
 * month k the months from k on are compared with the reference **and** the months before k together, so that all comparisons
 * read the same rows and the error of the reference, which all months share, is counted once. After an alarm begin anew with the
 * reference of the new model.
 */
export function followDrift(reference: Moments, looks: readonly Moments[], options: SequentialOptions): DriftLook[] {
  const { effectSd, significance } = options;
  ensureShare('The significance', significance);
  // befores[k] is the reference and everything before month k
  const befores = [reference];
  for (const look of looks) befores.push(mergeMoments(befores[befores.length - 1], look));
  let pValue = 1;
  return looks.map((_, last) => {
    const evidence = new Float64Array(last + 2);
    let after = looks[last];
    for (let first = last; first >= 0; first--) {
      if (first < last) after = mergeMoments(looks[first], after);
      const logEvalue = logEvalueOf(twoSampleT(befores[first], after), effectSd);
      evidence[first] = logEvalue - Math.log((first + 1) * (first + 2));
    }
    // first months that are still to come count as no evidence
    evidence[last + 1] = -Math.log(last + 2);

    const logEvalue = logSumExp(evidence);
    pValue = Math.min(pValue, Math.exp(-logEvalue));
    const begun = evidence.subarray(0, last + 1);
    return { logEvalue, pValue, since: begun.indexOf(Math.max(...begun)), significant: pValue <= significance };
  });
}

/**
 * The same for tests that only give a p-value per look, such as χ² of a category: the p-values are turned into e-values and
 * summed with weights 1 / (k (k + 1)). Valid however the looks depend on one another, as they do by sharing their reference; it
 * pays for that with less power. Returns the anytime-valid p-value after each look.
 */
export function followPValues(pValues: readonly number[]): number[] {
  let logSum = -Infinity;
  return pValues.map((p, k) => {
    logSum = logSumExp([logSum, logEvalueOfP(p) - Math.log((k + 1) * (k + 2))]);
    return Math.min(1, Math.exp(-logSum));
  });
}
