import { mean, median } from 'd3-array';
import { EncodingError } from './columns.ts';

/** What a missing number becomes: a declared number, or a figure of the values that were there at fitting. */
export type Imputation = { constant: number } | 'mean' | 'median' | 'mode';

/** The number that stands for a missing one. Plain JSON, stored with the model. */
export type Imputer = { kind: 'impute'; value: number };

/** Fits the fill value; of several most frequent values the smallest is the mode. */
export function fitImputer(values: Float64Array, imputation: Imputation): Imputer {
  if (typeof imputation === 'object') return { kind: 'impute', value: imputation.constant };
  const figure = { mean, median, mode: smallestMode }[imputation];
  const value = figure(values.filter((value) => !Number.isNaN(value)));
  if (value === undefined) throw new EncodingError(`A ${imputation} imputer needs a value that is not missing.`);
  return { kind: 'impute', value };
}

/** The values with the missing ones filled. */
export function applyImputer({ value: fill }: Imputer, values: Float64Array): Float64Array {
  return values.map((value) => (Number.isNaN(value) ? fill : value));
}

function smallestMode(values: Float64Array): number | undefined {
  let mode: number | undefined;
  let most = 0;
  const sorted = values.toSorted();
  for (let i = 0, run = 0; i < sorted.length; i++) {
    run = i > 0 && sorted[i] === sorted[i - 1] ? run + 1 : 1;
    if (run > most) {
      most = run;
      mode = sorted[i];
    }
  }
  return mode;
}
