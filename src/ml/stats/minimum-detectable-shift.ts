import { criticalValue, normalQuantile } from '../metrics/normal.ts';

/**
 * The smallest shift of the mean, in standard deviations, that a two-sided test at `significance` notices with chance `power`
 * in samples of n and m: (z₁₋α⸝₂ + z_power) √(1/n + 1/m). What an all-green report could have overlooked is anything below it.
 * For a share p one standard deviation is √(p(1 − p)).
 */
export function minimumDetectableShift(
  referenceCount: number,
  currentCount: number,
  { significance, power }: { significance: number; power: number },
): number {
  const z = criticalValue(1 - significance) + normalQuantile(power);
  return z * Math.sqrt(1 / referenceCount + 1 / currentCount);
}
