/** Row numbers by ascending value; equal values keep their row order, so the result is the same on every platform. */
export function ascending(values: ArrayLike<number>): Uint32Array {
  const rows = new Uint32Array(values.length);
  for (let i = 0; i < rows.length; i++) rows[i] = i;
  return rows.sort((a, b) => values[a] - values[b] || a - b);
}

/** Row numbers by descending value; equal values keep their row order. */
export function descending(values: ArrayLike<number>): Uint32Array {
  const rows = new Uint32Array(values.length);
  for (let i = 0; i < rows.length; i++) rows[i] = i;
  return rows.sort((a, b) => values[b] - values[a] || a - b);
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
