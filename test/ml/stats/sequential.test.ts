import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { random, type Random } from '../../../src/ml/random.ts';
import { followDrift, followPValues } from '../../../src/ml/stats/drift-e-process.ts';
import { criticalT, logEvalueOfP, logMeanEvalue } from '../../../src/ml/stats/e-value.ts';
import { mergeMoments, moments, type Moments } from '../../../src/ml/stats/moments.ts';
import { sequentialMean, sequentialMeans } from '../../../src/ml/stats/sequential-means.ts';
import { type ShareLook, sequentialShares } from '../../../src/ml/stats/sequential-shares.ts';
import { zTest } from '../../../src/ml/stats/z-test.ts';

type MeanCase = { t: number; degreesOfFreedom: number; effectiveRows: number; effectSd: number; logEvalue: number };
type Counts = [successes: number, trials: number];
const expected = JSON.parse(
  readFileSync(new URL('../../fixtures/sequential/expected.json', import.meta.url), 'utf8'),
) as {
  means: MeanCase[];
  shares: { effectLogOdds: number; looks: [Counts, Counts][]; logEvalues: number[] }[];
  calibrator: { p: number; evalue: number }[];
};

const normals = (draw: Random, count: number, mean = 0, sd = 1) =>
  Float64Array.from({ length: count }, () => draw.normal(mean, sd));
/** Moments of so many normal rows without drawing the rows: mean and variance are independent, the latter a gamma variable. */
const sample = (draw: Random, count: number, mean = 0, sd = 1): Moments => ({
  count,
  mean: draw.normal(mean, sd / Math.sqrt(count)),
  sd: sd * Math.sqrt(draw.gamma((count - 1) / 2, 2 / (count - 1))),
});
const shareOf = (runs: number, happens: (run: number) => boolean) =>
  Array.from({ length: runs }, (_, run) => happens(run)).filter(Boolean).length / runs;

describe('the e-value of a mean', () => {
  test.each(expected.means)('of t $t on $degreesOfFreedom degrees is the ratio of integrated densities', (known) => {
    expect(logMeanEvalue(known, known.effectSd)).toBeCloseTo(known.logEvalue, 9);
  });

  test('reaches 1 / α exactly at the critical t', () => {
    for (const { effectSd, ...rows } of expected.means.filter(({ effectiveRows }) => effectiveRows > 12)) {
      const t = criticalT(rows, effectSd, 0.05);
      expect(logMeanEvalue({ ...rows, t }, effectSd)).toBeCloseTo(Math.log(20), 9);
    }
  });

  test('never reaches it where rows are too few, however large t is', () => {
    const few = { degreesOfFreedom: 3, effectiveRows: 5 };
    expect(criticalT(few, 0.5, 0.05)).toBe(Infinity);
    expect(logMeanEvalue({ ...few, t: Infinity }, 0.5)).toBeLessThan(Math.log(20));
  });

  test('of one row is no evidence', () => {
    expect(logMeanEvalue({ t: 9, degreesOfFreedom: 0, effectiveRows: 1 }, 1)).toBe(0);
  });
});

describe('the e-value of a p-value', () => {
  test.each(expected.calibrator)('of $p is the integral of its calibrators', ({ p, evalue }) => {
    expect(Math.abs(Math.exp(logEvalueOfP(p)) / evalue - 1)).toBeLessThan(1e-9);
  });

  test('is on average 1 where p is uniform', () => {
    // ∫ e(p) dp on a fine grid in ln p, which is where e is large
    let sum = 0;
    const step = 1e-3;
    for (let i = 0; i < 700_000; i++) {
      const x = (i + 0.5) * step - 700;
      sum += Math.exp(logEvalueOfP(Math.exp(x)) + x) * step;
    }
    // what lies below e⁻⁷⁰⁰ is 1 / 700
    expect(Math.abs(sum + 1 / 700 - 1)).toBeLessThan(1e-4);
  });
});

describe('the e-value of shares', () => {
  test.each(expected.shares)('at effect $effectLogOdds is the mixture of noncentral hypergeometric ratios', (known) => {
    const looks = known.looks.map(([[successes, trials], [s, t]]): ShareLook => {
      return { reference: { successes, trials }, current: { successes: s, trials: t } };
    });
    const results = sequentialShares(looks, { effectLogOdds: known.effectLogOdds, significance: 0.05 });
    results.forEach(({ logEvalue }, i) => expect(logEvalue).toBeCloseTo(known.logEvalues[i], 8));
  });

  test('is on average exactly 1 over all outcomes of two looks, whatever the share and however it changes', () => {
    const choose = [1, 3, 3, 1]; // of 3
    const chance = (k: number, p: number) => choose[k] * p ** k * (1 - p) ** (3 - k);
    for (const [first, second] of [
      [0.1, 0.1],
      [0.5, 0.9],
    ]) {
      let mean = 0;
      for (let outcome = 0; outcome < 256; outcome++) {
        const [a, b, c, d] = [0, 2, 4, 6].map((bits) => (outcome >> bits) & 3);
        const looks = [
          { reference: { successes: a, trials: 3 }, current: { successes: b, trials: 3 } },
          { reference: { successes: c, trials: 3 }, current: { successes: d, trials: 3 } },
        ];
        const { logEvalue } = sequentialShares(looks, { effectLogOdds: 1, significance: 0.05 })[1];
        mean += chance(a, first) * chance(b, first) * chance(c, second) * chance(d, second) * Math.exp(logEvalue);
      }
      expect(mean).toBeCloseTo(1, 12);
    }
  });

  test('half a count is refused', () => {
    const look = { reference: { successes: 0.5, trials: 3 }, current: { successes: 1, trials: 3 } };
    expect(() => sequentialShares([look], { effectLogOdds: 1, significance: 0.05 })).toThrow('whole counts');
  });
});

describe('twelve monthly looks at champion and challenger who do not differ', () => {
  /** New rows of each month, 100 of either. */
  const months = (draw: Random, count: number, gain = 0) =>
    Array.from({ length: count }, () => ({
      reference: sample(draw, 100),
      current: sample(draw, 100, gain),
    }));
  const everSignificantAtFixedLevel = (looks: ReturnType<typeof months>) => {
    let [was, is]: Moments[] = [moments(new Float64Array()), moments(new Float64Array())];
    return looks.some(({ reference, current }) => {
      was = mergeMoments(was, reference);
      is = mergeMoments(is, current);
      return zTest(was, is).pValue <= 0.05;
    });
  };
  const options = { effectSd: 0.1, significance: 0.05 };
  const runs = 3_000;

  test.each([
    [5, 0.142],
    [10, 0.193],
    [20, 0.248],
  ])('%d looks at a fixed level err in a share of %d: the table of Armitage, McPherson and Rowe', () => {
    const draw = random('a year of looks');
    const years = Array.from({ length: runs }, () => months(draw, 12));
    const peeking = shareOf(runs, (run) => everSignificantAtFixedLevel(years[run]));
    expect(Math.abs(peeking - 0.21)).toBeLessThan(0.02);
    console.log(
      peeking,
      shareOf(runs, (run) => sequentialMeans(years[run], options)[11].significant),
    );
    const anytime = shareOf(runs, (run) => sequentialMeans(years[run], options)[11].significant);
    expect(anytime).toBeLessThanOrEqual(0.05);
  });

  test('the intervals of all looks together hold the true difference in at least 95 % of the years', () => {
    const draw = random('sequence');
    const held = shareOf(600, () =>
      sequentialMeans(months(draw, 12, 0.2), options).every(
        ({ difference: { low, high } }) => low <= 0.2 && 0.2 <= high,
      ),
    );
    expect(held).toBeGreaterThanOrEqual(0.95);
  });

  test('a difference that is there is found within the year, and stays found', () => {
    const draw = random('better');
    const found = shareOf(300, () => {
      const looks = sequentialMeans(months(draw, 12, 0.2), options);
      const first = looks.findIndex(({ significant }) => significant);
      return first >= 0 && looks.slice(first).every(({ significant }) => significant);
    });
    expect(found).toBeGreaterThan(0.9);
  });

  test('pairs err no more often either, with skewed losses', () => {
    const draw = random('pairs');
    const errors = shareOf(600, () => {
      const looks = Array.from({ length: 12 }, () => {
        return moments(Float64Array.from({ length: 100 }, () => draw.gamma(2) - draw.gamma(2)));
      });
      return sequentialMean(looks, options)[11].significant;
    });
    expect(errors).toBeLessThanOrEqual(0.05);
  });

  test('shares err in at most 5 % too, though the share itself wanders, where a fixed 5 % errs in a fifth', () => {
    const draw = random('shares');
    const binomial = (p: number, trials: number) => {
      let successes = 0;
      for (let i = 0; i < trials; i++) if (draw.uniform() < p) successes++;
      return { successes, trials };
    };
    let peeking = 0;
    let anytime = 0;
    for (let run = 0; run < 200; run++) {
      const looks = Array.from({ length: 12 }, (_, month): ShareLook => {
        const p = 0.05 + 0.02 * month;
        return { reference: binomial(p, 100), current: binomial(p, 100) };
      });
      if (sequentialShares(looks, { effectLogOdds: 0.3, significance: 0.05 })[11].significant) anytime++;
      let [was, is] = [0, 0];
      const errs = looks.map(({ reference, current }, month) => {
        was += reference.successes;
        is += current.successes;
        const trials = 100 * (month + 1);
        const pooled = (was + is) / (2 * trials);
        return Math.abs(is - was) / Math.sqrt(2 * trials * pooled * (1 - pooled)) >= 1.96;
      });
      if (errs.includes(true)) peeking++;
    }
    expect(peeking / 200).toBeGreaterThan(0.14);
    expect(anytime / 200).toBeLessThanOrEqual(0.05);
  });

  test('rows that never vary are no evidence while equal, and equal samples leave p at 1', () => {
    const same = moments(Float64Array.of(3, 3, 3));
    const looks = sequentialMeans([{ reference: same, current: same }], options);
    expect(looks[0].logEvalue).toBeLessThan(0);
    expect(looks[0].pValue).toBe(1);
  });
});

describe('a column followed for twelve months', () => {
  const options = { effectSd: 0.3, significance: 0.05 };
  const followed = (draw: Random, movedFrom: number, by: number) => {
    const reference = sample(draw, 400, 50, 10);
    const months = Array.from({ length: 12 }, (_, month) => sample(draw, 100, 50 + (month >= movedFrom ? by : 0), 10));
    return { reference, months };
  };

  test('errs in 46 % of the years at 5 % a month with a fresh reference, and in at most 5 % by e-process with one that all share', () => {
    const draw = random('months');
    const monthly = shareOf(500, () =>
      Array.from({ length: 12 }, () => zTest(sample(draw, 100), sample(draw, 100))).some(
        ({ pValue }) => pValue <= 0.05,
      ),
    );
    expect(Math.abs(monthly - 0.46)).toBeLessThan(0.07);
    const anytime = shareOf(800, () => {
      const { reference, months } = followed(draw, 12, 0);
      return followDrift(reference, months, options)[11].significant;
    });
    expect(anytime).toBeLessThanOrEqual(0.05);
  });

  test('is called soon after it has moved, and the month is told', () => {
    const draw = random('moved');
    let told = 0;
    for (let run = 0; run < 100; run++) {
      const { reference, months } = followed(draw, 6, 6);
      const looks = followDrift(reference, months, options);
      const first = looks.findIndex(({ significant }) => significant);
      if (first >= 6 && first <= 7 && Math.abs(looks[11].since - 6) <= 1) told++;
    }
    expect(told).toBeGreaterThanOrEqual(90);
  });

  test('a month without rows changes nothing but the chances of the months to come', () => {
    const draw = random('gap');
    const { reference, months } = followed(draw, 0, 8);
    const none = moments(new Float64Array());
    const [withGap] = followDrift(reference, [months[0], none], options).slice(-1);
    const [without] = followDrift(reference, [months[0]], options);
    expect(withGap.since).toBe(0);
    expect(withGap.pValue).toBe(without.pValue);
  });

  test('p-values of any test may be followed, valid however they depend on one another', () => {
    const draw = random('p-values');
    // the worst dependence: every month repeats the first
    const errors = shareOf(4_000, () => {
      const p = draw.uniform();
      return followPValues(Array.from({ length: 12 }, () => p))[11] <= 0.05;
    });
    expect(errors).toBeLessThanOrEqual(0.05);
    expect(followPValues([0.5, 1e-6, 0.5]).at(-1)).toBeLessThan(0.01);
  });
});

test('moments of two parts are those of the whole, empty and single rows included', () => {
  const draw = random('merge');
  const values = normals(draw, 50, 1e6, 3);
  for (const cut of [0, 1, 20, 49, 50]) {
    const merged = mergeMoments(moments(values.subarray(0, cut)), moments(values.subarray(cut)));
    const whole = moments(values);
    expect(merged.count).toBe(50);
    expect(merged.mean).toBeCloseTo(whole.mean, 6);
    expect(merged.sd).toBeCloseTo(whole.sd, 8);
  }
});
