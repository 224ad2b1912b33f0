import { createHash } from 'node:crypto';
import { exp } from './exponential.ts';

/**
 * One seeded stream of random numbers. Every draw advances the stream; `fork` does not, and does not depend on how far it
 * has advanced, so named streams stay the same when code elsewhere draws more or less.
 */
export type Random = {
  /** Uniform on [0, 1), with 53 random bits. */
  uniform: () => number;
  /** Uniform integer in [0, bound), without modulo bias; 1 ≤ bound ≤ 2³². */
  integer: (bound: number) => number;
  /** Normal, by default with mean 0 and standard deviation 1. */
  normal: (mean?: number, standardDeviation?: number) => number;
  /** Poisson count; mean ≥ 0. */
  poisson: (mean: number) => number;
  /** Gamma; shape and scale > 0, so the mean is shape · scale. */
  gamma: (shape: number, scale?: number) => number;
  /** Shuffles in place and returns the same array. */
  shuffle: <A extends Indexed>(array: A) => A;
  /** One item, each as likely. */
  choice: <T>(items: ArrayLike<T>) => T;
  /** One item, as likely as its weight; weights ≥ 0 with a positive sum. */
  weighted: <T>(items: ArrayLike<T>, weights: ArrayLike<number>) => T;
  /** `size` different integers of [0, population), ascending, each subset as likely. */
  sample: (population: number, size: number) => Int32Array;
  /** An independent stream with a name. The same seed and labels give the same stream. */
  fork: (label: string | number) => Random;
};

type Indexed = { readonly length: number; [index: number]: unknown };

/**
 * A seeded random stream: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021),
 * its state drawn from the SHA-256 of the seed. `random(7)` and `random('7')` are the same stream. Never for secrets.
 *
 * Uniforms and integers use integer arithmetic only, the other distributions nothing that one processor rounds otherwise than
 * another (`exponential.ts`): the same numbers on x64 and arm64.
 */
export function random(seed: number | string): Random {
  if (typeof seed === 'number' && !Number.isFinite(seed)) throw new RangeError(`A seed must be finite, it is ${seed}.`);
  return stream(String(seed));
}

function stream(key: string): Random {
  const digest = createHash('sha256').update(key).digest();
  const state = Int32Array.of(
    digest.readInt32LE(0),
    digest.readInt32LE(4),
    digest.readInt32LE(8),
    digest.readInt32LE(12) | 1, // the state must not be all zeros
  );
  const bits = () => xoshiro128(state);
  const uniform = () => ((bits() >>> 5) * 0x4000000 + (bits() >>> 6)) / 0x20000000000000;
  let spareNormal = NaN;

  function integer(bound: number): number {
    if (!(bound >= 1 && bound <= 0x100000000 && Number.isInteger(bound))) {
      throw new RangeError(`A random integer needs a whole bound from 1 to 2^32, it is ${bound}.`);
    }
    const limit = 0x100000000 - (0x100000000 % bound);
    let drawn = bits() >>> 0;
    while (drawn >= limit) drawn = bits() >>> 0;
    return drawn % bound;
  }

  // Marsaglia's polar method makes two normals at a time; the second waits for the next call.
  function standardNormal(): number {
    if (!Number.isNaN(spareNormal)) {
      const spare = spareNormal;
      spareNormal = NaN;
      return spare;
    }
    let u: number, v: number, square: number;
    do {
      u = 2 * uniform() - 1;
      v = 2 * uniform() - 1;
      square = u * u + v * v;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    spareNormal = v * factor;
    return u * factor;
  }

  function poisson(mean: number): number {
    if (!(mean >= 0 && mean < 0x80000000)) throw new RangeError(`A Poisson mean must be 0 to 2^31, it is ${mean}.`);
    return mean < 10 ? poissonByProducts(mean, uniform) : poissonByRejection(mean, uniform);
  }

  function gamma(shape: number, scale = 1): number {
    if (!(shape > 0 && scale > 0)) throw new RangeError(`Gamma needs shape and scale > 0: ${shape} and ${scale}.`);
    if (shape < 1) return gamma(shape + 1, scale) * exp(Math.log(1 - uniform()) / shape);
    return scale * gammaByCube(shape, standardNormal, uniform);
  }

  function shuffle<A extends Indexed>(array: A): A {
    for (let i = array.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      const held = array[i];
      array[i] = array[j];
      array[j] = held;
    }
    return array;
  }

  function weighted<T>(items: ArrayLike<T>, weights: ArrayLike<number>): T {
    let total = 0;
    let last = -1;
    for (let i = 0; i < items.length; i++) {
      if (!(weights[i] >= 0)) throw new RangeError(`Weight ${i} must be ≥ 0, it is ${weights[i]}.`);
      if (weights[i] > 0) last = i;
      total += weights[i];
    }
    if (last < 0) throw new RangeError('A weighted choice needs a positive weight, there is none.');
    let left = uniform() * total;
    for (let i = 0; i < last; i++) {
      left -= weights[i];
      if (left < 0) return items[i];
    }
    return items[last];
  }

  // selection sampling (Knuth, TAOCP 2, 3.4.2 S): one pass, in order
  function sample(population: number, size: number): Int32Array {
    if (!(size >= 0 && size <= population))
      throw new RangeError(`Cannot draw ${size} of ${population} without repeats.`);
    const chosen = new Int32Array(size);
    for (let i = 0, taken = 0; taken < size; i++) {
      if (uniform() * (population - i) < size - taken) chosen[taken++] = i;
    }
    return chosen;
  }

  return {
    uniform,
    integer,
    normal: (mean = 0, standardDeviation = 1) => mean + standardDeviation * standardNormal(),
    poisson,
    gamma,
    shuffle,
    choice: (items) => items[integer(items.length)],
    weighted,
    sample,
    fork: (label) => stream(`${key.length}:${key}/${label}`),
  };
}

/** The next 32 random bits, as a signed integer; advances the four words of the state. */
export function xoshiro128(state: Int32Array): number {
  const s1 = state[1];
  const scrambled = Math.imul(s1, 5);
  const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
  const a = state[2] ^ state[0];
  const b = state[3] ^ s1;
  state[1] = s1 ^ a;
  state[0] ^= b;
  state[2] = a ^ (s1 << 9);
  state[3] = (b << 11) | (b >>> 21);
  return result;
}

/** Counts how many uniforms can be multiplied before the product falls below exp(−mean) (Knuth, TAOCP 2, 3.4.1). */
function poissonByProducts(mean: number, uniform: () => number): number {
  const floor = exp(-mean);
  let count = 0;
  for (let product = uniform(); product > floor; product *= uniform()) count++;
  return count;
}

/** Transformed rejection, PTRS (Hörmann, "The transformed rejection method for generating Poisson random variables", 1993). */
function poissonByRejection(mean: number, uniform: () => number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const shortcut = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = 1 - uniform();
    const us = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= shortcut) return count;
    if (count < 0 || (us < 0.013 && v > us)) continue;
    const likelihood = count * Math.log(mean) - mean - logFactorial(count);
    if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= likelihood) return count;
  }
}

/** ln n! by Stirling's series, exact enough (1e-10) for a rejection test at every n ≥ 0. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  const x = n + 1;
  const inverseSquare = 1 / (x * x);
  const series = (1 / 12 - inverseSquare * (1 / 360 - inverseSquare * (1 / 1260 - inverseSquare / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), for shape ≥ 1. */
function gammaByCube(shape: number, normal: () => number, uniform: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const root = 1 + c * x;
    if (root <= 0) continue;
    const cube = root * root * root;
    if (Math.log(1 - uniform()) < 0.5 * x * x + d - d * cube + d * Math.log(cube)) return d * cube;
  }
}
