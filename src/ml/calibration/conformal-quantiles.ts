import { ArgumentError, ensureSameRows, ensureShare } from '../ensure.ts';

/** The quantiles of conformity scores; plain JSON. */
export type ConformalQuantiles = {
  /** Target miscoverage: 0.1 for 90 % intervals. */
  miscoverage: number;
  calibrationRows: number;
  /** In the unit of the score. */
  quantile: number;
  /** Group name → its own quantile; groups too small for one use the pooled `quantile` and are named in `pooled`. */
  groups?: Record<string, number>;
  pooled?: string[];
};

/**
 * The finite-sample quantile of the scores, pooled and, with `groups`, of each group on its own (Mondrian conformal
 * prediction: Vovk, "Conditional validity of inductive conformal predictors", 2012). Throws where even the pooled rows are
 * too few for the level.
 */
export function conformalQuantiles(
  scores: Float64Array,
  miscoverage: number,
  groups?: ArrayLike<string>,
): ConformalQuantiles {
  ensureShare('The miscoverage', miscoverage);
  ensureSameRows({ scores, groups });
  const quantile = conformalQuantile(scores, miscoverage);
  if (quantile === undefined) {
    throw new ArgumentError(
      `A conformal interval of ${percent(1 - miscoverage)} needs at least ${leastRows(miscoverage)} calibration rows, ` +
        `there are ${scores.length}. Calibrate on more rows or declare a higher miscoverage.`,
    );
  }
  const fitted: ConformalQuantiles = { miscoverage, calibrationRows: scores.length, quantile };
  if (!groups) return fitted;

  const byGroup: [string, number][] = [];
  const pooled: string[] = [];
  for (const name of [...new Set(Array.from(groups))].sort()) {
    const own = conformalQuantile(
      scores.filter((_, i) => groups[i] === name),
      miscoverage,
    );
    if (own === undefined) pooled.push(name);
    else byGroup.push([name, own]);
  }
  return { ...fitted, groups: Object.fromEntries(byGroup), pooled };
}

/** The quantile that applies to each row: its group's own, or the pooled one for groups too small or unseen. */
export function quantileByRow(quantiles: ConformalQuantiles, groups?: ArrayLike<string>): (row: number) => number {
  if (!quantiles.groups) return () => quantiles.quantile;
  if (!groups) throw new ArgumentError('These conformal intervals are group-wise: give the group of each row.');
  const own = new Map(Object.entries(quantiles.groups));
  return (row) => own.get(groups[row]) ?? quantiles.quantile;
}

/** The ⌈(n + 1)(1 − miscoverage)⌉-th smallest score; undefined where that rank exceeds n and the interval is infinite. */
export function conformalQuantile(scores: Float64Array, miscoverage: number): number | undefined {
  // (n + 1)(1 − 0.1) computes to a hair above a whole number for some n: take the hair off before rounding up
  const rank = Math.ceil((scores.length + 1) * (1 - miscoverage) - 1e-9);
  return rank > scores.length ? undefined : scores.slice().sort()[rank - 1];
}

function leastRows(miscoverage: number): number {
  return Math.ceil(1 / miscoverage - 1e-9) - 1;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
