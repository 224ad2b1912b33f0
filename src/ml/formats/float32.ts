/** Neighbours of floating-point numbers: XGBoost compares in float32 with <, this product in float64 with ≤. */

const bits32 = new Int32Array(1);
const float32 = new Float32Array(bits32.buffer);
const bits64 = new BigInt64Array(1);
const float64 = new Float64Array(bits64.buffer);

/** The next float32 above (1) or below (−1) a float32. */
export function neighbour32(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * 2 ** -149;
  float32[0] = value;
  bits32[0] += value > 0 ? direction : -direction;
  return float32[0] + 0; // no −0
}

/** The largest double that, rounded to float32, is less than the float32 `bound`. */
export function largestBelow32(bound: number): number {
  const below = neighbour32(bound, -1);
  const middle = below + (bound - below) / 2;
  if (Math.fround(middle) < bound) return middle;
  float64[0] = middle;
  bits64[0] += middle > 0 ? -1n : 1n;
  return middle === 0 ? -Number.MIN_VALUE : float64[0];
}

/** The smallest float32 b such that every float32 x has x < b exactly when x ≤ `bound`; the largest float32 when there is none. */
export function smallestAbove32(bound: number): number {
  const rounded = Math.fround(bound);
  const atMost = rounded <= bound ? rounded : neighbour32(rounded, -1);
  return Math.min(neighbour32(atMost, 1), largestFloat32);
}

const largestFloat32 = (2 - 2 ** -23) * 2 ** 127;
