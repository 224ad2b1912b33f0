import { minimumGroupRows } from '../small-groups.ts';
import { quantile } from './quantile.ts';

/** How an offer's scores lie over all members. */
export type OfferScores = {
  name: string;
  p5: number;
  p25: number;
  p50: number;
  p75: number;
  p95: number;
  /** The share of members whose score reaches the minimum. */
  reachesMinimum: number;
};

/** Quantiles of each offer's scores (members × offers, row-major). Empty for fewer members than may be told about. */
export function offerScores(names: readonly string[], scores: Float64Array, minimumScore: number): OfferScores[] {
  const members = scores.length / names.length;
  if (members < minimumGroupRows) return [];
  return names.map((name, offer) => {
    const own = Float64Array.from({ length: members }, (_, row) => scores[row * names.length + offer]).sort();
    const [p5, p25, p50, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => quantile(own, share));
    const reaching = own.reduce((sum, score) => sum + Number(score >= minimumScore), 0);
    return { name, p5, p25, p50, p75, p95, reachesMinimum: reaching / members };
  });
}
