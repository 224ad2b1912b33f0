/** Numbers in ascending order, and for each the place where it stood. Overwritten by the next call of the same sorter. */
export type Sorted = { values: Float64Array; places: Uint32Array };

const digitBits = 11;
const radix = 1 << digitBits;

/** So many neighbours may differ only beyond the digits sorted by; they are put in order by insertion. */
const longestTie = 32;

/**
 * Makes a function that sorts up to `capacity` numbers, leaving NaN out, stably: a radix sort by 11-bit digits of the doubles' bits,
 * turned so that they ascend with the value. The high word (20 bits of fraction) nearly always suffices; where many numbers differ
 * only in the low word, that is sorted by as well. −0 comes out as 0.
 */
export function numberSorter(capacity: number): (values: Float64Array) => Sorted {
  const words = new Uint32Array(2);
  const double = new Float64Array(words.buffer);
  const make = () => [new Uint32Array(capacity), new Uint32Array(capacity), new Uint32Array(capacity)];
  let [low, high, places] = make();
  let [toLow, toHigh, toPlaces] = make();
  const starts = new Uint32Array(radix);
  const sorted = new Float64Array(capacity);
  let count = 0;

  return function sort(values) {
    take(values);
    for (let digit = 0; digit < 3; digit++) sortByDigit('high', digit);
    if (hasLongTie()) {
      take(values);
      for (let digit = 0; digit < 3; digit++) sortByDigit('low', digit);
      for (let digit = 0; digit < 3; digit++) sortByDigit('high', digit);
    }
    for (let i = 0; i < count; i++) {
      const isNegative = high[i] >>> 31 === 0;
      words[0] = isNegative ? ~low[i] : low[i];
      words[1] = isNegative ? ~high[i] : high[i] ^ 0x80000000;
      const value = double[0];
      const place = places[i];
      let at = i;
      for (; at > 0 && sorted[at - 1] > value; at--) {
        sorted[at] = sorted[at - 1];
        places[at] = places[at - 1];
      }
      sorted[at] = value;
      places[at] = place;
    }
    return { values: sorted.subarray(0, count), places: places.subarray(0, count) };
  };

  function take(values: Float64Array): void {
    count = 0;
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) continue;
      double[0] = values[i] + 0;
      const isNegative = words[1] >>> 31 === 1;
      low[count] = isNegative ? ~words[0] : words[0];
      high[count] = isNegative ? ~words[1] : words[1] ^ 0x80000000;
      places[count++] = i;
    }
  }

  function sortByDigit(word: 'low' | 'high', digit: number): void {
    const digits = word === 'low' ? low : high;
    const shift = digit * digitBits;
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[(digits[i] >>> shift) & (radix - 1)]++;
    if (count === 0 || starts[(digits[0] >>> shift) & (radix - 1)] === count) return; // all alike
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

  /** Whether, sorted by the high word, some run of equal high words is long and its low words differ. */
  function hasLongTie(): boolean {
    let start = 0;
    let differs = false;
    for (let i = 1; i < count; i++) {
      if (high[i] !== high[start]) {
        start = i;
        differs = false;
        continue;
      }
      differs ||= low[i] !== low[start];
      if (differs && i - start > longestTie) return true;
    }
    return false;
  }
}
