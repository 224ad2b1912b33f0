import { ArgumentError } from '../ensure.ts';

/** Asserts labels that are 0 or 1; the error names the first row that is neither. */
export function ensureBinary(actual: Float64Array): void {
  const bad = actual.findIndex((value) => value !== 0 && value !== 1);
  if (bad >= 0) throw new ArgumentError(`A binary label must be 0 or 1; row ${bad} is neither.`);
}

/** Asserts probabilities in [0, 1]; the error names the first row that is none. */
export function ensureProbabilities(predicted: Float64Array): void {
  const bad = predicted.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0) throw new ArgumentError(`A probability must lie in [0, 1]; row ${bad} does not.`);
}
