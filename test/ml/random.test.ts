import { describe, expect, test } from 'vitest';
import { random, xoshiro128 } from '../../src/ml/random.ts';

/** Mean and variance of many draws, with the distance that five standard errors of the mean allow. */
function moments(draw: () => number, count = 40_000): { mean: number; variance: number; fiveErrors: number } {
  const drawn = Float64Array.from({ length: count }, draw);
  const mean = drawn.reduce((sum, x) => sum + x, 0) / count;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  return { mean, variance, fiveErrors: 5 * Math.sqrt(variance / count) };
}

describe('random', () => {
  test('the generator follows the published vector of xoshiro128** from the state 1, 2, 3, 4', () => {
    // the vector of the rand_xoshiro crate, which comes from the authors' C code
    const state = Int32Array.of(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => xoshiro128(state) >>> 0)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test('one seed is one stream, and another seed is another', () => {
    const draws = (seed: number | string) => Array.from({ length: 5 }, random(seed).uniform);
    expect(draws(7)).toEqual(draws('7'));
    expect(draws(7)).not.toEqual(draws(8));
    expect(() => random(NaN)).toThrow(RangeError);
  });

  test('a fork depends on seed and labels only, not on how much has been drawn', () => {
    const fresh = random(1);
    const used = random(1);
    for (let i = 0; i < 10; i++) used.uniform();
    expect(used.fork('bagging').uniform()).toBe(fresh.fork('bagging').uniform());
    expect(fresh.fork('bagging').uniform()).not.toBe(fresh.fork('features').uniform());
    expect(fresh.fork('a').fork('b').uniform()).not.toBe(fresh.fork('a/b').uniform());
  });

  test('distributions have their textbook mean and variance', () => {
    const r = random('moments');
    const cases: [string, () => number, number, number][] = [
      ['uniform', r.uniform, 1 / 2, 1 / 12],
      ['integer', () => r.integer(10), 4.5, 8.25],
      ['normal', () => r.normal(3, 2), 3, 4],
      ['poisson by products', () => r.poisson(2.5), 2.5, 2.5],
      ['poisson by rejection', () => r.poisson(40), 40, 40],
      ['gamma below one', () => r.gamma(0.5, 2), 1, 2],
      ['gamma above one', () => r.gamma(4, 0.5), 2, 1],
    ];
    for (const [name, draw, mean, variance] of cases) {
      const seen = moments(draw);
      expect({ name, meanIsNear: Math.abs(seen.mean - mean) < seen.fiveErrors }).toEqual({ name, meanIsNear: true });
      expect(seen.variance / variance).toBeCloseTo(1, 1);
    }
    expect(r.poisson(0)).toBe(0);
  });

  test('Poisson counts from rejection have the exact probabilities', () => {
    const r = random('poisson');
    const mean = 12;
    const counts = new Float64Array(40);
    const draws = 60_000;
    for (let i = 0; i < draws; i++) counts[Math.min(39, r.poisson(mean))]++;
    let probability = Math.exp(-mean);
    let chiSquare = 0;
    for (let k = 0; k < 30; k++) {
      if (draws * probability > 20) chiSquare += (counts[k] - draws * probability) ** 2 / (draws * probability);
      probability *= mean / (k + 1);
    }
    expect(chiSquare).toBeLessThan(50); // about 23 degrees of freedom: beyond the 99.9 % point
  });

  test('a shuffle is a permutation and a sample is ascending without repeats', () => {
    const r = random(5);
    expect([...r.shuffle(Int32Array.from({ length: 50 }, (_, i) => i))].sort((a, b) => a - b)).toEqual([
      ...Array(50).keys(),
    ]);
    const hits = new Int32Array(10);
    for (let round = 0; round < 5000; round++) {
      const drawn = r.sample(10, 3);
      expect(drawn[0] < drawn[1] && drawn[1] < drawn[2]).toBe(true);
      for (const i of drawn) hits[i]++;
    }
    for (const count of hits) expect(Math.abs(count - 1500)).toBeLessThan(5 * Math.sqrt(1500 * 0.7));
  });

  test('a weighted choice follows the weights and never takes a zero', () => {
    const r = random(9);
    const counts = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 8000; i++) counts[r.weighted<'a' | 'b' | 'c'>(['a', 'b', 'c'], [1, 0, 3])]++;
    expect(counts.b).toBe(0);
    expect(Math.abs(counts.a - 2000)).toBeLessThan(5 * Math.sqrt(8000 * 0.25 * 0.75));
    expect(() => r.weighted(['a'], [0])).toThrow('positive weight');
    expect(() => r.integer(0)).toThrow('bound');
    expect(() => r.sample(3, 4)).toThrow('without repeats');
  });
});
