/** Thrown when arguments of a function in `src/ml` do not fit together: lengths, empty input, a number out of its range. */
export class ArgumentError extends Error {
  override name = 'ArgumentError';
}

/** Asserts that there are rows and that every named array has the same number of them; absent arrays are skipped. */
export function ensureSameRows(arrays: NamedArrays): void {
  ensureSameLength(arrays);
  const [name, first] = givenOf(arrays)[0];
  if (first.length === 0) throw new ArgumentError(`${name} has no rows.`);
}

/** As `ensureSameRows`, for what applies to no rows as well: a prediction, unlike a fit or a metric. */
export function ensureSameLength(arrays: NamedArrays): void {
  const [[firstName, first], ...others] = givenOf(arrays);
  for (const [name, array] of others) {
    if (array.length !== first.length) {
      throw new ArgumentError(`${name} has ${array.length} rows, ${firstName} has ${first.length}: they must agree.`);
    }
  }
}

type NamedArrays = Record<string, ArrayLike<unknown> | undefined>;

const givenOf = (arrays: NamedArrays) =>
  Object.entries(arrays).filter((entry): entry is [string, ArrayLike<unknown>] => entry[1] !== undefined);

/** Asserts that every value is finite; the error names the array and the first bad row, never a value. */
export function ensureFinite(name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new ArgumentError(`${name} is not a finite number in row ${i}.`);
  }
}

/** Asserts weights that are finite, not negative and not all zero. */
export function ensureWeights(weight: ArrayLike<number>): void {
  let total = 0;
  for (let i = 0; i < weight.length; i++) {
    if (!(weight[i] >= 0 && weight[i] < Infinity))
      throw new ArgumentError(`The weight of row ${i} is not a number ≥ 0.`);
    total += weight[i];
  }
  if (!(total > 0)) throw new ArgumentError('All weights are zero.');
}

/** Asserts a share strictly between 0 and 1. */
export function ensureShare(name: string, share: number): void {
  if (!(share > 0 && share < 1)) throw new ArgumentError(`${name} must lie between 0 and 1, it is ${share}.`);
}

/** Asserts a whole number of at least `least`. */
export function ensureWhole(name: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least)) {
    throw new ArgumentError(`${name} must be a whole number of at least ${least}, it is ${value}.`);
  }
}
