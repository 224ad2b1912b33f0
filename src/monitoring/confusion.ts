import type { Metric } from '../ml/metrics/metric.ts';
import { stored } from '../governance/text.ts';

/** Decisions as they were made, and what became of each: one entry a case. */
export type DecidedRows = {
  /** When it happened, as a period: `2026-01`. */
  periods: readonly string[];
  decisions: readonly string[];
  /** 1 where the event happened. */
  actual: Float64Array;
  /** The probability that was given then. */
  predicted: Float64Array;
};

/** What was decided in one period, against what happened; plain JSON. */
export type PeriodConfusion = {
  period: string;
  rows: number;
  /** In the order of the decisions given; those that nobody got have no rows. */
  cells: { decision: string; happened: number; notHappened: number }[];
  /** By name; null where it cannot be computed, as the AUC of one class. */
  metrics: { [name: string]: number | null };
};

/** The confusion matrix of each period, oldest first, with the metrics of its rows. */
export function confusionByPeriod(
  { periods, decisions, actual, predicted }: DecidedRows,
  names: readonly string[],
  metrics: { readonly [name: string]: Metric },
): PeriodConfusion[] {
  const rowsOf = Map.groupBy(periods.keys(), (row) => periods[row]);
  return [...rowsOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([period, rows]) => {
      const [truth, given] = [actual, predicted].map((values) => Float64Array.from(rows, (row) => values[row]));
      const count = (decision: string, happened: number) =>
        rows.filter((row) => decisions[row] === decision && actual[row] === happened).length;
      return {
        period,
        rows: rows.length,
        cells: names.map((decision) => ({ decision, happened: count(decision, 1), notHappened: count(decision, 0) })),
        metrics: Object.fromEntries(
          Object.entries(metrics).map(([name, metric]) => [name, stored(metric(truth, given))]),
        ),
      };
    });
}
