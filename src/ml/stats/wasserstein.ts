import type { StatisticDescriptor } from './descriptor.ts';
import type { Ecdf } from './ecdf.ts';

export const wassersteinDescriptor: StatisticDescriptor = {
  name: 'wasserstein',
  title: 'Wasserstein-1 distance',
  direction: 'higher',
  range: [0, Infinity],
  unit: 'feature',
};

/**
 * How far the mass must travel on average to turn one distribution into the other, in the feature's unit: ∫ |F − G| dx
 * (Vallender, 1974). Exact where the reference is complete; between the values of a bounded one F is taken halfway.
 * NaN where either side is empty.
 */
export function wasserstein(reference: Ecdf, currentSorted: Float64Array): number {
  const { values, below, atOrBelow, count } = reference;
  const size = currentSorted.length;
  if (count === 0 || size === 0) return NaN;

  // sweep both ascending lists at once; between two neighbouring values both functions are flat
  let distance = 0;
  let i = 0;
  let j = 0;
  let left = Math.min(values[0], currentSorted[0]);
  while (i < values.length || j < size) {
    const right = Math.min(values[i] ?? Infinity, currentSorted[j] ?? Infinity);
    const reached = i === 0 ? 0 : atOrBelow[i - 1];
    const ahead = i === values.length ? count : below[i];
    distance += Math.abs((reached + ahead) / 2 / count - j / size) * (right - left);
    if (values[i] === right) i++;
    while (currentSorted[j] === right) j++;
    left = right;
  }
  return distance;
}
