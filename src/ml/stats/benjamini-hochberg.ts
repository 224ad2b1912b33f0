/**
 * Adjusted p-values: rejecting those at or below q keeps the expected share of false alarms among the alarms at q (Benjamini and
 * Hochberg, Journal of the Royal Statistical Society B 57, 1995). In the order given; NaN stays NaN and does not count.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const ranked = pValues
    .map((p, index) => ({ p, index }))
    .filter(({ p }) => !Number.isNaN(p))
    .sort((a, b) => b.p - a.p);
  const adjusted = pValues.map(() => NaN);
  let smallest = 1;
  ranked.forEach(({ p, index }, i) => {
    const rank = ranked.length - i;
    smallest = Math.min(smallest, (p * ranked.length) / rank);
    adjusted[index] = smallest;
  });
  return adjusted;
}
