/** WebAssembly falls back to TypeScript where it is not to be had; both grow the same trees, node by node. */
export type KernelChoice = 'webassembly' | 'typescript';

/**
 * The inner loops of the trainer, on one block of memory that all addresses (in bytes) point into. There are two of each: WebAssembly
 * with SIMD, and its twin in TypeScript. Gradients are whole numbers, so both give the same bits.
 *
 * The histogram of a leaf is `slots` runs of `slotEntries` entries; an entry is one double (one lane) or two (two lanes). The run is
 * longer than the 256 bins by one, because at a stride of 4096 bytes neighbouring features would fall into the same cache sets.
 */
export type KernelOperations = {
  /**
   * Adds the value of each row in order[…orderEnd) to the entry of its bin, in every slot. Bins are bytes, `slots` per row. The buffer
   * is for copies of some rows at a time.
   */
  buildOne: Build;
  buildTwo: Build;
  /** The same for the slots listed as int32 at list[…listEnd) only. */
  buildListedOne: ListedBuild;
  buildListedTwo: ListedBuild;
  /** parent −= child, over `bytes` bytes, a multiple of 16. */
  subtract: (parent: number, child: number, bytes: number) => void;
  /**
   * Goes through the boundaries after bins 0 … last of one slot, all to the left of a boundary (and `startPacked`) going left, and
   * returns the bin whose boundary gains most and more than the double at `need`, or −1. Units are those of the quantised gradients;
   * `need` includes the gain of the unsplit leaf and is raised to what was found.
   */
  scanOne: (
    histogram: number,
    last: number,
    startPacked: number,
    gradient: number,
    count: number,
    countRange: number,
    leastCount: number,
    lambda: number,
    need: number,
  ) => number;
  scanTwo: (
    histogram: number,
    last: number,
    startGradient: number,
    startPacked: number,
    gradient: number,
    hessian: number,
    count: number,
    countRange: number,
    leastCount: number,
    leastHessian: number,
    lambda: number,
    need: number,
  ) => number;
  /**
   * The same search for the rows in order[…orderEnd), straight from the bins of one column, for leaves whose histogram is not kept.
   * `scratch` is 256 doubles of zeros, `marks` 8 int32 of zeros; both are so again afterwards. Returns −2 when all rows share a bin.
   */
  scanRowsOne: (
    column: number,
    order: number,
    orderEnd: number,
    values: number,
    scratch: number,
    marks: number,
    gradient: number,
    count: number,
    countRange: number,
    leastCount: number,
    lambda: number,
    need: number,
  ) => number;
};

type Build = (
  bins: number,
  slots: number,
  order: number,
  orderEnd: number,
  values: number,
  histogram: number,
  buffer: number,
) => void;

type ListedBuild = (
  bins: number,
  slots: number,
  order: number,
  orderEnd: number,
  values: number,
  histogram: number,
  buffer: number,
  list: number,
  listEnd: number,
) => void;

export const slotEntries = 257;
