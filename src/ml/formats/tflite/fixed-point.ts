import { ceilLog2 } from '../../exponential.ts';

/**
 * TensorFlow Lite's fixed-point arithmetic, bit for bit as its reference kernels have it (Jacob et al., "Quantization and Training
 * of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018, §2.2; rounded once, as the interpreter for Python is
 * built). Its kernels for particular processors round twice and differ by one in about a hundredth of all results.
 */

/** A positive real number as `multiplier · 2^(shift − 31)`, the multiplier a 32-bit integer of at least 2^30. */
export type FixedPoint = { multiplier: number; shift: number };

/** The fixed-point number next to a real one; zero where it is below 2^−32. */
export function fixedPoint(real: number): FixedPoint {
  if (real === 0) return { multiplier: 0, shift: 0 };
  let shift = ceilLog2(real);
  // the logarithm may be off by one at powers of two
  if (real / 2 ** shift >= 1) shift++;
  else if (real / 2 ** shift < 0.5) shift--;
  let multiplier = Math.round((real / 2 ** shift) * 2 ** 31);
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/**
 * `value · multiplier · 2^(shift − 31)` for a 32-bit `value`, rounded once, halves up. The product has up to 62 bits, more than a
 * double holds, so `value` is taken in halves of 16 bits: each product is exact, and what the upper one leaves over joins the lower.
 */
export function scaleBy({ multiplier, shift }: FixedPoint, value: number): number {
  if (shift < -22) return scaleByTiny(multiplier, shift, value);
  const upper = (value >> 16) * multiplier;
  const lower = (value & 0xffff) * multiplier;
  const divisor = 2 ** (31 - shift);
  const upperDivisor = divisor / 0x10000;
  const quotient = Math.floor(upper / upperDivisor);
  const rest = (upper - quotient * upperDivisor) * 0x10000 + lower;
  return quotient + Math.floor((rest + divisor / 2) / divisor);
}

/** The same where even the rest is too large for a double. */
function scaleByTiny(multiplier: number, shift: number, value: number): number {
  const bits = BigInt(31 - shift);
  return Number((BigInt(value) * BigInt(multiplier) + (1n << (bits - 1n))) >> bits);
}

/** To the next integer, halves away from zero. */
export function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

/** The integer of 8 bits that stands for a real number, by float32 arithmetic as the QUANTIZE operator has it. */
export function quantiseValue(value: number, scale: number, zeroPoint: number): number {
  const integer = roundHalfAway(Math.fround(value / scale)) + zeroPoint;
  return integer < -128 ? -128 : integer > 127 ? 127 : integer;
}
