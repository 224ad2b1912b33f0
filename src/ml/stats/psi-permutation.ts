import { ensureWhole } from '../ensure.ts';
import { random } from '../random.ts';
import { psi } from './psi.ts';

/**
 * The p-value of a population stability index by permutation: how often so large an index comes about when the rows of both
 * sides are mixed and dealt out again. It holds for few rows and empty bins, where the χ² approximation of `psiPValue` fails, and is
 * never 0: (1 + as large ones) / (1 + `runs`) (Phipson and Smyth, "Permutation p-values should never be zero", 2010). Costs
 * `runs` × rows of the smaller side × bins. 1 where either side is empty.
 */
export function psiPermutationPValue(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  { seed, runs = 1000 }: { seed: number | string; runs?: number },
): number {
  ensureWhole('The number of runs', runs, 1);
  const pooled = Array.from(reference, (count, bin) => count + current[bin]);
  const [n, m] = [reference, current].map((counts) => Array.from(counts).reduce((sum, count) => sum + count, 0));
  if (n === 0 || m === 0) return 1;
  const observed = psi(reference, current);
  const { integer } = random(seed);

  let asLarge = 0;
  for (let run = 0; run < runs; run++) {
    // deal the smaller side row by row out of what is left
    const left = pooled.slice();
    const dealt = pooled.map(() => 0);
    for (let row = 0, rows = n + m; row < Math.min(n, m); row++, rows--) {
      let bin = 0;
      for (let at = integer(rows); at >= left[bin]; bin++) at -= left[bin];
      left[bin]--;
      dealt[bin]++;
    }
    // the index is the same with the sides exchanged; equal ones must survive rounding
    if (psi(left, dealt) >= observed * (1 - 1e-12)) asLarge++;
  }
  return (1 + asLarge) / (1 + runs);
}
