import { ArgumentError } from '../ensure.ts';
import { shuffledByClass } from './folds.ts';
import { keyShare } from './key-hash.ts';

export type HoldoutOptions = {
  /** Share of all rows that is kept for the final judgement. */
  test: number;
  /** Share of the remaining rows that early stopping may look at. @default 0 */
  validation?: number;
  seed: number | string;
  /** Class of each row: its share is kept equal in every part. */
  stratify?: ArrayLike<string | number | boolean>;
  /** Entity key of each row: all its rows, today's and later ones, fall in the same part. Excludes `stratify`. */
  keys?: ArrayLike<string>;
};

/** Row numbers of each part, ascending. Together they are all rows, each once. */
export type Holdout = { train: Uint32Array; validation: Uint32Array; test: Uint32Array };

/**
 * Splits rows once into training, validation and test. Shuffled by seed and exact in size (to half a row), or, with `keys`,
 * by a hash of the entity key, which freezes the test set while data grows and only approximates the shares.
 */
export function holdout(rows: number, { test, validation = 0, seed, stratify, keys }: HoldoutOptions): Holdout {
  for (const [name, share] of Object.entries({ test, validation })) {
    if (!(share >= 0 && share < 1)) throw new ArgumentError(`The ${name} share must lie in [0, 1), it is ${share}.`);
  }
  if (stratify && keys) throw new ArgumentError('A split is stratified or kept together by key, not both.');
  for (const given of [stratify, keys]) {
    if (given && given.length !== rows) {
      throw new ArgumentError(`The split has ${rows} rows, but ${given.length} classes or keys are given.`);
    }
  }
  if (keys) {
    const isTest = (row: number) => keyShare(keys[row], `${seed}/test`) < test;
    const isValidation = (row: number) => keyShare(keys[row], `${seed}/validation`) < validation;
    return partition(rows, (row) => (isTest(row) ? 'test' : isValidation(row) ? 'validation' : 'train'));
  }

  // an even share along the shuffled rows, class after class, takes the same share of each class
  const part = Array.from({ length: rows }, (): keyof Holdout => 'train');
  const order = shuffledByClass(stratify ?? new Uint8Array(rows), seed);
  let left = 0;
  order.forEach((row, position) => {
    if (Math.round((position + 1) * test) > Math.round(position * test)) {
      part[row] = 'test';
      return;
    }
    if (Math.round((left + 1) * validation) > Math.round(left * validation)) part[row] = 'validation';
    left++;
  });
  return partition(rows, (row) => part[row]);
}

function partition(rows: number, partOf: (row: number) => keyof Holdout): Holdout {
  const parts: Record<keyof Holdout, number[]> = { train: [], validation: [], test: [] };
  for (let row = 0; row < rows; row++) parts[partOf(row)].push(row);
  return {
    train: Uint32Array.from(parts.train),
    validation: Uint32Array.from(parts.validation),
    test: Uint32Array.from(parts.test),
  };
}
