import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { benjaminiHochberg } from '../../../src/ml/stats/benjamini-hochberg.ts';
import { countBins, quantileEdges } from '../../../src/ml/stats/bins.ts';
import { chiSquare } from '../../../src/ml/stats/chi-square.ts';
import { ecdf, sortedPresent } from '../../../src/ml/stats/ecdf.ts';
import { jensenShannon } from '../../../src/ml/stats/jensen-shannon.ts';
import { kolmogorovSmirnov } from '../../../src/ml/stats/kolmogorov-smirnov.ts';
import { moments } from '../../../src/ml/stats/moments.ts';
import { psi, psiPValue } from '../../../src/ml/stats/psi.ts';
import { logGamma, upperGamma } from '../../../src/ml/stats/special.ts';
import { wasserstein } from '../../../src/ml/stats/wasserstein.ts';
import { zTest } from '../../../src/ml/stats/z-test.ts';

const expected = JSON.parse(readFileSync(new URL('../../fixtures/stats/expected.json', import.meta.url), 'utf8'));

type Samples = { reference: number[]; current: number[] };
const sorted = (values: number[]) => Float64Array.from(values).sort();
/** How far apart two numbers are, relative to the second but never to less than 1e-5. */
const gap = (actual: number, wanted: number) => Math.abs(actual - wanted) / Math.max(Math.abs(wanted), 1e-5);

describe('the special functions agree with scipy', () => {
  test.each(expected.logGamma as number[][])('ln Γ(%d)', (x, wanted) =>
    expect(gap(logGamma(x), wanted)).toBeLessThan(1e-13),
  );
  test.each(expected.upperGamma as number[][])('Q(%d, %d)', (a, x, wanted) =>
    expect(gap(upperGamma(a, x), wanted)).toBeLessThan(1e-12),
  );
});

describe('the Kolmogorov–Smirnov test agrees with scipy', () => {
  type Case = Samples & { statistic: number; pValue: number };
  const cases = (['exact', 'limit', 'tied'] as const).flatMap((kind) =>
    (expected.kolmogorov[kind] as Case[]).map((c) => ({ kind, ...c })),
  );
  test.each(cases)('$kind: p = $pValue', ({ kind, reference, current, statistic, pValue }) => {
    const result = kolmogorovSmirnov(ecdf(sorted(reference)), sorted(current));
    expect(gap(result.statistic, statistic)).toBeLessThan(1e-12);
    expect(gap(result.pValue, pValue)).toBeLessThan(1e-9);
    expect(result.exact).toBe(kind !== 'limit');
  });
});

describe('the distances agree with scipy', () => {
  type PsiCase = Samples & { edges: number[]; referenceCounts: number[]; currentCounts: number[]; psi: number };
  test.each(expected.psi as PsiCase[])('the quantile bins and the stability index of samples: $psi', (c) => {
    const edges = quantileEdges(sorted(c.reference), 10);
    expect(edges.length).toBe(c.edges.length);
    edges.forEach((edge, i) => expect(gap(edge, c.edges[i])).toBeLessThan(1e-12));
    const counts = [c.reference, c.current].map((values) => countBins(Float64Array.from(values), edges));
    expect(counts).toEqual([c.referenceCounts, c.currentCounts]);
    expect(gap(psi(counts[0], counts[1]), c.psi)).toBeLessThan(1e-12);
  });

  test.each(expected.psiCounts as (Samples & { psi: number })[])('the stability index of levels', (c) => {
    expect(gap(psi(c.reference, c.current), c.psi)).toBeLessThan(1e-12);
  });

  test.each(expected.psiPValue as number[][])('PSI %d in %d bins, %d v %d rows', (value, bins, n, m, wanted) => {
    expect(gap(psiPValue(value, bins, n, m), wanted)).toBeLessThan(1e-9);
  });

  test.each(expected.jensenShannon as (Samples & { distance: number })[])('Jensen–Shannon: $distance', (c) => {
    expect(gap(jensenShannon(c.reference, c.current), c.distance)).toBeLessThan(1e-12);
  });

  test.each(expected.wasserstein as (Samples & { distance: number })[])('Wasserstein: $distance', (c) => {
    expect(gap(wasserstein(ecdf(sorted(c.reference)), sorted(c.current)), c.distance)).toBeLessThan(1e-12);
  });
});

describe('the tests of levels and means agree with scipy', () => {
  type ChiSquareCase = Samples & { statistic: number; degreesOfFreedom: number; pValue: number };
  test.each(expected.chiSquare as ChiSquareCase[])('χ²: $statistic', (c) => {
    const result = chiSquare(c.reference, c.current);
    expect(gap(result.statistic, c.statistic)).toBeLessThan(1e-12);
    expect(gap(result.pValue, c.pValue)).toBeLessThan(1e-9);
    expect(result.degreesOfFreedom).toBe(c.degreesOfFreedom);
  });

  test.each(expected.zTest as (Samples & { z: number; pValue: number })[])('z: $z', (c) => {
    const result = zTest(moments(Float64Array.from(c.reference)), moments(Float64Array.from(c.current)));
    expect(gap(result.z, c.z)).toBeLessThan(1e-12);
    expect(gap(result.pValue, c.pValue)).toBeLessThan(1e-9);
  });

  test('the Benjamini–Hochberg adjustment', () => {
    const adjusted = benjaminiHochberg(expected.benjaminiHochberg.pValues);
    adjusted.forEach((p, i) => expect(gap(p, expected.benjaminiHochberg.adjusted[i])).toBeLessThan(1e-12));
  });
});

describe('what is missing or rare', () => {
  test('missing values are in no bin, no moment and no distribution', () => {
    const withMissing = Float64Array.of(3, NaN, 1, 2, NaN);
    expect(countBins(withMissing, [1.5])).toEqual([1, 2]);
    expect(moments(withMissing)).toEqual({ count: 3, mean: 2, sd: 1 });
    expect([...sortedPresent(withMissing)]).toEqual([1, 2, 3]);
  });

  test('an empty side has no distance, rather than a distance of zero', () => {
    const none = new Float64Array();
    const some = Float64Array.of(1, 2);
    expect(psi([1, 2], [0, 0])).toBeNaN();
    expect(jensenShannon([0, 0], [1, 2])).toBeNaN();
    expect(wasserstein(ecdf(some), none)).toBeNaN();
    expect(kolmogorovSmirnov(ecdf(none), some)).toEqual({ statistic: NaN, pValue: NaN, exact: false });
    expect(moments(none)).toEqual({ count: 0, mean: NaN, sd: NaN });
  });

  test('levels of which fewer than five rows are expected are tested as one', () => {
    const pooled = chiSquare([500, 300, 5], [50, 30, 0]);
    const separate = chiSquare([500, 300, 3, 2], [50, 30, 0, 0]);
    expect(separate).toEqual(pooled);
    expect(separate.degreesOfFreedom).toBe(2);
  });

  test('a p-value that is missing stays missing and does not count as a test', () => {
    expect(benjaminiHochberg([0.01, NaN, 0.02])).toEqual([0.02, NaN, 0.02]);
  });

  test('two constant columns differ certainly or not at all', () => {
    const constant = (value: number) => ({ count: 20, mean: value, sd: 0 });
    expect(zTest(constant(1), constant(1))).toEqual({ z: 0, pValue: 1 });
    expect(zTest(constant(1), constant(2))).toEqual({ z: Infinity, pValue: 0 });
  });
});
