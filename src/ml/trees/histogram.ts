import type { BinnedMatrix } from './binning.ts';
import type { QuantisedGradients } from './quantise.ts';

/** The sums of a leaf or of one side of a split, in the units of the loss. */
export type Sums = { gradient: number; hessian: number; count: number };

/** A boundary between two bins of a feature: what parting the leaf there gains, the last bin to the left, and the missing values' side. */
export type Boundary = { gain: number; bin: number; missingLeft: boolean };

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

/** Decodes the entries of one slot into `sums`, leaving empty bins out. */
export function readFeature(
  sums: FeatureSums,
  entries: Float64Array,
  bins: number,
  { lanes, gradientUnit, hessianUnit, countRange }: QuantisedGradients,
): void {
  const { bin, gradient, hessian, count } = sums;
  const perCount = 1 / countRange;
  let length = 0;
  if (lanes === 1) {
    for (let b = 0; b <= bins; b++) {
      const packed = entries[b];
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
      const packed = entries[2 * b + 1];
      const whole = Math.floor(packed * perCount);
      const rows = packed - whole * countRange;
      bin[length] = b;
      gradient[length] = entries[2 * b] * gradientUnit;
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
    readFeature(sums, scratch, bins, gradients);
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
