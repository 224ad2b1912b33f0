import type { Matrix } from '../../matrix.ts';
import { type Tree, categoricalBit, defaultLeftBit, inCategorySet, missing } from '../model.ts';
import {
  type Code,
  type WasmFunction,
  add,
  and,
  call,
  double,
  equal,
  f64,
  get,
  i32,
  integer,
  less,
  load32,
  multiply,
  or,
  set,
  shiftLeft,
  shiftRight,
  subtract,
  when,
  whenElse,
  whileLoop,
} from './assembler.ts';
import { type KernelFunction, withThreads } from './kernel-thread.ts';
import { instantiate, lazyModule } from './module.ts';

/**
 * A node of 24 bytes. A leaf has its value for threshold and itself for both children, so that rows which arrive early just stay.
 * Leaves stand behind all inner nodes: an address tells what it is.
 *
 *     0   float64  threshold, or the leaf's value
 *     8   int32    byte offset of the feature in a row
 *     12  int32    address of the left child: value ≤ threshold
 *     16  int32    address of the right child
 *     20  int32    1 when a missing value goes right
 *
 * A set of categories is a few runs of codes, and so a few comparisons: its node is the first of them, the others stand behind
 * the tree's own inner nodes. Several of them lead to the same child.
 */
const nodeBytes = 24;

/** Rows walked down a tree together: while one waits for memory the others go on. */
const together = 8;

/** Rows are copied together in blocks, so that a block's values stay in the first-level cache. */
const blockRows = 64;

/** So many rows are in the kernel's memory at a time, a multiple of its block. */
const mostRows = 16_384;

/** For fewer rows × trees, another thread takes longer to start than it saves. */
const fewestForThread = 2_000_000;

/** Whether the kernel can walk the tree: nothing takes zero for missing. */
export function isComparable(tree: Tree): boolean {
  return tree.decision.every(
    (decision) => (decision & categoricalBit) !== 0 || (decision & missing.mask) !== missing.zero,
  );
}

/**
 * Adds the values of the leaves that each row falls into to its scores, rows × outputs, which are zeros; with two threads each takes
 * half of the rows. False without WebAssembly. Trees that are not comparable must not be asked for.
 */
export function addScores(
  trees: readonly Tree[],
  outputs: number,
  matrix: Matrix,
  scores: Float64Array,
  threads: 1 | 2,
): boolean {
  const inTwo = threads === 2 && matrix.rows * trees.length >= fewestForThread;
  return withThreads(inTwo ? 2 : 1, (start) => {
    const { rows, columns } = matrix;
    const atOnce = Math.min(mostRows, Math.ceil(rows / blockRows) * blockRows);
    const written = trees.map(comparisons);
    const at = areasOf(trees, written, { outputs, columns, atOnce });
    const instance = instantiate(start === null ? compiled : compiledToShare, at.end);
    if (instance === null) return false;
    const { memory } = instance;
    const view = new DataView(memory);
    writeTrees(view, trees, written, at);
    const rootsEnd = at.roots + 4 * trees.length;
    [at.roots, rootsEnd, at.leafNodes, at.columns, 8 * atOnce, 8 * columns, at.scores, 8 * outputs].forEach(
      (value, i) => view.setInt32(at.settings + 4 * i, value, true),
    );
    const { scoreRows } = instance.exports as { scoreRows: KernelFunction<ScoreArguments> };
    const second = start?.(instance.shared, 'scoreRows', scoreRows) ?? null;

    const [block, otherBlock] = [at.blocks, at.blocks + 8 * blockRows * columns];
    for (let first = 0; first < rows; first += atOnce) {
      const count = Math.min(atOnce, rows - first);
      for (let c = 0; c < columns; c++) {
        const from = c * rows + first;
        new Float64Array(memory, at.columns + 8 * c * atOnce, count).set(matrix.values.subarray(from, from + count));
      }
      const own = new Float64Array(memory, at.scores, count * outputs).fill(0);
      const half = Math.ceil(count / 2 / blockRows) * blockRows;
      if (second === null || half >= count) scoreRows(at.settings, 0, 8 * count, block);
      else second.callBoth([at.settings, 0, 8 * half, block], [at.settings, 8 * half, 8 * count, otherBlock]);
      scores.set(own, first * outputs);
    }
    return true;
  });
}

/** Settings, the first and the end of the rows in bytes of a column, and room for a block. */
type ScoreArguments = [settings: number, first: number, end: number, block: number];

function areasOf(
  trees: readonly Tree[],
  written: readonly (readonly Comparison[])[],
  { outputs, columns, atOnce }: { outputs: number; columns: number; atOnce: number },
) {
  const nodes = 0;
  const leafNodes = nodes + nodeBytes * written.reduce((sum, { length }) => sum + length, 0);
  const roots = leafNodes + nodeBytes * trees.reduce((sum, tree) => sum + tree.leaves, 0);
  const settings = roots + 4 * trees.length;
  const blocks = (settings + 4 * 8 + 7) & ~7;
  const columnsAt = blocks + 2 * 8 * blockRows * columns;
  const scores = columnsAt + 8 * columns * atOnce;
  // a last group that is not full is walked as if it were
  return {
    nodes,
    leafNodes,
    roots,
    settings,
    blocks,
    columns: columnsAt,
    scores,
    end: scores + 8 * outputs * (atOnce + together),
  };
}

/** A comparison: as in `Tree` a child ≥ 0 is a comparison of the same tree, a child < 0 the leaf `~child`. */
type Comparison = { feature: number; threshold: number; left: number; right: number; missingLeft: boolean };

/** The tree's nodes under their own numbers, and behind them what categories take more. */
function comparisons(tree: Tree): Comparison[] {
  const made: Comparison[] = Array.from({ length: tree.leaves - 1 });
  for (let node = 0; node < tree.leaves - 1; node++) {
    if ((tree.decision[node] & categoricalBit) === 0) made[node] = compareNumber(tree, node);
    else compareCategories(tree, node, made);
  }
  return made;
}

function compareNumber(tree: Tree, node: number): Comparison {
  const decision = tree.decision[node];
  const threshold = tree.threshold[node];
  // where no value counts as missing, NaN is read as zero
  const missingLeft = (decision & missing.mask) === missing.nan ? (decision & defaultLeftBit) !== 0 : threshold >= 0;
  return { feature: tree.splitFeature[node], threshold, left: tree.left[node], right: tree.right[node], missingLeft };
}

/**
 * The runs of codes that are in the node's set and that are not, in turn, from those below zero (which are not) on; looked up
 * by halving. A code counts by its whole part, so a run ends at the last double before the next code.
 */
function compareCategories(tree: Tree, node: number, made: Comparison[]): void {
  const set = tree.threshold[node];
  const codes = 32 * (tree.categoryBoundaries[set + 1] - tree.categoryBoundaries[set]);
  const starts: number[] = [];
  for (let code = 0, isIn = false; code <= codes; code++) {
    if (inCategorySet(tree, set, code) === isIn) continue;
    starts.push(code);
    isIn = !isIn;
  }
  const feature = tree.splitFeature[node];
  // a missing value is led to the first run of those that go its way
  const missingRun = (tree.decision[node] & defaultLeftBit) !== 0 ? 1 : 0;
  if (starts.length === 0) {
    const [left, right] = [tree.right[node], tree.left[node]];
    made[node] = { feature, threshold: Infinity, left, right, missingLeft: missingRun === 0 };
    return;
  }
  const childOf = (run: number): number => (run % 2 === 1 ? tree.left[node] : tree.right[node]);

  /** Finds its run among first … last; the comparison that does it has the given place. */
  function find(first: number, last: number, place: number): void {
    const middle = (first + last + 1) >> 1;
    made[place] = {
      feature,
      threshold: before(starts[middle - 1]),
      left: branch(first, middle - 1),
      right: branch(middle, last),
      missingLeft: missingRun < middle,
    };
  }
  function branch(first: number, last: number): number {
    if (first === last) return childOf(first);
    const place = made.length;
    made.length++;
    find(first, last, place);
    return place;
  }
  find(0, starts.length, node);
}

/** The last double before a whole number that is not negative. */
function before(whole: number): number {
  if (whole === 0) return -Number.MIN_VALUE;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, whole);
  bits.setBigInt64(0, bits.getBigInt64(0) - 1n);
  return bits.getFloat64(0);
}

function writeTrees(
  view: DataView,
  trees: readonly Tree[],
  written: readonly (readonly Comparison[])[],
  at: { nodes: number; leafNodes: number; roots: number },
): void {
  let { nodes, leafNodes } = at;
  trees.forEach((tree, t) => {
    const addressOf = (child: number) => (child >= 0 ? nodes + child * nodeBytes : leafNodes + ~child * nodeBytes);
    view.setInt32(at.roots + 4 * t, addressOf(tree.leaves > 1 ? 0 : ~0), true);
    written[t].forEach(({ feature, threshold, left, right, missingLeft }, node) => {
      const address = nodes + node * nodeBytes;
      view.setFloat64(address, threshold, true);
      view.setInt32(address + 8, feature * 8, true);
      view.setInt32(address + 12, addressOf(left), true);
      view.setInt32(address + 16, addressOf(right), true);
      view.setInt32(address + 20, missingLeft ? 0 : 1, true);
    });
    for (let leaf = 0; leaf < tree.leaves; leaf++) {
      const address = leafNodes + leaf * nodeBytes;
      view.setFloat64(address, tree.leafValue[leaf], true);
      view.setInt32(address + 12, address, true);
      view.setInt32(address + 16, address, true);
    }
    nodes += written[t].length * nodeBytes;
    leafNodes += tree.leaves * nodeBytes;
  });
}

const program = () => [addTrees('addTrees', false), addTrees('addTreesMissing', true), scoreRows()];
const [addPlace, addMissingPlace] = [0, 1];
const compiled = lazyModule(program);
const compiledToShare = lazyModule(program, 'shared memory');

/** Copies rows together, block by block, and walks each block down every tree. Trees take turns at the outputs. */
function scoreRows(): WasmFunction {
  const [settings, first, end, block] = [0, 1, 2, 3];
  const [blockEnd, column, to, place, placeEnd, from, fromEnd, isMissing] = [4, 5, 6, 7, 8, 9, 10, 11];
  const [rowsEnd, root, runs, score, rowBytes, scoreBytes] = [12, 13, 14, 15, 16, 17];
  const value = 18;
  const step = (local: number, by: Code) => set(local, add(get(local), by));
  const walk = (which: number) =>
    call(which, [
      get(root),
      load32(get(settings), 8),
      ...[block, rowsEnd, rowBytes, score, scoreBytes].map((local) => get(local)),
    ]);
  return {
    name: 'scoreRows',
    parameters: Array.from({ length: 4 }, () => i32),
    results: [],
    locals: [...Array.from({ length: 14 }, () => i32), f64],
    body: [
      set(rowBytes, load32(get(settings), 20)),
      set(scoreBytes, load32(get(settings), 28)),
      whileLoop(less(get(first), get(end)), [
        set(blockEnd, add(get(first), integer(8 * blockRows))),
        when(less(get(end), get(blockEnd)), set(blockEnd, get(end))),
        set(isMissing, integer(0)),
        set(column, load32(get(settings), 12)),
        set(place, get(block)),
        set(placeEnd, add(get(block), get(rowBytes))),
        whileLoop(less(get(place), get(placeEnd)), [
          set(from, add(get(column), get(first))),
          set(fromEnd, add(get(column), get(blockEnd))),
          set(to, get(place)),
          whileLoop(less(get(from), get(fromEnd)), [
            set(value, double.load(get(from))),
            double.store(get(to), get(value)),
            set(isMissing, or(get(isMissing), double.differ(get(value), get(value)))),
            step(from, integer(8)),
            step(to, get(rowBytes)),
          ]),
          step(column, load32(get(settings), 16)),
          step(place, integer(8)),
        ]),

        // a last group that is not full walks along what the block held before
        set(rowsEnd, subtract(add(get(blockEnd), integer(8 * together - 8)), get(first))),
        set(rowsEnd, and(shiftRight(get(rowsEnd), 3), integer(-together))),
        set(rowsEnd, add(get(block), multiply(get(rowsEnd), get(rowBytes)))),
        set(runs, add(load32(get(settings), 24), multiply(shiftRight(get(first), 3), get(scoreBytes)))),
        set(score, get(runs)),
        set(root, load32(get(settings))),
        whileLoop(less(get(root), load32(get(settings), 4)), [
          whenElse(get(isMissing), walk(addMissingPlace), walk(addPlace)),
          step(root, integer(4)),
          step(score, integer(8)),
          when(equal(subtract(get(score), get(runs)), get(scoreBytes)), set(score, get(runs))),
        ]),
        set(first, get(blockEnd)),
      ]),
    ],
  };
}

function addTrees(name: string, hasMissing: boolean): WasmFunction {
  const [root, leafNodes, row, rowsEnd, rowBytes, score, scoreBytes] = [0, 1, 2, 3, 4, 5, 6];
  const lane = (first: number) => Array.from({ length: together }, (_, k) => first + k);
  const nodes = lane(7);
  const rows = lane(7 + together);
  const scores = lane(7 + 2 * together);
  const value = 7 + 3 * together;

  const goesRight = (node: number): Code => {
    const above = double.greater(get(value), double.load(get(node)));
    const isMissing = double.differ(get(value), get(value));
    return hasMissing ? or(above, and(isMissing, load32(get(node), 20))) : above;
  };
  const anyInside = nodes.map((node) => less(get(node), get(leafNodes))).reduce(or);
  return {
    name,
    parameters: Array.from({ length: 7 }, () => i32),
    results: [],
    locals: [...Array.from({ length: 3 * together }, () => i32), f64],
    body: whileLoop(less(get(row), get(rowsEnd)), [
      nodes.map((node, k) => [
        set(node, load32(get(root))),
        set(rows[k], add(get(row), multiply(get(rowBytes), integer(k)))),
        set(scores[k], add(get(score), multiply(get(scoreBytes), integer(k)))),
      ]),
      // two levels a round: whoever has arrived stays where it is
      whileLoop(
        anyInside,
        [...nodes, ...nodes].map((node, k) => [
          set(value, double.load(add(get(rows[k % together]), load32(get(node), 8)))),
          set(node, load32(add(get(node), shiftLeft(goesRight(node), 2)), 12)),
        ]),
      ),
      nodes.map((node, k) =>
        double.store(get(scores[k]), double.add(double.load(get(scores[k])), double.load(get(node)))),
      ),
      set(row, add(get(row), multiply(get(rowBytes), integer(together)))),
      set(score, add(get(score), multiply(get(scoreBytes), integer(together)))),
    ]),
  };
}
