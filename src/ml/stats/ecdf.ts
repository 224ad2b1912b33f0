/**
 * The heights of an empirical distribution function at chosen values: of `count` observations, `below[i]` are less than
 * `values[i]` and `atOrBelow[i]` are not greater. Every height is exact; only the number of values is bounded, so that a
 * stored reference stays small and is no copy of its rows.
 */
export type Ecdf = { count: number; values: number[]; below: number[]; atOrBelow: number[] };

/** The values present, ascending; NaN counts as missing. */
export function sortedPresent(values: Float64Array): Float64Array {
  const present = new Float64Array(values.length);
  let count = 0;
  // a plain loop: a callback per value costs as much as the sort
  for (let row = 0; row < values.length; row++) if (values[row] === values[row]) present[count++] = values[row];
  return present.subarray(0, count).sort();
}

/**
 * The distribution function of an ascending sample at up to `maxPoints` of its values: all distinct values where they fit,
 * else the values at evenly spaced ranks, the smallest and largest among them.
 */
export function ecdf(sorted: Float64Array, maxPoints = Infinity): Ecdf {
  const result: Ecdf = { count: sorted.length, values: [], below: [], atOrBelow: [] };
  const distinct = distinctCount(sorted);
  const points = Math.min(distinct, maxPoints);
  const step = (sorted.length - 1) / Math.max(points - 1, 1);
  for (let at = 0, point = 0; at < sorted.length; point++) {
    if (points < distinct) at = Math.max(at, Math.round(point * step));
    if (at >= sorted.length) break;
    const value = sorted[at];
    const below = lowerBound(sorted, value);
    const atOrBelow = upperBound(sorted, value);
    result.values.push(value);
    result.below.push(below);
    result.atOrBelow.push(atOrBelow);
    at = atOrBelow;
  }
  return result;
}

/** Whether every observation is accounted for, so that the sample can be told from it. */
export function isComplete({ count, below, atOrBelow }: Ecdf): boolean {
  return below.every((height, i) => height === (i === 0 ? 0 : atOrBelow[i - 1])) && (atOrBelow.at(-1) ?? 0) === count;
}

/** How many of the ascending values are less than `value`. */
export function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the ascending values are not greater than `value`. */
export function upperBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function distinctCount(sorted: Float64Array): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}
