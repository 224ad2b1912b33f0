/**
 * Row numbers by ascending value; equal values keep their row order, so the result is the same on every platform. NaN comes
 * last. Sorting the bare numbers and looking each row's place up is several times faster than sorting by comparison.
 */
export function ascending(values: ArrayLike<number>): Uint32Array {
  const sorted = Float64Array.from(values).sort();
  const rows = new Uint32Array(values.length);
  // how many rows of the run that begins here are placed
  const placed = new Uint32Array(values.length);
  let nextMissing = values.length;
  while (nextMissing > 0 && Number.isNaN(sorted[nextMissing - 1])) nextMissing--;
  const present = nextMissing;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (Number.isNaN(value)) {
      rows[nextMissing++] = row;
      continue;
    }
    let first = 0;
    let end = present;
    while (first < end) {
      const middle = (first + end) >>> 1;
      if (sorted[middle] < value) first = middle + 1;
      else end = middle;
    }
    rows[first + placed[first]++] = row;
  }
  return rows;
}

/** Row numbers by descending value; equal values keep their row order. NaN comes last. */
export function descending(values: ArrayLike<number>): Uint32Array {
  return ascending(Float64Array.from(values, (value) => -value));
}

/**
 * Where each run of equal values ends in an ordering: run k is `order[ends[k - 1] … ends[k] - 1]`, with `ends[-1] = 0`.
 * Ranking metrics read run by run, so that ties never depend on the order of the rows.
 */
export function tieEnds(values: ArrayLike<number>, order: ArrayLike<number>): Uint32Array {
  const ends = new Uint32Array(order.length);
  let runs = 0;
  for (let i = 1; i <= order.length; i++) {
    if (i === order.length || values[order[i]] !== values[order[i - 1]]) ends[runs++] = i;
  }
  return ends.slice(0, runs);
}
