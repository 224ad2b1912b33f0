import type { Random } from '../../src/ml/random.ts';

/** So many numbers drawn one after the other. */
export function many(count: number, draw: (row: number) => number): number[] {
  return Array.from({ length: count }, (_, row) => draw(row));
}

/** Numbers with few digits, so that some of them tie. */
export function rounded(values: readonly number[], digits: number): number[] {
  return values.map((value) => Number(value.toFixed(digits)));
}

/** Sorted weights: half of the cases have none, as libraries treat those apart. */
export function weights(stream: Random, rows: number): number[] | null {
  return stream.uniform() < 0.5 ? null : many(rows, () => 0.1 + 2 * stream.uniform());
}

/** Labels of 0 and 1 with both of them present, and probabilities that say something about them. */
export function binary(stream: Random, rows: number): { actual: number[]; predicted: number[] } {
  const predicted = rounded(
    many(rows, () => 0.01 + 0.98 * stream.uniform()),
    stream.integer(2) + 2,
  );
  const actual = predicted.map((p, row) => (row < 2 ? row : Number(stream.uniform() < p)));
  return { actual, predicted };
}
