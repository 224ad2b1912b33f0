import type { BinnedMatrix } from './binning.ts';
import type { QuantisedGradients } from './quantise.ts';

/**
 * Where each feature's bins lie in a histogram: slot s owns `bins + 1` entries (the last for missing) from `offsets[s]`.
 * One unused entry follows each, because a stride of 4096 bytes makes neighbouring features collide in the cache.
 */
export type HistogramLayout = { offsets: Int32Array; entries: number };

/** Lays the histogram of a binned matrix out. */
export function histogramLayout(binned: BinnedMatrix): HistogramLayout {
  const offsets = new Int32Array(binned.slots.length);
  let entries = 0;
  binned.slots.forEach((slot, s) => {
    offsets[s] = entries;
    entries += slot.bins + 2;
  });
  return { offsets, entries };
}

/** Adds up the gradients of the rows `order[start..end)` per bin of the slots named. `histogram` has entries × lanes numbers. */
export function buildHistogram(
  histogram: Float64Array,
  binned: BinnedMatrix,
  layout: HistogramLayout,
  gradients: QuantisedGradients,
  slots: Int32Array,
  order: Int32Array,
  start: number,
  end: number,
): void {
  const { byRow } = binned;
  const stride = binned.slots.length;
  const { offsets } = layout;
  const { values, lanes } = gradients;
  const used = slots.length;
  histogram.fill(0);

  if (lanes === 1) {
    for (let i = start; i < end; i++) {
      const row = order[i];
      const value = values[row];
      const base = row * stride;
      for (let k = 0; k < used; k++) {
        const slot = slots[k];
        histogram[offsets[slot] + byRow[base + slot]] += value;
      }
    }
    return;
  }
  for (let i = start; i < end; i++) {
    const row = order[i];
    const gradient = values[2 * row];
    const hessian = values[2 * row + 1];
    const base = row * stride;
    for (let k = 0; k < used; k++) {
      const slot = slots[k];
      const at = 2 * (offsets[slot] + byRow[base + slot]);
      histogram[at] += gradient;
      histogram[at + 1] += hessian;
    }
  }
}

/** Parent minus one child is the other child: overwrites `parent`. Exact, because the entries are whole numbers. */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let i = 0; i < parent.length; i++) parent[i] -= child[i];
}

/** The sums of a leaf or of one side of a split, in the units of the loss. */
export type Sums = { gradient: number; hessian: number; count: number };

/** One feature's bins within a leaf, decoded: the occupied value bins in order, and what is missing. */
export type FeatureSums = {
  length: number;
  bin: Int32Array;
  gradient: Float64Array;
  hessian: Float64Array;
  count: Float64Array;
  missing: Sums;
};

export function featureSums(): FeatureSums {
  return {
    length: 0,
    bin: new Int32Array(256),
    gradient: new Float64Array(256),
    hessian: new Float64Array(256),
    count: new Float64Array(256),
    missing: { gradient: 0, hessian: 0, count: 0 },
  };
}

/** Decodes one feature of a histogram into `sums`, leaving empty bins out. */
export function readFeature(
  sums: FeatureSums,
  histogram: Float64Array,
  offset: number,
  bins: number,
  { lanes, gradientUnit, hessianUnit, countRange }: QuantisedGradients,
): void {
  const { bin, gradient, hessian, count } = sums;
  const perCount = 1 / countRange;
  let length = 0;
  if (lanes === 1) {
    for (let b = 0; b <= bins; b++) {
      const packed = histogram[offset + b];
      const whole = Math.floor(packed * perCount);
      const rows = packed - whole * countRange;
      bin[length] = b;
      gradient[length] = whole * gradientUnit;
      hessian[length] = rows;
      count[length] = rows;
      if (rows > 0) length++;
    }
  } else {
    for (let b = 0; b <= bins; b++) {
      const packed = histogram[2 * (offset + b) + 1];
      const whole = Math.floor(packed * perCount);
      const rows = packed - whole * countRange;
      bin[length] = b;
      gradient[length] = histogram[2 * (offset + b)] * gradientUnit;
      hessian[length] = whole * hessianUnit;
      count[length] = rows;
      if (rows > 0) length++;
    }
  }
  takeMissing(sums, length, bins);
}

/** The same sums straight from the rows of a leaf, for when only few features are looked at. `scratch` is all zeros, and is again after. */
export function readFeatureOfRows(
  sums: FeatureSums,
  scratch: Float64Array,
  binned: BinnedMatrix,
  gradients: QuantisedGradients,
  slot: number,
  order: Int32Array,
  start: number,
  end: number,
): void {
  const { values, lanes } = gradients;
  const { bins } = binned.slots[slot];
  const column = binned.byColumn.subarray(slot * binned.rows, (slot + 1) * binned.rows);
  if (end - start > bins) {
    if (lanes === 1) {
      for (let i = start; i < end; i++) {
        const row = order[i];
        scratch[column[row]] += values[row];
      }
    } else {
      for (let i = start; i < end; i++) {
        const row = order[i];
        const at = 2 * column[row];
        scratch[at] += values[2 * row];
        scratch[at + 1] += values[2 * row + 1];
      }
    }
    readFeature(sums, scratch, 0, bins, gradients);
    scratch.fill(0, 0, (bins + 1) * lanes);
    return;
  }
  readFewRows(sums, scratch, column, bins, gradients, order, start, end);
}

const occupied = new Uint32Array(8);

/** With fewer rows than bins: a bit per bin touched says which to decode and to clear. */
function readFewRows(
  sums: FeatureSums,
  scratch: Float64Array,
  column: Uint8Array,
  bins: number,
  { values, lanes, gradientUnit, hessianUnit, countRange }: QuantisedGradients,
  order: Int32Array,
  start: number,
  end: number,
): void {
  occupied.fill(0);
  for (let i = start; i < end; i++) {
    const row = order[i];
    const at = column[row];
    occupied[at >>> 5] |= 1 << (at & 31);
    if (lanes === 1) scratch[at] += values[row];
    else {
      scratch[2 * at] += values[2 * row];
      scratch[2 * at + 1] += values[2 * row + 1];
    }
  }

  const { bin, gradient, hessian, count } = sums;
  const perCount = 1 / countRange;
  let length = 0;
  for (let word = 0; word < 8; word++) {
    for (let bits = occupied[word]; bits !== 0; bits &= bits - 1) {
      const b = word * 32 + (31 - Math.clz32(bits & -bits));
      const packed = scratch[lanes * b + lanes - 1];
      const whole = Math.floor(packed * perCount);
      const rows = packed - whole * countRange;
      bin[length] = b;
      count[length] = rows;
      if (lanes === 1) {
        gradient[length] = whole * gradientUnit;
        hessian[length] = rows;
        scratch[b] = 0;
      } else {
        gradient[length] = scratch[2 * b] * gradientUnit;
        hessian[length] = whole * hessianUnit;
        scratch[2 * b] = 0;
        scratch[2 * b + 1] = 0;
      }
      length++;
    }
  }
  takeMissing(sums, length, bins);
}

/** The last entry read, if it is the missing bin, becomes `missing`. */
function takeMissing(sums: FeatureSums, length: number, bins: number): void {
  const last = length - 1;
  const isMissing = length > 0 && sums.bin[last] === bins;
  sums.missing.gradient = isMissing ? sums.gradient[last] : 0;
  sums.missing.hessian = isMissing ? sums.hessian[last] : 0;
  sums.missing.count = isMissing ? sums.count[last] : 0;
  sums.length = isMissing ? last : length;
}
