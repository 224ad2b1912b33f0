import { ensureSameRows } from '../ensure.ts';
import { actualOverExpected, equalExposureBins, type ActualExpectedRow } from './actual-expected.ts';
import type { Estimate } from './metric.ts';

export type DoubleLiftRow = {
  /** 1 holds the rows where B predicts least relative to A. */
  bin: string;
  rows: number;
  exposure: number;
  meanActual: number;
  meanA: number;
  meanB: number;
  actualOverExpectedA: Estimate;
  actualOverExpectedB: Estimate;
};

/**
 * Double lift of two predictions (Goldburd, Khare, Tevet and Guller, "Generalized Linear Models for Insurance Rating", CAS
 * 2020, §7.2.2): rows sorted by B / A into bins of equal exposure, the A/E of both per bin. The better model stays near 1
 * where the two disagree most, at the ends of the table. Predictions must be > 0 in A.
 */
export function doubleLift(
  actual: Float64Array,
  predictions: { a: Float64Array; b: Float64Array },
  options: { bins?: number; weight?: Float64Array; confidence?: number } = {},
): DoubleLiftRow[] {
  const { a, b } = predictions;
  const { bins = 10, weight, confidence } = options;
  ensureSameRows({ actual, a, b, weight });
  const groups = equalExposureBins(
    b.map((value, i) => value / a[i]),
    bins,
    weight,
  );
  const ofA = actualOverExpected(actual, a, groups, weight, confidence);
  const ofB = actualOverExpected(actual, b, groups, weight, confidence);
  return ofA.map((rowA, i) => join(rowA, ofB[i]));
}

function join(a: ActualExpectedRow, b: ActualExpectedRow): DoubleLiftRow {
  return {
    bin: a.group,
    rows: a.rows,
    exposure: a.exposure,
    meanActual: a.meanActual,
    meanA: a.meanPredicted,
    meanB: b.meanPredicted,
    actualOverExpectedA: a.actualOverExpected,
    actualOverExpectedB: b.actualOverExpected,
  };
}
