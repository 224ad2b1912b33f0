import { EncodingError } from './columns.ts';

/** (value − mean) / deviation. Plain JSON, stored with the model. */
export type StandardScaler = { kind: 'standard'; mean: number; deviation: number };

/**
 * Fits mean and population standard deviation over the values that are there. A column without spread is only centred
 * (deviation 1), so that a later value of it stays finite.
 */
export function fitStandard(values: Float64Array): StandardScaler {
  const present = values.filter((value) => !Number.isNaN(value));
  if (present.length === 0) throw new EncodingError('A scaler needs at least one value that is not missing.');
  let sum = 0;
  for (const value of present) sum += value;
  const mean = sum / present.length;
  let squares = 0;
  for (const value of present) squares += (value - mean) * (value - mean);
  const deviation = Math.sqrt(squares / present.length);
  // rounding leaves a constant column a spread of some ulps of its own size
  const isConstant = deviation <= 1e-12 * Math.abs(mean);
  return { kind: 'standard', mean, deviation: isConstant ? 1 : deviation };
}

/** The scaled values; missing ones stay missing. */
export function applyStandard({ mean, deviation }: StandardScaler, values: Float64Array): Float64Array {
  return values.map((value) => (value - mean) / deviation);
}
