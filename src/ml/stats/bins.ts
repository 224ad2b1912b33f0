/**
 * The inner edges that cut an ascending sample into `bins` parts of equal share: linearly interpolated quantiles (type 7 of
 * Hyndman and Fan, 1996), equal ones once. Ties leave fewer bins than asked for; edge i closes bin i: (edge i−1, edge i].
 */
export function quantileEdges(sorted: Float64Array, bins: number): number[] {
  const edges: number[] = [];
  if (sorted.length === 0) return edges;
  for (let i = 1; i < bins; i++) {
    const rank = ((sorted.length - 1) * i) / bins;
    const low = sorted[Math.floor(rank)];
    const edge = low + (sorted[Math.ceil(rank)] - low) * (rank - Math.floor(rank));
    // an edge at the largest value would close over everything and leave the last bin empty for ever
    if (edge < sorted[sorted.length - 1] && edge !== edges.at(-1)) edges.push(edge);
  }
  return edges;
}

/**
 * How many of the values fall into each bin; NaN counts as missing and falls into none. A binary search of a fixed number of
 * steps: the edges are padded with infinities to a power of two, so that no step branches on the value.
 */
export function countBins(values: Float64Array, edges: readonly number[]): number[] {
  const size = 2 ** Math.ceil(Math.log2(edges.length + 1));
  const padded = new Float64Array(size).fill(Infinity);
  padded.set(edges);
  const counts = new Float64Array(size);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (value !== value) continue;
    let below = 0;
    for (let step = size >>> 1; step > 0; step >>>= 1) below += padded[below + step - 1] < value ? step : 0;
    counts[below]++;
  }
  return Array.from(counts.subarray(0, edges.length + 1));
}
