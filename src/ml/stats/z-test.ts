import type { StatisticDescriptor } from './descriptor.ts';
import type { Moments } from './moments.ts';
import { normalTwoSidedTail } from './special.ts';

export const zDescriptor: StatisticDescriptor = {
  name: 'z',
  title: 'z statistic of two means',
  direction: 'either',
  range: [-Infinity, Infinity],
  unit: 'none',
};

/**
 * The two-sample z test of means with unequal variances: the difference current − reference over its standard error, and the
 * two-sided p-value. Two constant samples differ either not at all (z 0, p 1) or certainly (z ±∞, p 0).
 */
export function zTest(reference: Moments, current: Moments): { z: number; pValue: number } {
  const difference = current.mean - reference.mean;
  if (difference === 0) return { z: 0, pValue: 1 };
  const standardError = Math.sqrt(reference.sd ** 2 / reference.count + current.sd ** 2 / current.count);
  const z = difference / standardError;
  return { z, pValue: Number.isNaN(z) ? NaN : normalTwoSidedTail(z) };
}
