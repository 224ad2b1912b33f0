import { ArgumentError, ensureShare } from '../ensure.ts';
import type { Estimate } from './metric.ts';
import { criticalValue } from './normal.ts';

/**
 * A share with Wilson's score interval ("Probable inference", 1927), which stays inside [0, 1] and holds its level in small
 * samples, where the textbook ± does not. `successes` may be a weighted count; without trials everything is NaN.
 */
export function proportion(successes: number, trials: number, confidence = 0.95): Estimate {
  ensureShare('The confidence', confidence);
  if (!(successes >= 0 && trials >= 0) || successes > trials * (1 + 1e-12)) {
    throw new ArgumentError(`A share needs 0 ≤ successes ≤ trials, they are ${successes} and ${trials}.`);
  }
  if (trials === 0) return { value: NaN, low: NaN, high: NaN };
  const share = Math.min(1, successes / trials);
  const z = criticalValue(confidence);
  const shrink = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
