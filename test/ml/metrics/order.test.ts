import { array, assert, constantFrom, property } from 'fast-check';
import { expect, test } from 'vitest';
import { ascending, descending, tieEnds } from '../../../src/ml/metrics/order.ts';

const manyTies = array(constantFrom(-Infinity, -2.5, -0, 0, 1e-300, 3, Infinity, NaN), { maxLength: 40 });

/** The naive twin: a stable sort of [value, row] pairs, missing values last. */
function byComparison(values: number[], sign: 1 | -1): number[] {
  const present = [...values.keys()].filter((row) => !Number.isNaN(values[row]));
  const missing = [...values.keys()].filter((row) => Number.isNaN(values[row]));
  return [
    ...present.sort((a, b) => (values[a] === values[b] ? a - b : values[a] < values[b] ? -sign : sign)),
    ...missing,
  ];
}

test('orders are stable, with missing values last', () => {
  assert(
    property(manyTies, (values) => {
      expect(Array.from(ascending(values))).toEqual(byComparison(values, 1));
      expect(Array.from(descending(values))).toEqual(byComparison(values, -1));
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('runs of equal values end where the value changes', () => {
  const values = [3, 1, 3, 2, 1, 3];
  expect(Array.from(tieEnds(values, ascending(values)))).toEqual([2, 3, 6]);
  expect(Array.from(tieEnds([], []))).toEqual([]);
});
