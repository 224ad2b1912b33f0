import { ArgumentError, ensureShare } from '../ensure.ts';
import { logSumExp } from './e-value.ts';
import { logGamma } from './special.ts';

/** So many of so many rows: claims, conversions, accepted offers. */
export type Count = { successes: number; trials: number };

/** New rows of both sides since the look before. */
export type ShareLook = { reference: Count; current: Count };

/** What is known after a look; plain JSON. */
export type SequentialShare = {
  /** Natural logarithm of the evidence that the shares differ. */
  logEvalue: number;
  /** Valid at every look: the smallest 1 / e so far. */
  pValue: number;
  /** How many times the odds of the reference the odds are, by all looks so far: the likeliest of those tried. */
  oddsRatio: number;
  /** True from the look on at which the evidence reached 1 / `significance`. */
  significant: boolean;
};

/**
 * The anytime-valid test that two shares are equal at every look, whatever they are and however they move together from look to
 * look. Given how many successes both sides have together, the successes of one side are hypergeometric when the odds are equal
 * and Fisher's noncentral hypergeometric when they are not; so the likelihood ratio of a look is an e-value that needs no
 * knowledge of the share itself, and looks multiply. The odds ratio is drawn from a log-normal distribution around 1 with
 * standard deviation `effectLogOdds`, which is declared before the first look.
 *
 * (Sequential form of the conditional test of 2 × 2 tables; compare Turner, Ly and Grünwald, "Generic E-variables for exact
 * sequential k-sample tests that allow for optional stopping", 2024.)
 */
export function sequentialShares(
  looks: readonly ShareLook[],
  { effectLogOdds, significance }: { effectLogOdds: number; significance: number },
): SequentialShare[] {
  ensureShare('The significance', significance);
  if (!(effectLogOdds > 0)) throw new ArgumentError(`effectLogOdds must be above 0, it is ${effectLogOdds}.`);
  const tried = steps.map((step) => step * effectLogOdds);
  const weight = tried.map((_, i) => -(steps[i] ** 2) / 2);
  const total = logSumExp(weight);
  // per odds ratio, its share of the mixture times the likelihood ratios of all looks so far
  const evidence = weight.map((value) => value - total);
  let pValue = 1;
  return looks.map((look) => {
    const ratios = logLikelihoodRatios(look, tried);
    for (let i = 0; i < evidence.length; i++) evidence[i] += ratios[i];
    const logEvalue = logSumExp(evidence);
    pValue = Math.min(pValue, Math.exp(-logEvalue));
    const likelihood = evidence.map((value, i) => value - weight[i]);
    const likeliest = likelihood.indexOf(Math.max(...likelihood));
    return { logEvalue, pValue, oddsRatio: Math.exp(tried[likeliest]), significant: pValue <= significance };
  });
}

/** The normal distribution on 81 points: any distribution keeps the promise, and this one costs little. */
const steps = Array.from({ length: 81 }, (_, i) => (i - 40) / 10);

/** ln P(successes of the current side | odds ratio) − ln P(the same | equal odds), given the successes of both together. */
function logLikelihoodRatios({ reference, current }: ShareLook, logOddsRatios: readonly number[]): number[] {
  for (const { successes, trials } of [reference, current]) {
    if (!(Number.isInteger(successes) && Number.isInteger(trials) && successes >= 0 && successes <= trials)) {
      throw new ArgumentError(`A look needs whole counts 0 ≤ successes ≤ trials: ${successes} of ${trials}.`);
    }
  }
  const together = reference.successes + current.successes;
  const fewest = Math.max(0, together - reference.trials);
  const most = Math.min(together, current.trials);
  const logChance = Float64Array.from(
    { length: most - fewest + 1 },
    (_, i) => logChoose(current.trials, fewest + i) + logChoose(reference.trials, together - fewest - i),
  );
  const total = logSumExp(logChance);
  // the ratio is ψ^observed / E[ψ^X] under equal odds
  return logOddsRatios.map((logOdds) => {
    const tilted = logChance.map((value, i) => value - total + logOdds * (fewest + i - current.successes));
    return -logSumExp(tilted);
  });
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
