import type { Task } from '../usecase/metrics.ts';

/**
 * The error of each row in the loss that is followed over time: absolute for an amount, its mean over the outputs where there are
 * several, squared for a probability (the Brier score's terms). `actual` and `predicted` hold rows × outputs, row-major.
 */
export function rowErrors(task: Task, outputs: number, actual: Float64Array, predicted: Float64Array): Float64Array {
  if (task === 'binary') return actual.map((truth, row) => (truth - predicted[row]) ** 2);
  const errors = new Float64Array(actual.length / outputs);
  for (let i = 0; i < actual.length; i++) {
    errors[Math.floor(i / outputs)] += Math.abs(actual[i] - predicted[i]) / outputs;
  }
  return errors;
}
