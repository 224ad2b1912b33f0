import { readFileSync } from 'node:fs';

type Deviances = { power: number; plain: number; weighted: number; d2: number; d2Weighted: number };
type Interval = { value: number; low: number; high: number };
type Murphy = { score: number; miscalibration: number; discrimination: number; uncertainty: number };

type Fixture = {
  rows: Record<'actual' | 'severity' | 'predicted' | 'other' | 'base' | 'exposure', number[]> & { level: string[] };
  regression: Record<'plain' | 'weighted', Record<'r2' | 'mae' | 'mse' | 'rmse', number>>;
  deviances: Record<'normal' | 'poisson' | 'tweedie' | 'gamma', Deviances>;
  gini: Record<'flat' | 'exposure' | 'base', { gini: number; standardError: number }>;
  actualOverExpected: Record<'all' | 'north' | 'south' | 'west', Interval>;
  murphy: Record<'squaredError' | 'poisson' | 'gamma', Murphy>;
  p95: number;
  wilson: { successes: number; trials: number; confidence: number; low: number; high: number }[];
  normalQuantile: { probability: number; value: number }[];
};

/** 240 policies and what other implementations say of them; see test/fixtures/metrics/README.md. */
export const expected = JSON.parse(
  readFileSync(new URL('../../fixtures/metrics/metrics.json', import.meta.url), 'utf8'),
) as Fixture;

export const actual = Float64Array.from(expected.rows.actual);
export const severity = Float64Array.from(expected.rows.severity);
export const predicted = Float64Array.from(expected.rows.predicted);
export const other = Float64Array.from(expected.rows.other);
export const base = Float64Array.from(expected.rows.base);
export const exposure = Float64Array.from(expected.rows.exposure);
export const level = expected.rows.level;

/** Relative closeness, for numbers that another implementation sums in another order. */
export function relativeError(value: number, reference: number): number {
  return Math.abs(value - reference) / Math.max(1e-300, Math.abs(reference));
}
