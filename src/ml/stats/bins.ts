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

/** How many of the values fall into each bin; NaN counts as missing and falls into none. */
export function countBins(values: Float64Array, edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edges[middle] < value) low = middle + 1;
      else high = middle;
    }
    counts[low]++;
  }
  return counts;
}
