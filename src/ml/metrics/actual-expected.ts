import { sum } from 'd3-array';
import { ensureSameRows, ensureWhole } from '../ensure.ts';
import type { Estimate } from './metric.ts';
import { criticalValue } from './normal.ts';
import { ascending, tieEnds } from './order.ts';

/** One group of rows: a factor level, a decile of the prediction. Means are per unit of exposure. */
export type ActualExpectedRow = {
  group: string;
  rows: number;
  exposure: number;
  meanActual: number;
  meanPredicted: number;
  /** A/E: 1 is balanced, above 1 the group costs more than predicted. */
  actualOverExpected: Estimate;
  /** The group's mean actual over the whole portfolio's. */
  lift: number;
};

/** A label per group and the group number of each row; −1 leaves the row out. */
export type Groups = { names: readonly string[]; codes: ArrayLike<number> };

/**
 * A/E by group, exposure-weighted, groups in the order of `names`, empty ones left out. `actual` and `predicted` are per
 * unit of exposure.
 *
 * The interval treats the predictions as given and the actuals as independent: the delta method on the logarithm of the
 * ratio with the variance estimated from the group's own residuals (Cochran, "Sampling Techniques", 1977, ch. 6), so it
 * holds for counts and for amounts. It is NaN for fewer than two rows and where a group has no actuals at all.
 */
export function actualOverExpected(
  actual: Float64Array,
  predicted: Float64Array,
  groups: Groups,
  weight?: Float64Array,
  confidence = 0.95,
): ActualExpectedRow[] {
  ensureSameRows({ actual, predicted, codes: groups.codes, weight });
  const z = criticalValue(confidence);
  const count = groups.names.length;
  const rows = new Float64Array(count);
  const exposure = new Float64Array(count);
  const totalActual = new Float64Array(count);
  const totalExpected = new Float64Array(count);
  for (let i = 0; i < actual.length; i++) {
    const group = groups.codes[i];
    if (group < 0) continue;
    const w = weight ? weight[i] : 1;
    rows[group]++;
    exposure[group] += w;
    totalActual[group] += w * actual[i];
    totalExpected[group] += w * predicted[i];
  }

  // residuals around each group's own ratio
  const squares = new Float64Array(count);
  for (let i = 0; i < actual.length; i++) {
    const group = groups.codes[i];
    if (group < 0) continue;
    const w = weight ? weight[i] : 1;
    const residual = w * (actual[i] - (totalActual[group] / totalExpected[group]) * predicted[i]);
    squares[group] += residual * residual;
  }

  const portfolioMean = sum(totalActual) / sum(exposure);
  const table: ActualExpectedRow[] = [];
  for (let group = 0; group < count; group++) {
    if (rows[group] === 0) continue;
    const meanActual = totalActual[group] / exposure[group];
    const standardError = Math.sqrt((squares[group] * rows[group]) / (rows[group] - 1));
    table.push({
      group: groups.names[group],
      rows: rows[group],
      exposure: exposure[group],
      meanActual,
      meanPredicted: totalExpected[group] / exposure[group],
      actualOverExpected: ratioInterval(totalActual[group], totalExpected[group], standardError, z),
      lift: meanActual / portfolioMean,
    });
  }
  return table;
}

/**
 * The same table by equal-exposure bins of the prediction, lowest first: the A/E table by decile, the lift table and the
 * calibration curve of a regression (mean actual against mean predicted) in one.
 */
export function actualOverExpectedByPrediction(
  actual: Float64Array,
  predicted: Float64Array,
  options: { bins?: number; weight?: Float64Array; confidence?: number } = {},
): ActualExpectedRow[] {
  const { bins = 10, weight, confidence } = options;
  return actualOverExpected(actual, predicted, equalExposureBins(predicted, bins, weight), weight, confidence);
}

/** The balance property: total actual over total expected of the whole portfolio, with its interval; 1 is balanced. */
export function balance(
  actual: Float64Array,
  predicted: Float64Array,
  weight?: Float64Array,
  confidence = 0.95,
): Estimate {
  const all = { names: ['all'], codes: new Int32Array(actual.length) };
  return actualOverExpected(actual, predicted, all, weight, confidence)[0].actualOverExpected;
}

/**
 * Groups of about equal exposure by ascending score, named 1 … bins. Rows of equal score always share a bin (the one that
 * holds the middle of their run), so bins of a model with few distinct predictions differ in size or stay empty.
 */
export function equalExposureBins(score: Float64Array, bins: number, weight?: Float64Array): Groups {
  ensureWhole('The number of bins', bins, 1);
  ensureSameRows({ score, weight });
  const order = ascending(score);
  const ends = tieEnds(score, order);
  const total = weight ? sum(weight) : score.length;
  const codes = new Int32Array(score.length);
  let before = 0;
  for (let run = 0, start = 0; run < ends.length; start = ends[run++]) {
    let exposure = 0;
    for (let i = start; i < ends[run]; i++) exposure += weight ? weight[order[i]] : 1;
    const bin = Math.min(bins - 1, Math.floor((bins * (before + exposure / 2)) / total));
    for (let i = start; i < ends[run]; i++) codes[order[i]] = bin;
    before += exposure;
  }
  return { names: Array.from({ length: bins }, (_, bin) => String(bin + 1)), codes };
}

/** Groups by the values of a column, names ascending; `null` is the group "missing". */
export function groupsOf(values: ArrayLike<string | number | boolean | null>): Groups {
  const keys = Array.from(values, (value) => (value === null ? 'missing' : String(value)));
  const names = [...new Set(keys)].sort();
  const codeOf = new Map(names.map((name, code) => [name, code]));
  return { names, codes: Int32Array.from(keys, (key) => codeOf.get(key) ?? -1) };
}

function ratioInterval(actual: number, expected: number, standardError: number, z: number): Estimate {
  const value = actual / expected;
  const factor = Math.exp((z * standardError) / Math.abs(actual));
  return actual === 0 || Number.isNaN(factor)
    ? { value, low: NaN, high: NaN }
    : { value, low: value / factor, high: value * factor };
}
