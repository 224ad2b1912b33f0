import { ensureShare, ensureWhole } from '../ensure.ts';
import { exactProportion } from '../metrics/exact-proportion.ts';
import type { Estimate } from '../metrics/metric.ts';
import { type Random, random } from '../random.ts';

export type PowerOptions = {
  significance: number;
  seed: number | string;
  /** @default 1000 */
  runs?: number;
};

/**
 * The chance that a test rejects, by simulation: `pValueOf` draws one sample from the stream it is given and returns its
 * p-value. The interval is Clopper and Pearson's, at 95 %: what the number of runs leaves open.
 */
export function simulatedPower(
  pValueOf: (stream: Random) => number,
  { significance, seed, runs = 1000 }: PowerOptions,
): Estimate {
  ensureShare('The significance', significance);
  ensureWhole('The number of runs', runs, 1);
  const stream = random(seed);
  let rejected = 0;
  for (let run = 0; run < runs; run++) if (pValueOf(stream.fork(run)) <= significance) rejected++;
  return exactProportion(rejected, runs);
}

/**
 * The smallest shift that a test notices with chance `power`, by bisection between 0 and `upTo` to a thousandth of it; Infinity
 * where even `upTo` is noticed less often. Run k draws from the same stream at every shift, so that a larger shift is not noticed
 * less often by chance alone.
 */
export function simulatedMinimumShift(
  pValueOf: (stream: Random, shift: number) => number,
  { power, upTo, ...options }: PowerOptions & { power: number; upTo: number },
): number {
  ensureShare('The power', power);
  const isNoticed = (shift: number) => simulatedPower((stream) => pValueOf(stream, shift), options).value >= power;
  if (!isNoticed(upTo)) return Infinity;
  let low = 0;
  let high = upTo;
  while (high - low > upTo / 1000) {
    const middle = (low + high) / 2;
    if (isNoticed(middle)) high = middle;
    else low = middle;
  }
  return high;
}
