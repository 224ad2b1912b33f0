import {
  Bool,
  type DataType,
  DateDay,
  Dictionary,
  Float32,
  Float64,
  Int32,
  Int64,
  TimestampMicrosecond,
  Uint64,
  Uint8,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { expect, test } from 'vitest';
import { arrowCells } from '../../src/stages/common/arrow-cells.ts';

const columns: [string, DataType, unknown[]][] = [
  ['doubles', new Float64(), [1.5, null, -0, Infinity, 1e300]],
  ['floats', new Float32(), [1.5, null, -2.25]],
  ['small integers', new Uint8(), [0, 255, null]],
  ['integers', new Int32(), [-5, 7, null]],
  [
    'long integers',
    new Int64(),
    [-1n, 2n ** 31n, null, 2n ** 53n + 1n, -(2n ** 62n) - 3n, 2n ** 32n, -(2n ** 32n) + 1n],
  ],
  ['long integers without sign', new Uint64(), [2n ** 64n - 1n, 0n, null, 2n ** 63n + 1025n]],
  ['times', new TimestampMicrosecond('UTC'), [Date.parse('2026-02-01T06:00:00Z'), null]],
  ['days', new DateDay(), [new Date('2026-02-01T00:00:00Z'), null]],
  ['truths', new Bool(), [true, false, null, true, true, false, false, true, null, true]],
  ['plain texts', new Utf8(), ['a', '', null, 'seventeen letters', 'b']],
  ['texts', new Utf8(), ['ä', '', null, '𝄞 clef', 'plain']],
  ['a dictionary', new Dictionary(new Utf8(), new Int32()), ['x', 'y', null, 'x']],
];

/** Value by value, as Arrow gives them. */
function oneByOne(vector: Vector): unknown[] {
  const values = Array.from({ length: vector.length }, (_, row) => vector.get(row) as unknown);
  const isText = values.some((value) => typeof value === 'string' || typeof value === 'boolean');
  return isText ? values : values.map((value) => (value === null ? NaN : Number(value)));
}

test.each(columns)('%s are read as Arrow gives them', (_, type, values) => {
  const once = vectorFromArray(values, type as never) as Vector;
  expect(Array.from(arrowCells(once))).toEqual(oneByOne(once));
  const twice = once.concat(once);
  expect(Array.from(arrowCells(twice))).toEqual(oneByOne(twice));
  const part = twice.slice(1, values.length + 2);
  expect(Array.from(arrowCells(part))).toEqual(oneByOne(part));
});
