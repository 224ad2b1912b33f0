import { ascending, tieEnds } from '../metrics/order.ts';

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
  const present = (_: number, i: number) => !Number.isNaN(a[i]) && !Number.isNaN(b[i]);
  return correlation(middleRanks(a.filter(present)), middleRanks(b.filter(present)));
}

function middleRanks(values: Float64Array): Float64Array {
  const order = ascending(values);
  const ranks = new Float64Array(values.length);
  let start = 0;
  for (const end of tieEnds(values, order)) {
    for (let i = start; i < end; i++) ranks[order[i]] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}
