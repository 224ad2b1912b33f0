import type { StatisticDescriptor } from './descriptor.ts';
import { chiSquareTail } from './special.ts';

export const psiDescriptor: StatisticDescriptor = {
  name: 'psi',
  title: 'Population stability index',
  direction: 'higher',
  range: [0, Infinity],
  unit: 'none',
};

/** The smallest share a bin or level is given, so that an empty one counts heavily but not infinitely. */
const smallestShare = 1e-4;

/**
 * The population stability index of two counts over the same bins or levels: Σ (current − reference) ln (current / reference)
 * of their shares (Siddiqi, "Credit Risk Scorecards", 2006). NaN where either side is empty.
 */
export function psi(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const referenceTotal = total(reference);
  const currentTotal = total(current);
  if (referenceTotal === 0 || currentTotal === 0) return NaN;
  let index = 0;
  for (let i = 0; i < reference.length; i++) {
    const was = Math.max(reference[i] / referenceTotal, smallestShare);
    const is = Math.max(current[i] / currentTotal, smallestShare);
    index += (is - was) * Math.log(is / was);
  }
  return index;
}

/**
 * What the index is on average when nothing has drifted: (bins − 1)(1/n + 1/m), because the index over (1/n + 1/m) is about χ²
 * with bins − 1 degrees of freedom (Yurdakul, "Statistical properties of population stability index", 2018). At 100 against 100
 * rows in ten bins that is 0.18, beyond the customary cut-off of 0.1.
 */
export function expectedPsi(bins: number, referenceCount: number, currentCount: number): number {
  return (bins - 1) * (1 / referenceCount + 1 / currentCount);
}

/** The chance of so large an index when nothing has drifted, by the same approximation; it needs about five rows per bin. */
export function psiPValue(index: number, bins: number, referenceCount: number, currentCount: number): number {
  return bins < 2 ? 1 : chiSquareTail(index / (1 / referenceCount + 1 / currentCount), bins - 1);
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i];
  return sum;
}
