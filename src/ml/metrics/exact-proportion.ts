import { ArgumentError, ensureShare, ensureWhole } from '../ensure.ts';
import { betaQuantile } from '../stats/beta.ts';
import type { Estimate } from './metric.ts';

/**
 * A share with the exact interval of Clopper and Pearson (Biometrika 26, 1934), which holds the truth at least as often as it
 * says, for any share and number of trials: wider than Wilson's (`proportion`), for evidence that must not err on the bold side.
 * `successes` and `trials` are whole; without trials everything is NaN.
 */
export function exactProportion(successes: number, trials: number, confidence = 0.95): Estimate {
  ensureShare('The confidence', confidence);
  ensureWhole('The number of trials', trials, 0);
  if (!(Number.isInteger(successes) && successes >= 0 && successes <= trials)) {
    throw new ArgumentError(`A share needs whole successes from 0 to ${trials}, they are ${successes}.`);
  }
  if (trials === 0) return { value: NaN, low: NaN, high: NaN };
  const tail = (1 - confidence) / 2;
  const failures = trials - successes;
  return {
    value: successes / trials,
    low: successes === 0 ? 0 : betaQuantile(successes, failures + 1, tail),
    high: failures === 0 ? 1 : betaQuantile(successes + 1, failures, 1 - tail),
  };
}
