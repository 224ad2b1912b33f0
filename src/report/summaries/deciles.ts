import type { CalibrationGroup, Estimate, Residuals } from '../facts.ts';
import { criticalValue } from '../../ml/metrics/normal.ts';
import { ascending } from '../../ml/metrics/order.ts';
import { moments } from '../../ml/stats/moments.ts';
import { minimumGroupRows } from '../small-groups.ts';
import { quantile } from './quantile.ts';

/**
 * Test rows in groups of equal size by predicted value, lowest first: mean prediction and mean actual with its 95 %
 * interval (Student's t). Ten groups, fewer where they would hold less than 11 rows, none below 11 rows in all.
 *
 * @param actual one value a row @param predicted one value a row, in the same order
 */
export function calibrationGroups(actual: Float64Array, predicted: Float64Array, groups = 10): CalibrationGroup[] {
  return byPrediction(predicted, groups).map((rows) => ({
    rows: rows.length,
    meanPredicted: mean(rows, predicted),
    meanActual: meanWithInterval(rows, actual),
  }));
}

/** Quantiles of actual − predicted in the same groups, and the median of its absolute value over all rows. */
export function residualGroups(actual: Float64Array, predicted: Float64Array, groups = 10): Residuals {
  const residual = actual.map((value, row) => value - predicted[row]);
  return {
    medianAbsolute: quantile(residual.map(Math.abs).sort(), 0.5),
    groups: byPrediction(predicted, groups).map((rows) => {
      const sorted = Float64Array.from(rows, (row) => residual[row]).sort();
      const at = (p: number) => quantile(sorted, p);
      return { rows: rows.length, p10: at(0.1), p25: at(0.25), p50: at(0.5), p75: at(0.75), p90: at(0.9) };
    }),
  };
}

function byPrediction(predicted: Float64Array, groups: number): Uint32Array[] {
  const order = ascending(predicted);
  const parts = Math.min(groups, Math.floor(order.length / minimumGroupRows));
  const start = (part: number) => Math.round((part * order.length) / parts);
  return Array.from({ length: parts }, (_, part) => order.subarray(start(part), start(part + 1)));
}

function mean(rows: Uint32Array, values: Float64Array): number {
  return rows.reduce((sum, row) => sum + values[row], 0) / rows.length;
}

function meanWithInterval(rows: Uint32Array, values: Float64Array): Estimate {
  const { count, mean, sd } = moments(Float64Array.from(rows, (row) => values[row]));
  const reach = (student(count - 1) * sd) / Math.sqrt(count);
  return { value: mean, low: mean - reach, high: mean + reach };
}

/** The two-sided 95 % point of Student's t, expanded about the normal (Abramowitz and Stegun 26.7.5): to .003 from 10 degrees on. */
function student(degrees: number): number {
  const z = criticalValue(0.95);
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}
