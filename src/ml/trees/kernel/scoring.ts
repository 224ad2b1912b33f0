import { type Tree, categoricalBit, defaultLeftBit, inCategorySet, missing } from '../model.ts';
import {
  type Code,
  type WasmFunction,
  add,
  and,
  double,
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
  whileLoop,
} from './assembler.ts';
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

/** Walks rows down trees in WebAssembly. */
export type ScoringKernel = {
  /** Room for a block of rows, `rowValues` doubles each. */
  block: Float64Array;
  /** One double per row of the block and output. */
  scores: Float64Array;
  /** Adds the values of the leaves of trees first … end − 1 to the scores of the block's first rows. */
  add: (first: number, end: number, rows: number, hasMissing: boolean) => void;
};

/** Whether the kernel can walk the tree: nothing takes zero for missing. */
export function isComparable(tree: Tree): boolean {
  return tree.decision.every(
    (decision) => (decision & categoricalBit) !== 0 || (decision & missing.mask) !== missing.zero,
  );
}

/** The kernel for these trees, or null without WebAssembly. Trees that are not comparable must not be asked for. */
export function scoringKernel(
  trees: readonly Tree[],
  outputs: number,
  blockRows: number,
  rowValues: number,
): ScoringKernel | null {
  const written = trees.map(comparisons);
  const innerNodes = written.reduce((sum, { length }) => sum + length, 0);
  const leaves = trees.reduce((sum, tree) => sum + tree.leaves, 0);
  const nodes = 0;
  const leafNodes = nodes + innerNodes * nodeBytes;
  const roots = leafNodes + leaves * nodeBytes;
  const scores = (roots + trees.length * 4 + 7) & ~7;
  const block = scores + blockRows * outputs * 8;
  const instance = instantiate(compiled, block + blockRows * rowValues * 8);
  if (instance === null) return null;
  writeTrees(new DataView(instance.memory), trees, written, { nodes, leafNodes, roots });

  const operations = instance.exports as { addTrees: AddTrees; addTreesMissing: AddTrees };
  const allScores = new Float64Array(instance.memory, scores, blockRows * outputs);
  return {
    block: new Float64Array(instance.memory, block, blockRows * rowValues),
    scores: allScores,
    add(first, end, rows, hasMissing) {
      const walk = hasMissing ? operations.addTreesMissing : operations.addTrees;
      // a last group that is not full walks along what the block held before
      const padded = Math.ceil(rows / together) * together;
      for (let t = first; t < end; t++) {
        walk(
          roots + 4 * t,
          leafNodes,
          block,
          block + padded * rowValues * 8,
          rowValues * 8,
          scores + 8 * (t % outputs),
          outputs * 8,
        );
      }
    },
  };
}

type AddTrees = (
  root: number,
  leafNodes: number,
  row: number,
  rowsEnd: number,
  rowBytes: number,
  score: number,
  scoreBytes: number,
) => void;

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

const compiled = lazyModule(() => [addTrees('addTrees', false), addTrees('addTreesMissing', true)]);

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
