/** The p-quantile of an ascending sample, linearly interpolated (type 7 of Hyndman and Fan, 1996); NaN of an empty one. */
export function quantile(sorted: Float64Array, p: number): number {
  const rank = (sorted.length - 1) * p;
  const low = sorted[Math.floor(rank)] ?? NaN;
  return low + ((sorted[Math.ceil(rank)] ?? NaN) - low) * (rank - Math.floor(rank));
}
