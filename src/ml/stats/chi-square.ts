import type { StatisticDescriptor } from './descriptor.ts';
import { chiSquareTail } from './special.ts';

export const chiSquareDescriptor: StatisticDescriptor = {
  name: 'chiSquare',
  title: 'χ² test of homogeneity',
  direction: 'higher',
  range: [0, Infinity],
  unit: 'none',
};

/** Below so many expected rows the χ² approximation is not to be trusted (Cochran, 1954). */
const smallestExpected = 5;

/**
 * Pearson's χ² test that two counts over the same levels come from one distribution. Levels that nobody has are left out, and
 * those of which fewer than five rows are expected on either side are counted together. With less than two levels left there is
 * nothing to compare: p is 1.
 */
export function chiSquare(
  reference: readonly number[],
  current: readonly number[],
): { statistic: number; degreesOfFreedom: number; pValue: number } {
  const [was, is] = poolRare(reference, current);
  const referenceTotal = sum(was);
  const currentTotal = sum(is);
  const degreesOfFreedom = was.length - 1;
  if (degreesOfFreedom < 1 || referenceTotal === 0 || currentTotal === 0) {
    return { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
  }

  let statistic = 0;
  for (let level = 0; level < was.length; level++) {
    const share = (was[level] + is[level]) / (referenceTotal + currentTotal);
    statistic += (was[level] - share * referenceTotal) ** 2 / (share * referenceTotal);
    statistic += (is[level] - share * currentTotal) ** 2 / (share * currentTotal);
  }
  return { statistic, degreesOfFreedom, pValue: chiSquareTail(statistic, degreesOfFreedom) };
}

function poolRare(reference: readonly number[], current: readonly number[]): [number[], number[]] {
  const smallerTotal = Math.min(sum(reference), sum(current));
  const pooledTotal = sum(reference) + sum(current);
  const was: number[] = [];
  const is: number[] = [];
  const rare = { was: 0, is: 0 };
  for (let level = 0; level < reference.length; level++) {
    const expected = ((reference[level] + current[level]) / pooledTotal) * smallerTotal;
    if (expected >= smallestExpected) {
      was.push(reference[level]);
      is.push(current[level]);
    } else {
      rare.was += reference[level];
      rare.is += current[level];
    }
  }
  if (rare.was + rare.is > 0) {
    was.push(rare.was);
    is.push(rare.is);
  }
  return [was, is];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
