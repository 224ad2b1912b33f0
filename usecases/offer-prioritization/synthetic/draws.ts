import type { Random } from '../../../src/ml/random.ts';

/** Exponential with that mean. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.uniform());
}

export function beta(random: Random, a: number, b: number): number {
  const x = random.gamma(a);
  return x / (x + random.gamma(b));
}

/** How many records a person has: int(Poisson(mean) · factor), at most `most`. */
export type CountOf = { mean: number; factor: number; most: number };

export function count(random: Random, { mean, factor, most }: CountOf): number {
  return Math.min(most, Math.trunc(random.poisson(mean) * factor));
}

/**
 * The count of a stretch beside the one that `count` is about: Poisson with the expectation of `count` in proportion to its
 * length, so that people have as many records a month before and after.
 */
export function countIn(random: Random, of: CountOf, share: number): number {
  const { mean, factor, most } = of;
  let expected = 0;
  let probability = Math.exp(-mean);
  for (let n = 0; n < mean + 60; n++) {
    expected += probability * Math.min(most, Math.trunc(n * factor));
    probability *= mean / (n + 1);
  }
  return random.poisson(expected * share);
}

/**
 * A whole second of a stretch. With seasonality `amplitude`, the density follows 1 + amplitude · cos of the year's angle, highest
 * in the middle of January, by rejection.
 */
export function secondIn(random: Random, startMs: number, endMs: number, amplitude: number): number {
  const seconds = (endMs - startMs) / 1000;
  for (;;) {
    const atMs = startMs + random.integer(seconds) * 1000;
    if (amplitude === 0) return atMs;
    const angle = 2 * Math.PI * (atMs / yearMs - 15 / 365.25);
    if (random.uniform() * (1 + amplitude) < 1 + amplitude * Math.cos(angle)) return atMs;
  }
}

const yearMs = 365.25 * 86_400_000;
