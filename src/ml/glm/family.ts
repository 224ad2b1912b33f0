import { ArgumentError } from '../ensure.ts';
import { tweediePower, unitDeviance, type DevianceFamily } from '../metrics/deviance.ts';
import { exp } from '../exponential.ts';

/** What the label is distributed as; each with its customary link: log, for `binomial` logit, for `normal` identity. */
export type GlmFamily = DevianceFamily | 'binomial';

export type Link = 'log' | 'logit' | 'identity';

/** What IRLS needs to know of a family (McCullagh and Nelder, "Generalized Linear Models", 1989, ch. 2). */
export type FamilyFunctions = {
  link: Link;
  /** Variance of one observation at this mean, up to the dispersion. */
  variance: (mean: number) => number;
  unitDeviance: (actual: number, mean: number) => number;
  /** True where the label can come from the family. */
  accepts: (actual: number) => boolean;
  /** What `accepts` asks for, in words. */
  range: string;
  /** Poisson and binomial have dispersion 1 by definition; the others estimate it. */
  hasFixedDispersion: boolean;
  /** A mean inside the family's range near the observation, to start from. */
  start: (actual: number, overallMean: number) => number;
};

/** The functions of a family. */
export function familyFunctions(family: GlmFamily): FamilyFunctions {
  if (family === 'binomial') return binomial;
  const power = tweediePower(family);
  return {
    link: power === 0 ? 'identity' : 'log',
    variance: power === 0 ? () => 1 : (mean) => mean ** power,
    unitDeviance: unitDeviance(family),
    accepts: power === 0 ? Number.isFinite : power === 2 ? (y) => y > 0 : (y) => y >= 0,
    range: power === 0 ? 'finite numbers' : power === 2 ? 'numbers > 0' : 'numbers ≥ 0',
    hasFixedDispersion: power === 1,
    start: power === 0 ? (y) => y : (y, overallMean) => (y + overallMean) / 2,
  };
}

const binomial: FamilyFunctions = {
  link: 'logit',
  variance: (mean) => mean * (1 - mean),
  unitDeviance: (y, mean) =>
    2 * ((y > 0 ? y * Math.log(y / mean) : 0) + (y < 1 ? (1 - y) * Math.log((1 - y) / (1 - mean)) : 0)),
  accepts: (y) => y >= 0 && y <= 1,
  range: 'numbers from 0 to 1',
  hasFixedDispersion: true,
  start: (y) => (y + 0.5) / 2,
};

/** η = g(mean). */
export function linkOf(link: Link, mean: number): number {
  if (link === 'log') return Math.log(mean);
  if (link === 'logit') return Math.log(mean / (1 - mean));
  return mean;
}

/** mean = g⁻¹(η). */
export function inverseLink(link: Link, eta: number): number {
  if (link === 'log') return exp(eta);
  if (link === 'logit') return eta >= 0 ? 1 / (1 + exp(-eta)) : exp(eta) / (1 + exp(eta));
  return eta;
}

/** d mean / d η at this mean. */
export function meanSlope(link: Link, mean: number): number {
  if (link === 'log') return mean;
  if (link === 'logit') return mean * (1 - mean);
  return 1;
}

/** Asserts labels that the family can produce; the error names the row, never the value. */
export function ensureLabels(family: GlmFamily, label: Float64Array): void {
  const { accepts, range } = familyFunctions(family);
  const bad = label.findIndex((value) => !accepts(value));
  if (bad < 0) return;
  const name = typeof family === 'string' ? family : `Tweedie (p = ${family.tweedie})`;
  throw new ArgumentError(`A ${name} label must be ${range}; row ${bad} is not. Choose a family that fits the label.`);
}
