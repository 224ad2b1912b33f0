import { type Tree, categoricalBit, defaultLeftBit, missing } from '../model.ts';
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

/** Whether comparisons alone decide every split of the tree, so that the kernel can walk it. */
export function isComparable(tree: Tree): boolean {
  return tree.decision.every(
    (decision) => (decision & categoricalBit) === 0 && (decision & missing.mask) !== missing.zero,
  );
}

/** The kernel for these trees, or null without WebAssembly. Trees that are not comparable must not be asked for. */
export function scoringKernel(
  trees: readonly Tree[],
  outputs: number,
  blockRows: number,
  rowValues: number,
): ScoringKernel | null {
  const innerNodes = trees.reduce((sum, tree) => sum + tree.leaves - 1, 0);
  const leaves = trees.reduce((sum, tree) => sum + tree.leaves, 0);
  const nodes = 0;
  const leafNodes = nodes + innerNodes * nodeBytes;
  const roots = leafNodes + leaves * nodeBytes;
  const scores = (roots + trees.length * 4 + 7) & ~7;
  const block = scores + blockRows * outputs * 8;
  const instance = instantiate(compiled, block + blockRows * rowValues * 8);
  if (instance === null) return null;
  writeTrees(new DataView(instance.memory), trees, { nodes, leafNodes, roots });

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

function writeTrees(
  view: DataView,
  trees: readonly Tree[],
  at: { nodes: number; leafNodes: number; roots: number },
): void {
  let { nodes, leafNodes } = at;
  trees.forEach((tree, t) => {
    const addressOf = (child: number) => (child >= 0 ? nodes + child * nodeBytes : leafNodes + ~child * nodeBytes);
    view.setInt32(at.roots + 4 * t, addressOf(tree.leaves > 1 ? 0 : ~0), true);
    for (let node = 0; node < tree.leaves - 1; node++) {
      const address = nodes + node * nodeBytes;
      const decision = tree.decision[node];
      // where no value counts as missing, NaN is read as zero
      const missingLeft =
        (decision & missing.mask) === missing.nan ? (decision & defaultLeftBit) !== 0 : tree.threshold[node] >= 0;
      view.setFloat64(address, tree.threshold[node], true);
      view.setInt32(address + 8, tree.splitFeature[node] * 8, true);
      view.setInt32(address + 12, addressOf(tree.left[node]), true);
      view.setInt32(address + 16, addressOf(tree.right[node]), true);
      view.setInt32(address + 20, missingLeft ? 0 : 1, true);
    }
    for (let leaf = 0; leaf < tree.leaves; leaf++) {
      const address = leafNodes + leaf * nodeBytes;
      view.setFloat64(address, tree.leafValue[leaf], true);
      view.setInt32(address + 12, address, true);
      view.setInt32(address + 16, address, true);
    }
    nodes += (tree.leaves - 1) * nodeBytes;
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
