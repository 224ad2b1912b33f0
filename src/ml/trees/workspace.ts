import type { BinnedMatrix } from './binning.ts';
import { type Boundary, type FeatureSums, type Sums, readFeature } from './histogram.ts';
import { type KernelChoice, type KernelOperations, slotEntries } from './kernel/operations.ts';
import { twinOperations } from './kernel/twin.ts';
import { gatherBytes, webAssemblyOperations } from './kernel/webassembly.ts';
import type { QuantisedGradients } from './quantise.ts';

/**
 * The memory in which histograms are built, and what is done there. A histogram is named by its address.
 *
 *     bins    uint8    rows × slots, row by row: one row touches every slot's run of entries
 *     values  float64  rows × lanes, the quantised gradients
 *     order   int32    the rows of the tree, each leaf's in one range
 *     list    int32    the slots to build, when not all
 *     need    float64  in and out of a scan
 *     buffer  copies of some rows at a time
 *     then the histograms, each slots × 257 entries of one or two doubles (see kernel/operations.ts)
 */
export type HistogramWorkspace = {
  order: Int32Array;
  /** Takes the gradients of the next tree, and the slots that it may use. */
  load: (gradients: QuantisedGradients, slots: Int32Array) => void;
  /** The histogram of the rows order[start … end), or null when all are in use. */
  build: (start: number, end: number) => number | null;
  /** Parent minus one child is the other child: overwrites the parent. Exact, because the entries are whole numbers. */
  subtract: (parent: number, child: number) => void;
  release: (histogram: number) => void;
  /** Decodes one slot's bins into `sums`. */
  read: (sums: FeatureSums, histogram: number, slot: number) => void;
  /** The boundary of a numeric slot that gains more than `atLeast`, nothing but counts, hessians and L2 being asked for; or null. */
  bestBoundary: (
    histogram: number,
    slot: number,
    total: Sums,
    unsplit: number,
    atLeast: number,
    rules: BoundaryRules,
  ) => Boundary | null;
};

export type BoundaryRules = { minChildSamples: number; minChildWeight: number; lambdaL2: number };

/** Histograms of waiting leaves may take this much; further ones are built anew when they are needed. */
const histogramBytesLimit = 256 * 1024 * 1024;

/** Makes room for trees of up to `capacity` rows (a bootstrap may repeat them) and `histograms` leaves at a time. */
export function histogramWorkspace(
  binned: BinnedMatrix,
  lanes: 1 | 2,
  capacity: number,
  histograms: number,
  choice: KernelChoice,
): HistogramWorkspace {
  const { rows } = binned;
  const slots = binned.slots.length;
  const entryBytes = 8 * lanes;
  const runBytes = slotEntries * entryBytes;
  const histogramBytes = aligned(slots * runBytes);
  const count = Math.max(2, Math.min(histograms, Math.floor(histogramBytesLimit / histogramBytes)));

  const values = aligned(rows * slots);
  const order = values + aligned(rows * entryBytes);
  const list = order + aligned(capacity * 4);
  const need = list + aligned(slots * 4);
  const buffer = need + 16;
  const first = buffer + aligned(gatherBytes(slots, lanes));
  // a scan reads in pairs and may touch the entry after the last
  const { memory, operations } = kernel(first + count * histogramBytes + 32, choice);
  const doubles = new Float64Array(memory);
  fillRowMajor(new Uint8Array(memory, 0, rows * slots), binned);
  const free = Array.from({ length: count }, (_, k) => first + (count - 1 - k) * histogramBytes);
  let gradients: QuantisedGradients;
  let listed = slots;

  return {
    order: new Int32Array(memory, order, capacity),

    load(loaded, usedSlots) {
      gradients = loaded;
      doubles.set(loaded.values, values / 8);
      // the kernel for all slots is about twice as quick for each: where most are used, the others are built along
      const isList = usedSlots.length < slots / 2;
      listed = isList ? usedSlots.length : slots;
      if (isList) new Int32Array(memory, list, listed).set(usedSlots);
    },

    build(start, end) {
      const histogram = free.pop();
      if (histogram === undefined) return null;
      doubles.fill(0, histogram / 8, (histogram + histogramBytes) / 8);
      const from = order + start * 4;
      const to = order + end * 4;
      if (listed === slots) {
        const build = lanes === 1 ? operations.buildOne : operations.buildTwo;
        build(0, slots, from, to, values, histogram, buffer);
      } else {
        const build = lanes === 1 ? operations.buildListedOne : operations.buildListedTwo;
        build(0, slots, from, to, values, histogram, buffer, list, list + listed * 4);
      }
      return histogram;
    },

    subtract: (parent, child) => operations.subtract(parent, child, histogramBytes),
    release: (histogram) => void free.push(histogram),

    read(sums, histogram, slot) {
      const run = (histogram + slot * runBytes) / 8;
      readFeature(sums, doubles.subarray(run, run + slotEntries * lanes), binned.slots[slot].bins, gradients);
    },

    bestBoundary(histogram, slot, total, unsplit, atLeast, rules) {
      const { gradientUnit, hessianUnit, countRange } = gradients;
      const run = histogram + slot * runBytes;
      const last = binned.slots[slot].bins - 1;
      const missing = (run + (last + 1) * entryBytes) / 8;
      const missingPacked = doubles[missing + lanes - 1];
      const gradient = total.gradient / gradientUnit;
      const gainUnit = (gradientUnit * gradientUnit) / hessianUnit;
      const lambda = rules.lambdaL2 / hessianUnit;
      const leastHessian = rules.minChildWeight / hessianUnit;
      const leastCount = lanes === 1 ? Math.max(rules.minChildSamples, leastHessian) : rules.minChildSamples;
      doubles[need / 8] = (atLeast + unsplit) / gainUnit;

      const scan = (startGradient: number, startPacked: number) =>
        lanes === 1
          ? operations.scanOne(run, last, startPacked, gradient, total.count, countRange, leastCount, lambda, need)
          : operations.scanTwo(
              run,
              last,
              startGradient,
              startPacked,
              gradient,
              total.hessian / hessianUnit,
              total.count,
              countRange,
              leastCount,
              leastHessian,
              lambda,
              need,
            );
      const right = scan(0, 0);
      const left = missingPacked === 0 ? -1 : scan(doubles[missing], missingPacked);
      if (right < 0 && left < 0) return null;
      return { gain: doubles[need / 8] * gainUnit - unsplit, bin: left < 0 ? right : left, missingLeft: left >= 0 };
    },
  };
}

/** What a tree needs that looks at few features per node and keeps no histograms: bins by column, values, order. */
export type RowsWorkspace = {
  order: Int32Array;
  load: (gradients: QuantisedGradients) => void;
  /**
   * As `bestBoundary`, from the rows order[start … end) of a slot without missing values; `constant` when they all share a bin.
   */
  bestBoundary: (
    slot: number,
    start: number,
    end: number,
    total: Sums,
    unsplit: number,
    atLeast: number,
    rules: BoundaryRules,
  ) => Boundary | 'constant' | null;
};

/** Makes room for trees of up to `capacity` rows on one lane. */
export function rowsWorkspace(binned: BinnedMatrix, capacity: number, choice: KernelChoice): RowsWorkspace {
  const { rows } = binned;
  const values = aligned(binned.byColumn.length);
  const order = values + aligned(rows * 8);
  const scratch = order + aligned(capacity * 4);
  const marks = scratch + 256 * 8;
  const need = marks + 32;
  const { memory, operations } = kernel(need + 16, choice);
  const doubles = new Float64Array(memory);
  new Uint8Array(memory).set(binned.byColumn);
  let gradients: QuantisedGradients;

  return {
    order: new Int32Array(memory, order, capacity),
    load(loaded) {
      gradients = loaded;
      doubles.set(loaded.values, values / 8);
    },
    bestBoundary(slot, start, end, total, unsplit, atLeast, rules) {
      const { gradientUnit, countRange } = gradients;
      const gainUnit = gradientUnit * gradientUnit;
      doubles[need / 8] = (atLeast + unsplit) / gainUnit;
      const bin = operations.scanRowsOne(
        slot * rows,
        order + start * 4,
        order + end * 4,
        values,
        scratch,
        marks,
        total.gradient / gradientUnit,
        total.count,
        countRange,
        Math.max(rules.minChildSamples, rules.minChildWeight),
        rules.lambdaL2,
        need,
      );
      if (bin < 0) return bin === -2 ? 'constant' : null;
      return { gain: doubles[need / 8] * gainUnit - unsplit, bin, missingLeft: false };
    },
  };
}

function kernel(bytes: number, choice: KernelChoice): { memory: ArrayBufferLike; operations: KernelOperations } {
  const fast = choice === 'webassembly' ? webAssemblyOperations(bytes) : null;
  if (fast !== null) return fast;
  const memory = new ArrayBuffer(aligned(bytes));
  return { memory, operations: twinOperations(memory) };
}

function aligned(bytes: number): number {
  return (bytes + 15) & ~15;
}

/** Turns the column-major bins round, in blocks of rows that stay in the cache. */
function fillRowMajor(byRow: Uint8Array, { rows, slots, byColumn }: BinnedMatrix): void {
  const blockRows = 64;
  const stride = slots.length;
  for (let first = 0; first < rows; first += blockRows) {
    const end = Math.min(rows, first + blockRows);
    for (let slot = 0; slot < stride; slot++) {
      for (let row = first, at = first * stride + slot; row < end; row++, at += stride)
        byRow[at] = byColumn[slot * rows + row];
    }
  }
}
