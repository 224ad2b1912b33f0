import type { Random } from '../random.ts';
import type { Boundary, FeatureSums, Sums } from './histogram.ts';

/** The best way found to part the rows of one leaf in two. */
export type Split = {
  gain: number;
  slot: number;
  /** Numeric: the last bin that goes left. */
  bin: number;
  missingLeft: boolean;
  /** Categorical: 1 for every bin that goes left. Null for a numeric split. */
  leftBins: Uint8Array | null;
  left: Sums;
  right: Sums;
};

export type SplitRules = {
  minChildSamples: number;
  minChildWeight: number;
  lambdaL1: number;
  lambdaL2: number;
  minSplitGain: number;
  extraTrees: boolean;
  categoricalSmoothing: number;
  categoricalL2: number;
  maxCategoriesPerSplit: number;
};

/** The interval that monotone constraints leave to the values of a leaf's descendants. */
export type Bounds = { low: number; high: number };

/** The best value of a leaf: the minimum of `G·v + ½·(H + λ₂)·v² + λ₁·|v|` (Chen and Guestrin, XGBoost, 2016, eq. 5), within the bounds. */
export function leafValue(
  gradient: number,
  hessian: number,
  lambdaL1: number,
  lambdaL2: number,
  bounds: Bounds,
): number {
  const shrunk = Math.sign(gradient) * Math.max(0, Math.abs(gradient) - lambdaL1);
  const free = hessian + lambdaL2 > 0 ? -shrunk / (hessian + lambdaL2) : 0;
  return Math.min(bounds.high, Math.max(bounds.low, free));
}

/** What the loss falls by, twice, when a leaf of these sums takes a value: the term of LightGBM's and XGBoost's gain. */
function reduction(gradient: number, hessian: number, lambdaL1: number, lambdaL2: number, value: number): number {
  const shrunk = Math.sign(gradient) * Math.max(0, Math.abs(gradient) - lambdaL1);
  return -(2 * shrunk * value + (hessian + lambdaL2) * value * value);
}

/**
 * Looks through the candidate splits of one feature and returns the best that gains more than `atLeast`, or null.
 * Numeric: every boundary between occupied bins, with the missing values right and, when there are any, left. Without missing
 * values in the leaf, later ones will follow the larger side. Ties keep the first candidate, so that the result is reproducible.
 */
export function bestNumericSplit(
  sums: FeatureSums,
  slot: number,
  total: Sums,
  bounds: Bounds,
  direction: number,
  rules: SplitRules,
  atLeast: number,
  random: Random | null,
): Split | null {
  const { length, missing } = sums;
  const hasMissing = missing.count > 0;
  const last = hasMissing ? length - 1 : length - 2;
  if (last < 0) return null;
  const only = rules.extraTrees && random !== null ? random.integer(last + 1) : -1;

  const right = scan(sums, 0, last, only, total, bounds, direction, rules, atLeast);
  const left = hasMissing
    ? scan(sums, 1, length - 2, only, total, bounds, direction, rules, right === null ? atLeast : right.gain)
    : null;
  const best = left ?? right;
  if (best === null) return null;

  const boundary = { gain: best.gain, bin: sums.bin[best.position], missingLeft: left !== null };
  return splitAt(sums, slot, boundary, total);
}

/** The numeric split at a boundary that was found to be the best. */
export function splitAt(sums: FeatureSums, slot: number, { gain, bin, missingLeft }: Boundary, total: Sums): Split {
  const left: Sums = missingLeft ? { ...sums.missing } : { gradient: 0, hessian: 0, count: 0 };
  for (let i = 0; i < sums.length && sums.bin[i] <= bin; i++) addBin(left, sums, i);
  const right = difference(total, left);
  const isFollowed = sums.missing.count === 0 && left.count >= right.count;
  return { gain, slot, bin, missingLeft: missingLeft || isFollowed, leftBins: null, left, right };
}

function scan(
  sums: FeatureSums,
  missingLeft: 0 | 1,
  last: number,
  only: number,
  total: Sums,
  bounds: Bounds,
  direction: number,
  rules: SplitRules,
  atLeast: number,
): { gain: number; position: number } | null {
  const { gradient, hessian, count, missing } = sums;
  const { minChildSamples, minChildWeight, lambdaL1, lambdaL2 } = rules;
  const plain = direction === 0 && lambdaL1 === 0 && bounds.low === -Infinity && bounds.high === Infinity;
  const unsplit = reductionAtBest(total, rules, bounds);
  let leftGradient = missingLeft * missing.gradient;
  let leftHessian = missingLeft * missing.hessian;
  let leftCount = missingLeft * missing.count;
  let needed = atLeast + unsplit;
  let position = -1;

  for (let i = 0; i <= last; i++) {
    leftGradient += gradient[i];
    leftHessian += hessian[i];
    leftCount += count[i];
    if (leftCount < minChildSamples || leftHessian < minChildWeight) continue;
    const rightCount = total.count - leftCount;
    const rightHessian = total.hessian - leftHessian;
    if (rightCount < minChildSamples || rightHessian < minChildWeight) break;
    if (only >= 0 && i !== only) continue;

    const rightGradient = total.gradient - leftGradient;
    let gain: number;
    if (plain) {
      // as the kernel does it, in the same order: the products first, and quotients only where they may count
      const leftWeight = leftHessian + lambdaL2;
      const rightWeight = rightHessian + lambdaL2;
      const products = leftGradient * leftGradient * rightWeight + rightGradient * rightGradient * leftWeight;
      if (!(products > needed * (leftWeight * rightWeight))) continue;
      gain = (leftGradient * leftGradient) / leftWeight + (rightGradient * rightGradient) / rightWeight;
    } else {
      const leftValue = leafValue(leftGradient, leftHessian, lambdaL1, lambdaL2, bounds);
      const rightValue = leafValue(rightGradient, rightHessian, lambdaL1, lambdaL2, bounds);
      if (direction * (rightValue - leftValue) < 0) continue;
      gain =
        reduction(leftGradient, leftHessian, lambdaL1, lambdaL2, leftValue) +
        reduction(rightGradient, rightHessian, lambdaL1, lambdaL2, rightValue);
    }
    if (gain > needed) {
      needed = gain;
      position = i;
    }
  }
  return position < 0 ? null : { gain: needed - unsplit, position };
}

/** The fall of the loss, twice, that the best single value for all rows of a leaf brings. */
export function reductionAtBest(total: Sums, { lambdaL1, lambdaL2 }: SplitRules, bounds: Bounds): number {
  const value = leafValue(total.gradient, total.hessian, lambdaL1, lambdaL2, bounds);
  return reduction(total.gradient, total.hessian, lambdaL1, lambdaL2, value);
}

function addBin(side: Sums, sums: FeatureSums, i: number): void {
  side.gradient += sums.gradient[i];
  side.hessian += sums.hessian[i];
  side.count += sums.count[i];
}

function difference(total: Sums, part: Sums): Sums {
  return {
    gradient: total.gradient - part.gradient,
    hessian: total.hessian - part.hessian,
    count: total.count - part.count,
  };
}

/**
 * The best set of categories to send left. Sorted by gradient over hessian, the best set of all is a run from one end (Fisher,
 * "On grouping for maximum homogeneity", 1958); smoothing, an extra L2 and a limit on the set's size keep rare categories from
 * being over-fitted, as LightGBM does. Missing values, rare and unknown categories go right.
 */
export function bestCategoricalSplit(
  sums: FeatureSums,
  slot: number,
  bins: number,
  total: Sums,
  bounds: Bounds,
  rules: SplitRules,
  atLeast: number,
  random: Random | null,
): Split | null {
  const { length } = sums;
  if (length === 0) return null;
  const fewCategories = 4;
  const { lambdaL1, minChildSamples, minChildWeight, categoricalSmoothing } = rules;
  const lambdaL2 = length > fewCategories ? rules.lambdaL2 + rules.categoricalL2 : rules.lambdaL2;
  const unsplit = reductionAtBest(total, rules, bounds);
  const ascending = byRatio(sums, categoricalSmoothing);
  const longest = Math.min(rules.maxCategoriesPerSplit, sums.missing.count > 0 ? length : length - 1);
  const only = rules.extraTrees && random !== null && longest > 0 ? random.integer(longest) : -1;

  let bestGain = atLeast;
  let best: { isDescending: boolean; size: number; left: Sums } | null = null;
  const place = (i: number, isDescending: boolean) => ascending[isDescending ? length - 1 - i : i];
  for (const isDescending of [false, true]) {
    const left: Sums = { gradient: 0, hessian: 0, count: 0 };
    for (let i = 0; i < longest; i++) {
      addBin(left, sums, place(i, isDescending));
      if (left.count < minChildSamples || left.hessian < minChildWeight) continue;
      const right = difference(total, left);
      if (right.count < minChildSamples || right.hessian < minChildWeight) break;
      if (only >= 0 && i !== only) continue;
      const leftValue = leafValue(left.gradient, left.hessian, lambdaL1, lambdaL2, bounds);
      const rightValue = leafValue(right.gradient, right.hessian, lambdaL1, lambdaL2, bounds);
      const gain =
        reduction(left.gradient, left.hessian, lambdaL1, lambdaL2, leftValue) +
        reduction(right.gradient, right.hessian, lambdaL1, lambdaL2, rightValue) -
        unsplit;
      if (gain > bestGain) {
        bestGain = gain;
        best = { isDescending, size: i + 1, left: { ...left } };
      }
    }
  }
  if (best === null) return null;

  const leftBins = new Uint8Array(bins + 1);
  for (let i = 0; i < best.size; i++) leftBins[sums.bin[place(i, best.isDescending)]] = 1;
  return {
    gain: bestGain,
    slot,
    bin: -1,
    missingLeft: false,
    leftBins,
    left: best.left,
    right: difference(total, best.left),
  };
}

/** The categories' places in ascending order of gradient over smoothed hessian. They are few: insertion is quickest. */
function byRatio({ length, gradient, hessian }: FeatureSums, smoothing: number): Int32Array {
  const ratios = new Float64Array(length);
  const order = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const ratio = gradient[i] / (hessian[i] + smoothing);
    ratios[i] = ratio;
    let at = i;
    while (at > 0 && ratios[order[at - 1]] > ratio) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = i;
  }
  return order;
}
