/**
 * exp(x) by multiplications and additions alone, to one unit in the last place or so: x = k·ln 2 + r with |r| ≤ ln 2 / 2 (ln 2 in two
 * parts, so that k times the first is exact; Cody and Waite, "Software Manual for the Elementary Functions", 1980), then the
 * series of exp(r) up to r¹³.
 *
 * `Math.exp` may give another last bit on another processor: its compiled code may join a multiplication and an addition there, which
 * JavaScript itself never does. One bit in a gradient is another tree, and then the same data and seed are no longer the same model.
 */
export function exp(x: number): number {
  if (!(x > underflow)) return Number.isNaN(x) ? NaN : 0;
  if (x > overflow) return Infinity;
  const k = Math.round(x * perLn2);
  const r = x - k * ln2First - k * ln2Rest;
  let sum = 1 / 6227020800;
  sum = sum * r + 1 / 479001600;
  sum = sum * r + 1 / 39916800;
  sum = sum * r + 1 / 3628800;
  sum = sum * r + 1 / 362880;
  sum = sum * r + 1 / 40320;
  sum = sum * r + 1 / 5040;
  sum = sum * r + 1 / 720;
  sum = sum * r + 1 / 120;
  sum = sum * r + 1 / 24;
  sum = sum * r + 1 / 6;
  sum = sum * r + 0.5;
  // the two largest terms last: little is lost in adding them
  const tail = sum * r * r;
  return (1 + (r + tail)) * powerOfTwo(k >> 1) * powerOfTwo(k - (k >> 1));
}

const overflow = 709.782712893384;
const underflow = -745.2;
const perLn2 = 1.4426950408889634;
/** ln 2 to 33 bits, and what is left of it. */
const ln2First = 0.6931471803691238;
const ln2Rest = 1.9082149292705877e-10;

/** Of both signs far enough for half of any exponent, made by doubling, which is exact. */
const reach = 600;
const powers = new Float64Array(2 * reach + 1).fill(1);
for (let i = 1; i <= reach; i++) {
  powers[reach + i] = powers[reach + i - 1] * 2;
  powers[reach - i] = powers[reach - i + 1] / 2;
}
const powerOfTwo = (k: number): number => powers[reach + k];

/** log(1 + x), accurate for small x (Kahan's correction of what is lost in 1 + x); the same on every processor, as `exp`. */
export function log1p(x: number): number {
  const sum = 1 + x;
  if (sum === 1 || sum === Infinity) return x;
  if (sum === 0) return -Infinity;
  return Math.log(sum) - (sum - 1 - x) / sum;
}

/** The least whole e with 2^e ≥ x, for x above 0: exact, whatever the last bit of a logarithm. */
export function ceilLog2(x: number): number {
  let e = Math.ceil(Math.log2(x));
  if (2 ** e < x) e++;
  else if (2 ** (e - 1) >= x) e--;
  // no negative zero
  return e + 0;
}
