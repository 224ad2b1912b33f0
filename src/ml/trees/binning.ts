import { type Matrix, column } from '../matrix.ts';
import { random } from '../random.ts';
import { InvalidTrainingData } from './parameters.ts';
import { type Sorted, numberSorter } from './sort.ts';

/**
 * How the values of one feature fall into bins. Value bins are 0 … bins − 1; bin number `bins` holds the missing values (for a
 * categorical feature also the categories too rare to have a bin, and negative codes).
 */
export type FeatureBins = {
  column: number;
  bins: number;
  /** Numeric: value ≤ upperBounds[b] falls into the first such b; the last is the largest double. Empty for a categorical one. */
  upperBounds: Float64Array;
  /** Categorical: the code of each bin, the most frequent first. Null for a numeric one. */
  codes: Int32Array | null;
};

/**
 * The training rows as bin numbers, for the features that have something to split on ("slots"). Column by column, as the partition
 * reads them (one feature, many rows); uint8, since there are at most 255 value bins and one for missing.
 */
export type BinnedMatrix = {
  rows: number;
  slots: readonly FeatureBins[];
  /** `byColumn[slot * rows + row]`. */
  byColumn: Uint8Array;
  /** LightGBM's feature_infos, for every column of the matrix. */
  featureInfos: string[];
};

export type BinningOptions = { maxBin: number; minDataInBin: number };

const largestCode = 1_000_000;

/** Bounds are drawn from a sample of this many rows where there are more; LightGBM takes 200,000. */
const boundsSample = 100_000;

/**
 * Bins a design matrix. A numeric feature gets one bin per distinct value when these are few, else bins of about equal row
 * counts; bounds lie half-way between neighbouring values. A categorical feature gets one bin per code.
 * Throws InvalidTrainingData for an infinite value or a code that is not a whole number from 0 to 1,000,000; names the column.
 */
export function binMatrix(matrix: Matrix, options: BinningOptions): BinnedMatrix {
  const categorical = new Set(matrix.categorical);
  const featureInfos: string[] = [];
  const slots: FeatureBins[] = [];
  const columns: Uint8Array[] = [];
  const sampled = matrix.rows > boundsSample ? random('rows for bin bounds').sample(matrix.rows, boundsSample) : null;
  const sort = numberSorter(Math.min(matrix.rows, boundsSample));

  for (let c = 0; c < matrix.columns; c++) {
    const values = column(matrix, c);
    const { bins, assigned, info } = categorical.has(c)
      ? binCategories(values, c, matrix.names[c], options.maxBin)
      : binNumbers(values, c, matrix.names[c], options, sort, sampled);
    featureInfos.push(info);

    // a feature with everything in one bin can never split
    const first = assigned[0];
    if (!assigned.some((bin) => bin !== first)) continue;
    slots.push(bins);
    columns.push(assigned);
  }

  const byColumn = new Uint8Array(matrix.rows * slots.length);
  columns.forEach((bins, slot) => byColumn.set(bins, slot * matrix.rows));
  return { rows: matrix.rows, slots, byColumn, featureInfos };
}

/** Other rows of the same columns in the bins of a matrix, as its `byColumn`. A value beyond those binned falls into the bin next to it. */
export function binRows({ slots }: BinnedMatrix, matrix: Matrix): Uint8Array {
  const byColumn = new Uint8Array(matrix.rows * slots.length);
  slots.forEach((slot, s) => {
    const values = column(matrix, slot.column);
    const assigned = byColumn.subarray(s * matrix.rows, (s + 1) * matrix.rows);
    if (slot.codes === null) assignByHalving(assigned, values, slot.upperBounds);
    else assignCodes(assigned, values, slot.codes);
  });
  return byColumn;
}

type BinnedColumn = { bins: FeatureBins; assigned: Uint8Array; info: string };

function binNumbers(
  values: Float64Array,
  column: number,
  name: string,
  options: BinningOptions,
  sort: (values: Float64Array) => Sorted,
  sampled: Int32Array | null,
): BinnedColumn {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (low === -Infinity || high === Infinity) {
    throw new InvalidTrainingData(`Column "${name}" holds an infinite value; make it missing (NaN) or cap it.`);
  }
  const { values: sorted, places } = sort(sampled === null ? values : valuesAt(values, sampled));

  // distinct values and how often each occurs
  const distinct = new Float64Array(sorted.length);
  const counts = new Int32Array(sorted.length);
  let kinds = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (kinds > 0 && sorted[i] === distinct[kinds - 1]) counts[kinds - 1]++;
    else {
      distinct[kinds] = sorted[i];
      counts[kinds++] = 1;
    }
  }

  const cuts = cutPoints(distinct, counts.subarray(0, kinds), sorted.length, options);
  const upperBounds = new Float64Array(cuts.length + 1).fill(Number.MAX_VALUE);
  cuts.forEach((cut, b) => (upperBounds[b] = between(distinct[cut], distinct[cut + 1])));

  const assigned = new Uint8Array(values.length);
  if (sampled === null) {
    assigned.fill(upperBounds.length); // missing, until found below
    for (let i = 0, bin = 0; i < sorted.length; i++) {
      while (sorted[i] > upperBounds[bin]) bin++;
      assigned[places[i]] = bin;
    }
  } else assignByGrid(assigned, values, upperBounds);
  const info = high > low ? `[${low + 0}:${high + 0}]` : 'none';
  return { bins: { column, bins: upperBounds.length, upperBounds, codes: null }, assigned, info };
}

/**
 * After which of the distinct values a bin ends. Each value gets its own bin while they fit; otherwise a value more frequent
 * than the mean bin gets a bin alone and the others share what is left evenly. A bin always ends where the sign changes, since that
 * is where products of features turn.
 */
function cutPoints(
  distinct: Float64Array,
  counts: Int32Array,
  total: number,
  { maxBin, minDataInBin }: BinningOptions,
): number[] {
  const cuts: number[] = [];
  const kinds = counts.length;
  let held = 0;
  if (kinds <= maxBin) {
    for (let k = 0; k < kinds - 1; k++) {
      held += counts[k];
      if (held < minDataInBin) continue;
      cuts.push(k);
      held = 0;
    }
    return cuts;
  }

  const isHeavy = (k: number) => counts[k] >= total / maxBin;
  let binsLeft = maxBin;
  let rowsLeft = total;
  for (let k = 0; k < kinds; k++) {
    if (!isHeavy(k)) continue;
    binsLeft--;
    rowsLeft -= counts[k];
  }
  let share = Math.max(minDataInBin, binsLeft > 0 ? rowsLeft / binsLeft : rowsLeft);
  for (let k = 0; k < kinds - 1 && cuts.length < maxBin - 1; k++) {
    if (!isHeavy(k)) rowsLeft -= counts[k];
    held += counts[k];
    const full = held >= share;
    const beforeHeavy = isHeavy(k + 1) && held >= Math.max(1, share / 2);
    const isSign = held >= minDataInBin && (distinct[k] === 0 || (distinct[k] < 0 && distinct[k + 1] >= 0));
    if (!isHeavy(k) && !full && !beforeHeavy && !isSign) continue;
    cuts.push(k);
    held = 0;
    if (isHeavy(k)) continue;
    binsLeft--;
    share = Math.max(minDataInBin, binsLeft > 0 ? rowsLeft / binsLeft : rowsLeft);
  }
  return cuts;
}

/** A double t with low ≤ t < high, half-way where doubles allow. */
function between(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  return middle < high ? middle : low;
}

function valuesAt(values: Float64Array, rows: Int32Array): Float64Array {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]];
  return taken;
}

/**
 * Finds the bin of each value by an even grid over the bounds, whose cells know the first bin that reaches into them, and by halving
 * within the cell: a search of two or three steps instead of eight.
 */
function assignByGrid(assigned: Uint8Array, values: Float64Array, upperBounds: Float64Array): void {
  const cells = 2048;
  const last = upperBounds.length - 1; // its bound is infinite for our purposes
  const origin = upperBounds[0];
  const perUnit = last > 1 ? (cells - 1) / (upperBounds[last - 1] - origin) : 0;
  const cellOf = (value: number) => Math.min(cells - 1, Math.max(0, Math.floor((value - origin) * perUnit)));
  const firstBin = new Uint8Array(cells + 1).fill(last);
  for (let bin = last - 1; bin >= 0; bin--) firstBin.fill(bin, 0, cellOf(upperBounds[bin]) + 1);

  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) {
      assigned[i] = upperBounds.length;
      continue;
    }
    const cell = cellOf(value);
    let low = firstBin[cell];
    let high = firstBin[cell + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= upperBounds[middle]) high = middle;
      else low = middle + 1;
    }
    assigned[i] = low;
  }
}

function assignByHalving(assigned: Uint8Array, values: Float64Array, upperBounds: Float64Array): void {
  const last = upperBounds.length - 1;
  for (let i = 0; i < values.length; i++) {
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[i] <= upperBounds[middle]) high = middle;
      else low = middle + 1;
    }
    assigned[i] = Number.isNaN(values[i]) ? last + 1 : low;
  }
}

/** As trees read them: what is no code of a bin is missing. */
function assignCodes(assigned: Uint8Array, values: Float64Array, codes: Int32Array): void {
  const binOfCode = new Map(Array.from(codes, (code, bin) => [code, bin]));
  for (let i = 0; i < values.length; i++) {
    assigned[i] = values[i] >= 0 ? (binOfCode.get(Math.trunc(values[i])) ?? codes.length) : codes.length;
  }
}

function binCategories(values: Float64Array, column: number, name: string, maxBin: number): BinnedColumn {
  const counts: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const code = values[i];
    if (Number.isNaN(code) || code < 0) continue;
    if (!(Number.isInteger(code) && code <= largestCode)) {
      throw new InvalidTrainingData(
        `Column "${name}" is categorical, but holds a code that is not a whole number from 0 to ${largestCode}; encode its levels first.`,
      );
    }
    while (counts.length <= code) counts.push(0);
    counts[code]++;
  }
  const present = Array.from(counts.keys()).filter((code) => counts[code] > 0);
  const byFrequency = present.toSorted((a, b) => counts[b] - counts[a] || a - b);
  const codes = Int32Array.from(byFrequency.slice(0, maxBin));

  const binOfCode = new Uint8Array(counts.length).fill(codes.length);
  codes.forEach((code, bin) => (binOfCode[code] = bin));
  const assigned = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) assigned[i] = values[i] >= 0 ? binOfCode[values[i]] : codes.length;
  const info = present.length > 1 ? present.join(':') : 'none';
  return { bins: { column, bins: codes.length, upperBounds: new Float64Array(0), codes }, assigned, info };
}
