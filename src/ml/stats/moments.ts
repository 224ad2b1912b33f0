/** Count, mean and sample standard deviation of the values present; NaN where too few are there to tell. */
export type Moments = { count: number; mean: number; sd: number };

/** Moments by Welford's recurrence (Technometrics 4, 1962), which does not cancel; NaN counts as missing. */
export function moments(values: Float64Array): Moments {
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    const delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  return { count, mean: count > 0 ? mean : NaN, sd: count > 1 ? Math.sqrt(squares / (count - 1)) : NaN };
}

/** The moments of two samples together (Chan, Golub and LeVeque, The American Statistician 37, 1983). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count;
  const delta = b.mean - a.mean;
  const squares = squaresOf(a) + squaresOf(b) + (delta * delta * a.count * b.count) / count;
  return { count, mean: a.mean + (delta * b.count) / count, sd: Math.sqrt(squares / (count - 1)) };
}

/** Σ (x − mean)². */
export function squaresOf({ count, sd }: Moments): number {
  return count > 1 ? sd * sd * (count - 1) : 0;
}
