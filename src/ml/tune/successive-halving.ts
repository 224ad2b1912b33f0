import { ArgumentError, ensureWhole } from '../ensure.ts';
import { type Candidate, rankTrials, type TrialResult } from './search.ts';

/** One round: how many candidates run, and how much of the resource (trees, rows) each of them gets. */
export type Rung = { rung: number; candidates: number; resource: number };

/**
 * Plans successive halving (Jamieson and Talwalkar, AISTATS 2016): many candidates on little resource first, the best
 * 1 / `eta` of them go on with `eta` times as much, until the last rung runs on `maxResource`.
 *
 * The last rung keeps at least one candidate; where `candidates` are too few to thin out all the way from `minResource`,
 * the first rung starts higher up rather than end below the full resource.
 */
export function planRungs(options: {
  candidates: number;
  minResource: number;
  maxResource: number;
  /** @default 3 */
  eta?: number;
}): Rung[] {
  const { candidates, minResource, maxResource, eta = 3 } = options;
  ensureWhole('The number of candidates', candidates, 1);
  ensureWhole('minResource', minResource, 1);
  ensureWhole('eta', eta, 2);
  if (!(Number.isInteger(maxResource) && maxResource >= minResource)) {
    throw new ArgumentError(`maxResource must be a whole number of at least ${minResource}, it is ${maxResource}.`);
  }
  const halvings = Math.min(wholePowers(candidates, eta), wholePowers(maxResource / minResource, eta));
  return Array.from({ length: halvings + 1 }, (_, rung) => ({
    rung,
    candidates: Math.floor(candidates / eta ** rung),
    resource: Math.floor(maxResource / eta ** (halvings - rung)),
  }));
}

/** The trials that go on to the next rung, best first. */
export function survivors(results: readonly TrialResult[], next: Rung, better: 'higher' | 'lower'): number[] {
  return rankTrials(results, better)
    .slice(0, next.candidates)
    .map(({ trial }) => trial);
}

/** A candidate as one rung runs it: its parameters with the resource filled in. */
export type RungCandidate = Candidate & { rung: number };

/** What a trial came to in one rung. */
export type RungResult = TrialResult & { rung: number };

/**
 * What is to be run next, from the results so far in any order: the candidates of the first rung that is not complete, less
 * those that have run, with `resource` (`iterations`, `trees`) set to what the rung allows. So each can be one iteration of a
 * Map, and a search that broke off goes on with what is missing. Once the last rung is complete it is the winner's trial.
 */
export function nextRung(
  plan: { candidates: readonly Candidate[]; rungs: readonly Rung[]; resource: string; better: 'higher' | 'lower' },
  results: readonly RungResult[],
): { run: RungCandidate[] } | { winner: number } {
  const { candidates, rungs, resource, better } = plan;
  let running = candidates.map(({ trial }) => trial);
  for (const rung of rungs) {
    const ranked = results.filter((result) => result.rung === rung.rung && running.includes(result.trial));
    const missing = running.filter((trial) => !ranked.some((result) => result.trial === trial));
    if (missing.length > 0) {
      const run = candidates
        .filter(({ trial }) => missing.includes(trial))
        .map(({ trial, parameters }) => ({
          trial,
          rung: rung.rung,
          parameters: { ...parameters, [resource]: rung.resource },
        }));
      return { run };
    }
    const next = rungs[rung.rung + 1];
    if (!next) return { winner: rankTrials(ranked, better)[0].trial };
    running = survivors(ranked, next, better);
  }
  throw new ArgumentError('Successive halving needs at least one rung.');
}

/** How often `ratio` can be divided by `base` and stay ≥ 1, free of rounding in the logarithm. */
function wholePowers(ratio: number, base: number): number {
  let powers = 0;
  for (let reached = base; reached <= ratio; reached *= base) powers++;
  return powers;
}
