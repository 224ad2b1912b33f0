import { exactProportion } from '../../src/ml/metrics/exact-proportion.ts';
import { normalQuantile } from '../../src/ml/metrics/normal.ts';
import { proportion } from '../../src/ml/metrics/proportion.ts';
import type { Random } from '../../src/ml/random.ts';
import { benjaminiHochberg } from '../../src/ml/stats/benjamini-hochberg.ts';
import { betaQuantile, incompleteBeta } from '../../src/ml/stats/beta.ts';
import { countBins, quantileEdges } from '../../src/ml/stats/bins.ts';
import { chiSquare } from '../../src/ml/stats/chi-square.ts';
import { ecdf } from '../../src/ml/stats/ecdf.ts';
import { logEvalueOfP } from '../../src/ml/stats/e-value.ts';
import { jensenShannon } from '../../src/ml/stats/jensen-shannon.ts';
import { kolmogorovSmirnov } from '../../src/ml/stats/kolmogorov-smirnov.ts';
import { minimumDetectableShift } from '../../src/ml/stats/minimum-detectable-shift.ts';
import { moments } from '../../src/ml/stats/moments.ts';
import { psi, psiPValue } from '../../src/ml/stats/psi.ts';
import { sequentialShares } from '../../src/ml/stats/sequential-shares.ts';
import { logGamma, upperGamma } from '../../src/ml/stats/special.ts';
import { wasserstein } from '../../src/ml/stats/wasserstein.ts';
import { zTest } from '../../src/ml/stats/z-test.ts';
import { many } from './draws.ts';
import type { Comparison } from './libraries.ts';

/** Two samples whose distributions differ a little, in one unit of any size. */
function twoSamples(stream: Random, most: number) {
  const unit = 10 ** (stream.integer(7) - 3);
  const shift = stream.uniform();
  return {
    reference: many(8 + stream.integer(most), () => unit * stream.normal()),
    current: many(5 + stream.integer(most), () => unit * stream.normal(shift, 1 + shift)),
  };
}

const sorted = (values: readonly number[]) => Float64Array.from(values).sort();

export const statistics: Comparison[] = [
  {
    name: 'kolmogorov_smirnov',
    tolerance: 1e-9,
    draw(stream) {
      const input = twoSamples(stream, stream.uniform() < 0.5 ? 80 : 600);
      const { statistic, pValue, exact } = kolmogorovSmirnov(ecdf(sorted(input.reference)), sorted(input.current));
      return { input: { ...input, exact }, ours: { statistic, pValue } };
    },
  },
  {
    name: 'wasserstein',
    tolerance: 1e-10,
    draw(stream) {
      const input = twoSamples(stream, 300);
      return { input, ours: { distance: wasserstein(ecdf(sorted(input.reference)), sorted(input.current)) } };
    },
  },
  {
    name: 'z_test',
    tolerance: 1e-9,
    draw(stream) {
      const input = twoSamples(stream, 200);
      const { z, pValue } = zTest(
        moments(Float64Array.from(input.reference)),
        moments(Float64Array.from(input.current)),
      );
      return { input, ours: { z, pValue } };
    },
  },
  {
    name: 'stability_index',
    tolerance: 1e-9,
    draw(stream) {
      const input = twoSamples(stream, 400);
      // 8, 18, 28 … rows: no decile falls on a row, where numpy's rounding of 0.7 decides on which side of it
      input.reference.splice(10 * Math.floor((input.reference.length - 8) / 10) + 8);
      const edges = quantileEdges(sorted(input.reference), 10);
      const [was, is] = [input.reference, input.current].map((values) => countBins(Float64Array.from(values), edges));
      const index = psi(was, is);
      return {
        input,
        ours: { edges, index, pValue: psiPValue(index, was.length, input.reference.length, input.current.length) },
      };
    },
  },
  {
    name: 'chi_square',
    tolerance: 1e-9,
    draw(stream) {
      const levels = 2 + stream.integer(12);
      const input = {
        reference: many(levels, () => 20 + stream.integer(500)),
        current: many(levels, () => 20 + stream.integer(500)),
      };
      const { statistic, degreesOfFreedom, pValue } = chiSquare(input.reference, input.current);
      return { input, ours: { statistic, degreesOfFreedom, pValue } };
    },
  },
  {
    name: 'jensen_shannon',
    tolerance: 1e-12,
    draw(stream) {
      const levels = 2 + stream.integer(12);
      const input = {
        reference: [1, ...many(levels, () => stream.integer(50))],
        current: [...many(levels, () => stream.integer(50)), 1],
      };
      return { input, ours: { distance: jensenShannon(input.reference, input.current) } };
    },
  },
  {
    name: 'false_discovery',
    tolerance: 1e-14,
    draw(stream) {
      const input = { pValues: many(1 + stream.integer(40), () => stream.uniform() ** 3) };
      return { input, ours: { adjusted: benjaminiHochberg(input.pValues) } };
    },
  },
  {
    name: 'detectable_shift',
    tolerance: 1e-5, // their solver stops there
    draw(stream) {
      const input = {
        n: 10 + stream.integer(5_000),
        m: 10 + stream.integer(5_000),
        significance: 0.001 + 0.1 * stream.uniform(),
        power: 0.5 + 0.49 * stream.uniform(),
      };
      return { input, ours: { shift: minimumDetectableShift(input.n, input.m, input) } };
    },
  },
  {
    name: 'proportions',
    tolerance: 1e-9,
    draw(stream) {
      const trials = 1 + stream.integer(2_000);
      const input = { trials, successes: stream.integer(trials + 1), confidence: 0.5 + 0.499 * stream.uniform() };
      const wilson = proportion(input.successes, trials, input.confidence);
      const exact = exactProportion(input.successes, trials, input.confidence);
      return { input, ours: { wilson: [wilson.low, wilson.high], exact: [exact.low, exact.high] } };
    },
  },
  {
    name: 'special_functions',
    tolerance: 1e-10,
    draw(stream) {
      const input = {
        a: 10 ** stream.normal(0, 1),
        b: 10 ** stream.normal(0, 1),
        x: 10 ** stream.normal(0, 1),
        p: 0.001 + 0.998 * stream.uniform(),
      };
      const { a, b, x, p } = input;
      return {
        input,
        ours: {
          logGamma: logGamma(x),
          upperGamma: upperGamma(a, x),
          incompleteBeta: incompleteBeta(a, b, p),
          betaQuantile: betaQuantile(a, b, p),
          normalQuantile: normalQuantile(p),
          logEvalueOfP: logEvalueOfP(p),
        },
      };
    },
  },
  {
    name: 'sequential_shares',
    tolerance: 1e-7,
    draw(stream) {
      const side = () => {
        const trials = 1 + stream.integer(150);
        return { trials, successes: stream.integer(trials + 1) };
      };
      const input = {
        effectLogOdds: 0.05 + stream.uniform(),
        looks: Array.from({ length: 3 }, () => ({ reference: side(), current: side() })),
      };
      const looks = sequentialShares(input.looks, { ...input, significance: 0.05 });
      return { input, ours: { logEvalues: looks.map(({ logEvalue }) => logEvalue) } };
    },
  },
];
