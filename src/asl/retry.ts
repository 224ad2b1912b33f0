import { matchesError } from './errors.ts';
import type { StateFailure } from './errors.ts';

/** One retrier, defaults filled in. */
export type Retrier = {
  errorEquals: readonly string[];
  intervalSeconds: number;
  maxAttempts: number;
  backoffRate: number;
  maxDelaySeconds: number | undefined;
  jitter: 'NONE' | 'FULL';
};

/**
 * Counts the retries of one state, each retrier on its own: the first retrier that matches decides, and once it has
 * used up its attempts the failure stands, whatever later retriers say.
 */
export class Retries {
  readonly #retriers: readonly Retrier[];
  readonly #used: number[];
  readonly #random: () => number;

  /** `random` gives numbers in [0, 1); it is asked only under JitterStrategy FULL. */
  constructor(retriers: readonly Retrier[], random: () => number) {
    this.#retriers = retriers;
    this.#used = retriers.map(() => 0);
    this.#random = random;
  }

  /** The seconds to wait before the next attempt, or undefined where there is none. */
  next(failure: StateFailure): number | undefined {
    const index = this.#retriers.findIndex(({ errorEquals }) => matchesError(errorEquals, failure));
    if (index < 0 || this.#used[index] >= this.#retriers[index].maxAttempts) return undefined;
    const seconds = retryDelaySeconds(this.#retriers[index], this.#used[index]);
    this.#used[index] += 1;
    return this.#retriers[index].jitter === 'FULL' ? seconds * this.#random() : seconds;
  }
}

/**
 * The wait before retry number `retry` (0 is the first): IntervalSeconds × BackoffRate ^ retry, at most MaxDelaySeconds,
 * before jitter. FULL jitter then draws uniformly between 0 and that.
 */
export function retryDelaySeconds(
  retrier: Omit<Retrier, 'jitter' | 'errorEquals' | 'maxAttempts'>,
  retry: number,
): number {
  const backedOff = retrier.intervalSeconds * retrier.backoffRate ** retry;
  return Math.min(backedOff, retrier.maxDelaySeconds ?? Number.POSITIVE_INFINITY);
}
