import { inverseLink, linkOf } from '../glm/family.ts';
import { PROBABILITY_MARGIN } from '../metrics/probability.ts';

/** ln(p / (1 − p)), with p kept a hair away from 0 and 1. */
export function logOdds(p: number): number {
  return linkOf('logit', clipProbability(p));
}

/** 1 / (1 + exp(−x)). */
export function logistic(x: number): number {
  return inverseLink('logit', x);
}

/** The probability kept a hair away from 0 and 1, so that its logarithms are finite. */
export function clipProbability(p: number): number {
  return Math.min(1 - PROBABILITY_MARGIN, Math.max(PROBABILITY_MARGIN, p));
}
