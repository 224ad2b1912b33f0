import { ascending } from '../metrics/order.ts';

/** Pearson correlation over the rows where both are there; NaN where one of them does not vary. */
export function correlation(a: Float64Array, b: Float64Array): number {
  let rows = 0;
  let sumA = 0;
  let sumB = 0;
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) || Number.isNaN(b[i])) continue;
    rows++;
    sumA += a[i];
    sumB += b[i];
  }
  const meanA = sumA / rows;
  const meanB = sumB / rows;
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) || Number.isNaN(b[i])) continue;
    product += (a[i] - meanA) * (b[i] - meanB);
    squareA += (a[i] - meanA) ** 2;
    squareB += (b[i] - meanB) ** 2;
  }
  return squareA > 0 && squareB > 0 ? product / Math.sqrt(squareA * squareB) : NaN;
}

/** Spearman's rank correlation over the rows where both are there, ties at their middle rank. */
export function rankCorrelation(a: Float64Array, b: Float64Array): number {
  return orderedRankCorrelation(ordered(a), ordered(b));
}

/** Values with their row numbers in ascending order: sorted once, compared with many. */
export type Ordered = { values: Float64Array; order: Uint32Array };

export const ordered = (values: Float64Array): Ordered => ({ values, order: ascending(values) });

export function orderedRankCorrelation(a: Ordered, b: Ordered): number {
  return correlation(middleRanks(a, b.values), middleRanks(b, a.values));
}

/** Ranks among the rows where both are there; NaN elsewhere. */
function middleRanks({ values, order }: Ordered, other: Float64Array): Float64Array {
  const ranks = new Float64Array(values.length).fill(NaN);
  let ranked = 0;
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start]];
    // NaN comes last
    if (Number.isNaN(value)) break;
    let present = 0;
    for (end = start; end < order.length && values[order[end]] === value; end++) {
      if (!Number.isNaN(other[order[end]])) present++;
    }
    const middle = ranked + (present - 1) / 2;
    for (let i = start; i < end; i++) if (!Number.isNaN(other[order[i]])) ranks[order[i]] = middle;
    ranked += present;
  }
  return ranks;
}
