import { expect, test } from 'vitest';
import { fixedPoint, quantiseValue, roundHalfAway, scaleBy } from '../../../../src/ml/formats/tflite/fixed-point.ts';
import { random } from '../../../../src/ml/random.ts';

/** The naive twin: exact integers of any size. */
function scaleExactly(value: number, multiplier: number, shift: number): number {
  const bits = BigInt(31 - shift);
  return Number((BigInt(value) * BigInt(multiplier) + (1n << (bits - 1n))) >> bits);
}

test('scaling by a fixed-point number is exact for all 32-bit integers and all shifts', () => {
  const stream = random('fixed point');
  const wrong: object[] = [];
  for (let n = 0; n < 200_000; n++) {
    const shift = stream.integer(34) - 31;
    const multiplier = 2 ** 30 + stream.integer(2 ** 30);
    const value = (stream.integer(2 ** 32) | 0) >> stream.integer(32);
    const scaled = scaleBy({ multiplier, shift }, value);
    if (scaled !== scaleExactly(value, multiplier, shift)) wrong.push({ value, multiplier, shift, scaled });
  }
  expect(wrong).toEqual([]);
  expect(scaleBy({ multiplier: 2 ** 30, shift: 0 }, 1)).toBe(1); // a half goes up
  expect(scaleBy({ multiplier: 2 ** 30, shift: 0 }, -1)).toBe(0);
});

test('a fixed-point number is the nearest with 31 bits', () => {
  const stream = random('nearest');
  for (const real of [
    1,
    0.5,
    2,
    0.25,
    1 - 2 ** -40,
    ...Array.from({ length: 1000 }, () => 2 ** (8 - 30 * stream.uniform())),
  ]) {
    const { multiplier, shift } = fixedPoint(real);
    expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
    expect(multiplier).toBeLessThan(2 ** 31);
    expect(Math.abs(multiplier * 2 ** (shift - 31) - real)).toBeLessThanOrEqual(2 ** (shift - 32));
  }
  expect(fixedPoint(0)).toEqual({ multiplier: 0, shift: 0 });
  expect(fixedPoint(2 ** -40)).toEqual({ multiplier: 0, shift: 0 });
});

test('real numbers round to the nearest integer, halves away from zero, and stay within 8 bits', () => {
  expect([-2.5, -0.5, 0.5, 1.5, 2.4].map(roundHalfAway)).toEqual([-3, -1, 1, 2, 2]);
  expect([0.25, 0.75, -0.25, 1e9, -1e9].map((value) => quantiseValue(value, 0.5, 3))).toEqual([4, 5, 2, 127, -128]);
});
