/** Numbers in ascending order, and for each the place where it stood. */
export type Sorted = { values: Float64Array; places: Uint32Array };

const digitBits = 11;
const radix = 1 << digitBits;

/**
 * Sorts the values that are not NaN, stably: a radix sort over the six 11-bit digits of each double's bits, turned so that they
 * ascend with the value. About five times as fast as comparing, and it brings the places along. −0 comes out as 0.
 */
export function sortNumbers(values: Float64Array): Sorted {
  const words = new Uint32Array(2);
  const double = new Float64Array(words.buffer);
  let low = new Uint32Array(values.length);
  let high = new Uint32Array(values.length);
  let places = new Uint32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    double[0] = values[i] + 0;
    const isNegative = words[1] >>> 31 === 1;
    low[count] = isNegative ? ~words[0] : words[0];
    high[count] = isNegative ? ~words[1] : words[1] ^ 0x80000000;
    places[count++] = i;
  }

  let toLow = new Uint32Array(count);
  let toHigh = new Uint32Array(count);
  let toPlaces = new Uint32Array(count);
  const starts = new Uint32Array(radix);
  // three digits of the low word (11, 11, 10 bits), then three of the high word
  for (let pass = 0; pass < 6; pass++) {
    const digits = pass < 3 ? low : high;
    const shift = (pass % 3) * digitBits;
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(digits[i] >>> shift) & (radix - 1)]++;
    if (count === 0 || starts[(digits[0] >>> shift) & (radix - 1)] === count) continue; // all alike
    for (let d = 0, sum = 0; d < radix; d++) {
      const here = starts[d];
      starts[d] = sum;
      sum += here;
    }
    for (let i = 0; i < count; i++) {
      const to = starts[(digits[i] >>> shift) & (radix - 1)]++;
      toLow[to] = low[i];
      toHigh[to] = high[i];
      toPlaces[to] = places[i];
    }
    [low, toLow] = [toLow, low];
    [high, toHigh] = [toHigh, high];
    [places, toPlaces] = [toPlaces, places];
  }

  const sorted = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const isNegative = high[i] >>> 31 === 0;
    words[0] = isNegative ? ~low[i] : low[i];
    words[1] = isNegative ? ~high[i] : high[i] ^ 0x80000000;
    sorted[i] = double[0];
  }
  return { values: sorted, places: places.subarray(0, count) };
}
