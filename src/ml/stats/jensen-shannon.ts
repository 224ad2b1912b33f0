import type { StatisticDescriptor } from './descriptor.ts';

export const jensenShannonDescriptor: StatisticDescriptor = {
  name: 'jensenShannon',
  title: 'Jensen–Shannon distance',
  direction: 'higher',
  range: [0, 1],
  unit: 'none',
};

/**
 * The Jensen–Shannon distance of two counts over the same bins or levels: the square root of the divergence in bits (Endres and
 * Schindelin, 2003), so 0 is equal and 1 is disjoint. NaN where either side is empty.
 */
export function jensenShannon(reference: readonly number[], current: readonly number[]): number {
  const referenceTotal = reference.reduce((sum, count) => sum + count, 0);
  const currentTotal = current.reduce((sum, count) => sum + count, 0);
  let divergence = 0;
  for (let i = 0; i < reference.length; i++) {
    const was = reference[i] / referenceTotal;
    const is = current[i] / currentTotal;
    const middle = (was + is) / 2;
    if (was > 0) divergence += (was / 2) * Math.log2(was / middle);
    if (is > 0) divergence += (is / 2) * Math.log2(is / middle);
  }
  return referenceTotal === 0 || currentTotal === 0 ? NaN : Math.sqrt(Math.max(divergence, 0));
}
