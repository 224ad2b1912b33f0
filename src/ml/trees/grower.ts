import type { Random } from '../random.ts';
import type { BinnedMatrix } from './binning.ts';
import { type Boundary, type Sums, featureSums, readFeatureOfRows } from './histogram.ts';
import type { KernelChoice } from './kernel/operations.ts';
import type { QuantisedGradients } from './quantise.ts';
import {
  type Bounds,
  type Split,
  type SplitRules,
  bestCategoricalSplit,
  bestNumericSplit,
  leafValue,
  reductionAtBest,
  splitAt,
} from './splitter.ts';
import { type HistogramWorkspace, type RowsWorkspace, histogramWorkspace, rowsWorkspace } from './workspace.ts';

export type GrowthRules = SplitRules & {
  /** 0 is no limit. */
  numLeaves: number;
  /** 0 is no limit. */
  maxDepth: number;
  minSplitSamples: number;
  featureFractionByNode: number;
  monotoneConstraints?: readonly number[];
};

/** An inner node while the tree grows: children as in Tree, numbered in the order of splitting. */
export type GrownNode = { split: Split; left: number; right: number };

/** A grown tree, not yet flat: its nodes, and per leaf the range of `order` that holds its rows and the bounds on its value. */
export type GrownTree = { nodes: GrownNode[]; leaves: GrownLeaf[]; order: Int32Array };

export type GrownLeaf = { start: number; end: number; bounds: Bounds };

type OpenLeaf = GrownLeaf & {
  id: number;
  depth: number;
  total: Sums;
  histogram: number | null;
  split: Split | null;
  parent: GrownNode | null;
};

/** Below this share of features per node it is cheaper to read those features row by row than to keep whole histograms. */
const sparseShare = 0.5;

/**
 * Makes a function that grows one tree on the rows given. The order of rows that it returns, where each leaf's rows stand together,
 * is overwritten by the next tree.
 * With a limit on the leaves it always splits the leaf that gains most (leaf-wise growth); without one it goes depth first,
 * since the order no longer matters.
 *
 *     order   ┌────────── leaf 0 ──────────┐          rows of a leaf are one range;
 *     split   ┌──── leaf 0 ────┬─ leaf 1 ──┐          left rows stay in front, both sides keep their order
 */
export function treeGrower(
  binned: BinnedMatrix,
  rules: GrowthRules,
  kernel: KernelChoice = 'webassembly',
): (gradients: QuantisedGradients, order: Int32Array, slots: Int32Array, random: Random) => GrownTree {
  const sums = featureSums();
  const scratch = new Float64Array(2 * 257);
  const spill = new Int32Array(binned.rows);
  let workspace: HistogramWorkspace | null = null;
  let workspaceLanes = 0;
  let direct: RowsWorkspace | null = null;
  const sparse = rules.featureFractionByNode <= sparseShare;
  /** Splits are judged by gain alone: what the kernel can do. */
  const isPlain = !rules.extraTrees && rules.lambdaL1 === 0;
  const hasMissing = missingSlots(binned);
  const splitRules: SplitRules = { ...rules, minChildWeight: Math.max(rules.minChildWeight, Number.MIN_VALUE) };

  return function grow(gradients, rows, slots, random) {
    const histograms = sparse || slots.length === 0 ? null : workspaceFor(gradients, slots, rows.length);
    const columns = sparse && gradients.lanes === 1 ? rowsWorkspaceFor(gradients, rows.length) : null;
    const order = (histograms ?? columns)?.order.subarray(0, rows.length) ?? Int32Array.from(rows);
    order.set(rows);
    const candidates = Int32Array.from(slots);
    const perNode = Math.max(1, Math.round(rules.featureFractionByNode * slots.length));
    const nodes: GrownNode[] = [];
    const leaves: OpenLeaf[] = [];

    const root = leaf(0, order.length, 0, totalOf(gradients, order), { low: -Infinity, high: Infinity }, null);
    if (worthSearching(root)) root.histogram = build(root);
    root.split = search(root);
    const open = [root];
    while (open.length > 0 && (rules.numLeaves === 0 || leaves.length < rules.numLeaves)) {
      const next = rules.numLeaves === 0 ? open.length - 1 : bestOf(open);
      const parent = open[next];
      open[next] = open[open.length - 1];
      open.pop();
      if (parent.split !== null) open.push(...divide(parent, parent.split));
    }
    for (const waiting of open) release(waiting);
    return { nodes, leaves, order };

    function leaf(start: number, end: number, depth: number, total: Sums, bounds: Bounds, parent: GrownNode | null) {
      const made: OpenLeaf = {
        id: leaves.length,
        start,
        end,
        depth,
        total,
        bounds,
        histogram: null,
        split: null,
        parent,
      };
      leaves.push(made);
      return made;
    }

    /** Splits a leaf: it becomes a node, its id passes to the left child, the right child is a new leaf. */
    function divide(parent: OpenLeaf, split: Split): OpenLeaf[] {
      const middle = partition(order, parent.start, parent.end, split);
      const node: GrownNode = { split, left: ~parent.id, right: ~leaves.length };
      if (parent.parent !== null) {
        if (parent.parent.left === ~parent.id) parent.parent.left = nodes.length;
        else parent.parent.right = nodes.length;
      }
      nodes.push(node);

      const [leftBounds, rightBounds] = childBounds(parent, split);
      const right = leaf(middle, parent.end, parent.depth + 1, split.right, rightBounds, node);
      const left: OpenLeaf = {
        ...parent,
        end: middle,
        depth: parent.depth + 1,
        total: split.left,
        bounds: leftBounds,
        histogram: null,
        split: null,
        parent: node,
      };
      leaves[parent.id] = left;

      const children = leaves.length === rules.numLeaves ? [] : [left, right].filter(worthSearching);
      if (children.length > 0 && !sparse) shareHistogram(parent, left, right);
      else release(parent);
      for (const child of children) child.split = search(child);
      for (const child of [left, right]) if (child.split === null) release(child);
      return children.filter((child) => child.split !== null);
    }

    /** Builds the histogram of the child with fewer rows; the other child's is the parent's minus that. */
    function shareHistogram(parent: OpenLeaf, left: OpenLeaf, right: OpenLeaf): void {
      const [small, large] = left.total.count <= right.total.count ? [left, right] : [right, left];
      const inherited = parent.histogram;
      parent.histogram = null;
      if (inherited !== null && histograms !== null) {
        small.histogram = build(small);
        if (small.histogram !== null) {
          histograms.subtract(inherited, small.histogram);
          large.histogram = inherited;
          return;
        }
        histograms.release(inherited);
      }
      for (const child of [small, large]) if (worthSearching(child)) child.histogram = build(child);
    }

    function build({ start, end }: OpenLeaf): number | null {
      return histograms === null ? null : histograms.build(start, end);
    }

    function release(leaf: OpenLeaf): void {
      if (leaf.histogram !== null) histograms?.release(leaf.histogram);
      leaf.histogram = null;
    }

    function worthSearching({ depth, total }: OpenLeaf): boolean {
      return (
        (rules.maxDepth === 0 || depth < rules.maxDepth) &&
        total.count >= Math.max(rules.minSplitSamples, 2 * rules.minChildSamples) &&
        slots.length > 0
      );
    }

    /** The best split of a leaf over its features, or null. */
    function search(open: OpenLeaf): Split | null {
      if (!worthSearching(open)) return null;
      const { total, bounds } = open;
      const unsplit = reductionAtBest(total, splitRules, bounds);
      const free = bounds.low === -Infinity && bounds.high === Infinity;
      let atLeast = Math.max(rules.minSplitGain, 1e-12 * unsplit); // less than that is rounding
      let best: Split | null = null;
      let bestBoundary: { slot: number; boundary: Boundary } | null = null;
      let tried = 0;
      for (let k = 0; k < candidates.length && tried < perNode; k++) {
        if (perNode < candidates.length) swap(candidates, k, k + random.integer(candidates.length - k));
        const slot = candidates[k];
        const { bins, codes, column } = binned.slots[slot];
        const direction = rules.monotoneConstraints?.[column] ?? 0;
        if (codes === null && free && direction === 0 && isPlain) {
          const boundary = quickBoundary(open, slot, unsplit, atLeast);
          if (boundary !== 'cannot') {
            if (boundary !== 'constant') tried++;
            if (boundary === null || boundary === 'constant') continue;
            atLeast = boundary.gain;
            bestBoundary = { slot, boundary };
            continue;
          }
        }

        readSlot(open, slot);
        // a feature that is constant within the leaf does not count as tried
        if (sums.length + (sums.missing.count > 0 ? 1 : 0) < 2) continue;
        tried++;
        const found: Split | null =
          codes === null
            ? bestNumericSplit(sums, slot, total, bounds, direction, splitRules, atLeast, random)
            : bestCategoricalSplit(sums, slot, bins, total, bounds, splitRules, atLeast, random);
        if (found === null) continue;
        atLeast = found.gain;
        best = found;
        bestBoundary = null;
      }
      if (bestBoundary === null) return best;
      readSlot(open, bestBoundary.slot);
      return splitAt(sums, bestBoundary.slot, bestBoundary.boundary, total);
    }

    /** The best boundary of a plain numeric slot by the kernel, where its way of looking is open. */
    function quickBoundary(
      { total, histogram, start, end }: OpenLeaf,
      slot: number,
      unsplit: number,
      atLeast: number,
    ): Boundary | 'constant' | 'cannot' | null {
      if (columns !== null && hasMissing[slot] === 0) {
        return columns.bestBoundary(slot, start, end, total, unsplit, atLeast, splitRules);
      }
      // from a histogram it cannot be told cheaply whether the feature is constant, which matters when not all are tried
      if (histograms === null || histogram === null || perNode < candidates.length) return 'cannot';
      return histograms.bestBoundary(histogram, slot, total, unsplit, atLeast, splitRules);
    }

    function readSlot({ histogram, start, end }: OpenLeaf, slot: number): void {
      if (histograms !== null && histogram !== null) histograms.read(sums, histogram, slot);
      else readFeatureOfRows(sums, scratch, binned, gradients, slot, order, start, end);
    }

    /** Below a monotone split each side keeps to its side of the middle between the two values ("basic" method). */
    function childBounds({ bounds }: OpenLeaf, { slot, left, right }: Split): [Bounds, Bounds] {
      const direction = rules.monotoneConstraints?.[binned.slots[slot].column] ?? 0;
      if (direction === 0) return [bounds, bounds];
      const { lambdaL1, lambdaL2 } = rules;
      const middle =
        (leafValue(left.gradient, left.hessian, lambdaL1, lambdaL2, bounds) +
          leafValue(right.gradient, right.hessian, lambdaL1, lambdaL2, bounds)) /
        2;
      const below = { low: bounds.low, high: middle };
      const above = { low: middle, high: bounds.high };
      return direction > 0 ? [below, above] : [above, below];
    }
  };

  function workspaceFor(gradients: QuantisedGradients, slots: Int32Array, rows: number): HistogramWorkspace {
    if (workspace === null || workspaceLanes !== gradients.lanes || workspace.order.length < rows) {
      const leaves = rules.numLeaves === 0 ? Infinity : rules.numLeaves + 1;
      workspace = histogramWorkspace(binned, gradients.lanes, Math.max(rows, binned.rows), leaves, kernel);
      workspaceLanes = gradients.lanes;
    }
    workspace.load(gradients, slots);
    return workspace;
  }

  function rowsWorkspaceFor(gradients: QuantisedGradients, rows: number): RowsWorkspace {
    if (direct === null || direct.order.length < rows) {
      direct = rowsWorkspace(binned, Math.max(rows, binned.rows), kernel);
    }
    direct.load(gradients);
    return direct;
  }

  /** Moves the rows that go left to the front of the range, keeping the order on both sides; returns where the right side begins. */
  function partition(order: Int32Array, start: number, end: number, split: Split): number {
    const column = binned.byColumn.subarray(split.slot * binned.rows, (split.slot + 1) * binned.rows);
    const goesLeft = leftBinsOf(split, binned.slots[split.slot].bins);
    const kept = spill.length >= end - start ? spill : new Int32Array(end - start);
    let left = start;
    let right = 0;
    for (let i = start; i < end; i++) {
      const row = order[i];
      const isLeft = goesLeft[column[row]];
      order[left] = row;
      kept[right] = row;
      left += isLeft;
      right += 1 - isLeft;
    }
    order.set(kept.subarray(0, right), left);
    return left;
  }
}

/** 1 for every slot that has a missing value anywhere. */
function missingSlots({ slots, byColumn, rows }: BinnedMatrix): Uint8Array {
  return Uint8Array.from(slots, ({ bins }, slot) =>
    byColumn.subarray(slot * rows, (slot + 1) * rows).includes(bins) ? 1 : 0,
  );
}

/** 1 for every bin that goes left, the one for missing values last. */
export function leftBinsOf(split: Split, bins: number): Uint8Array {
  if (split.leftBins !== null) return split.leftBins;
  const goesLeft = new Uint8Array(bins + 1).fill(1, 0, split.bin + 1);
  goesLeft[bins] = split.missingLeft ? 1 : 0;
  return goesLeft;
}

function bestOf(open: readonly OpenLeaf[]): number {
  let best = 0;
  for (let i = 1; i < open.length; i++) {
    const gain = open[i].split?.gain ?? -1;
    const bestGain = open[best].split?.gain ?? -1;
    // of equal gains the leaf made first, wherever it stands among the open ones
    if (gain > bestGain || (gain === bestGain && open[i].id < open[best].id)) best = i;
  }
  return best;
}

function totalOf(
  { values, lanes, gradientUnit, hessianUnit, countRange }: QuantisedGradients,
  order: Int32Array,
): Sums {
  let gradient = 0;
  let packed = 0;
  for (let i = 0; i < order.length; i++) {
    packed += values[lanes * order[i] + lanes - 1];
    if (lanes === 2) gradient += values[2 * order[i]];
  }
  const whole = Math.floor(packed / countRange);
  const count = packed - whole * countRange;
  return lanes === 1
    ? { gradient: whole * gradientUnit, hessian: count, count }
    : { gradient: gradient * gradientUnit, hessian: whole * hessianUnit, count };
}

function swap(array: Int32Array, i: number, j: number): void {
  const held = array[i];
  array[i] = array[j];
  array[j] = held;
}
