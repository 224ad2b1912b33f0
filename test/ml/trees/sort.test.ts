import { expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import { numberSorter } from '../../../src/ml/trees/sort.ts';

test('numbers of every size and sign come out as a comparing sort has them, with their places', () => {
  const r = random('sort');
  const odd = [
    NaN,
    0,
    -0,
    Infinity,
    -Infinity,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    Number.MAX_VALUE,
    1,
    1 + Number.EPSILON,
  ];
  for (const length of [0, 1, 2, 500]) {
    const draw = () => (r.uniform() < 0.2 ? r.choice(odd) : r.normal() * 10 ** (r.integer(60) - 30));
    const values = Float64Array.from({ length }, draw);
    const { values: sorted, places } = numberSorter(500)(values);
    const expected = Array.from(values.keys())
      .filter((i) => !Number.isNaN(values[i]))
      .sort((a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : a - b));
    expect(Array.from(places)).toEqual(expected);
    expect(Array.from(sorted)).toEqual(expected.map((i) => values[i] + 0));
  }
});

test('numbers that differ only in their last bits are told apart', () => {
  const r = random('last bits');
  const values = Float64Array.from({ length: 500 }, () => 1e9 + r.integer(200) * 1e-6);
  expect(numberSorter(500)(values).values).toEqual(values.toSorted());
});

test('equal numbers keep their order', () => {
  expect([...numberSorter(500)(Float64Array.of(2, 1, 2, 1, NaN, 1)).places]).toEqual([1, 3, 5, 0, 2]);
});
