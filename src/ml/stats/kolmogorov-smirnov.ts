import type { StatisticDescriptor } from './descriptor.ts';
import { type Ecdf, isComplete, lowerBound, upperBound } from './ecdf.ts';

export const kolmogorovSmirnovDescriptor: StatisticDescriptor = {
  name: 'kolmogorovSmirnov',
  title: 'Kolmogorov–Smirnov statistic',
  direction: 'higher',
  range: [0, 1],
  unit: 'none',
};

/** Up to so many reference × current pairs the p-value is exact. */
const exactUpTo = 10_000;

/**
 * The two-sample Kolmogorov–Smirnov test: the largest gap between the two distribution functions and the chance of so large
 * a gap when both samples come from one distribution.
 *
 * Where the reference keeps only some of its values the gap is measured at those, where its heights are exact: never too large,
 * so the p-value errs to the safe side. The p-value of small samples is exact, ties included; of larger ones it is Kolmogorov's
 * limit, conservative under ties. NaN where either side is empty.
 */
export function kolmogorovSmirnov(
  reference: Ecdf,
  currentSorted: Float64Array,
): { statistic: number; pValue: number; exact: boolean } {
  const n = reference.count;
  const m = currentSorted.length;
  if (n === 0 || m === 0) return { statistic: NaN, pValue: NaN, exact: false };

  // between two reference values only the current function rises, so the gap is widest at one of the ends
  let statistic = 0;
  for (let i = 0; i < reference.values.length; i++) {
    const value = reference.values[i];
    const before = Math.abs(reference.below[i] / n - lowerBound(currentSorted, value) / m);
    const after = Math.abs(reference.atOrBelow[i] / n - upperBound(currentSorted, value) / m);
    statistic = Math.max(statistic, before, after);
  }

  const exact = n * m <= exactUpTo && isComplete(reference);
  const pValue = exact
    ? exactTail(statistic, n, m, tieEnds(reference, currentSorted))
    : kolmogorovTail(statistic * Math.sqrt((n * m) / (n + m)));
  return { statistic, pValue, exact };
}

/**
 * P(D ≥ d) over all arrangements of the pooled sample. An arrangement is a path from (0, 0) to (n, m); it stays inside when
 * |i/n − j/m| < d wherever a run of equal values ends (Hodges, Arkiv för Matematik 3, 1958; ties after Schröer and Trenkler,
 * Computational Statistics & Data Analysis 20, 1995). `inside[j]` is the share of paths to (i, j) that stayed inside; by rows:
 *
 *     share(i, j) = i/(i+j) · share(i−1, j) + j/(i+j) · share(i, j−1)
 */
function exactTail(d: number, n: number, m: number, endsTie: Uint8Array): number {
  const limit = d - 1e-10; // gaps are multiples of 1/(nm) ≥ 1e-4: equality must survive rounding
  const isOutside = (i: number, j: number) => endsTie[i + j] === 1 && Math.abs(i / n - j / m) >= limit;
  const inside = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (i + j === 0) inside[0] = 1;
      else if (isOutside(i, j)) inside[j] = 0;
      else inside[j] = ((i > 0 ? i * inside[j] : 0) + (j > 0 ? j * inside[j - 1] : 0)) / (i + j);
    }
  }
  return Math.min(1, Math.max(0, 1 - inside[m]));
}

/** Marks each number of pooled observations after which the next value is a larger one. */
function tieEnds({ values, atOrBelow, count }: Ecdf, currentSorted: Float64Array): Uint8Array {
  const ends = new Uint8Array(count + currentSorted.length + 1);
  let i = 0;
  let j = 0;
  while (i < values.length || j < currentSorted.length) {
    const value = Math.min(values[i] ?? Infinity, currentSorted[j] ?? Infinity);
    if (values[i] === value) i++;
    while (currentSorted[j] === value) j++;
    ends[(i === 0 ? 0 : atOrBelow[i - 1]) + j] = 1;
  }
  return ends;
}

/** Kolmogorov's limiting tail, by whichever of its two theta series converges at once (Marsaglia, Tsang and Wang, 2003). */
function kolmogorovTail(x: number): number {
  if (x <= 0) return 1;
  if (x < 1.18) {
    const base = Math.exp(-(Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * (base + base ** 9 + base ** 25 + base ** 49);
  }
  const base = Math.exp(-2 * x * x);
  return 2 * (base - base ** 4 + base ** 9 - base ** 16);
}
