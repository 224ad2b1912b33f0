import type { Task } from '../usecase/metrics.ts';

/**
 * The error of each row in the loss that is followed over time: absolute for an amount, its mean over the outputs that are known (not
 * NaN) where there are several, squared for a probability (the Brier score's terms). `actual` and `predicted` hold rows × outputs,
 * row-major; the error of a row of which nothing is known is NaN.
 */
export function rowErrors(task: Task, outputs: number, actual: Float64Array, predicted: Float64Array): Float64Array {
  if (task === 'binary') return actual.map((truth, row) => (truth - predicted[row]) ** 2);
  const errors = new Float64Array(actual.length / outputs);
  for (let row = 0; row < errors.length; row++) {
    let sum = 0;
    let known = 0;
    for (let i = row * outputs; i < (row + 1) * outputs; i++) {
      if (Number.isNaN(actual[i])) continue;
      sum += Math.abs(actual[i] - predicted[i]);
      known++;
    }
    errors[row] = sum / known;
  }
  return errors;
}
