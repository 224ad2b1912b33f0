import type { Matrix } from '../matrix.ts';
import type { Tree } from '../trees/model.ts';
import { copyBlock, goesLeft, walkable } from '../trees/predictor.ts';

const rowsPerBlock = 256;

/** The values of a matrix row by row: `values[row * columns + column]`. */
export function rowMajor(matrix: Matrix): Float64Array {
  const { rows, columns } = matrix;
  const values = new Float64Array(rows * columns);
  for (let first = 0; first < rows; first += rowsPerBlock) {
    copyBlock(values.subarray(first * columns), matrix, first, Math.min(rowsPerBlock, rows - first));
  }
  return values;
}

/** Whether each inner node sends the row at `block[base …]` left, as 0 or 1. The answer is overwritten by the next. */
export function decisions(tree: Tree): (block: Float64Array, base: number) => Uint8Array {
  const nodes = tree.leaves - 1;
  const left = new Uint8Array(nodes);
  const { bound } = walkable(tree);
  const { splitFeature } = tree;
  return (block, base) => {
    for (let node = 0; node < nodes; node++) {
      const value = block[base + splitFeature[node]];
      if (value <= bound[node]) left[node] = 1;
      else if (value > bound[node]) left[node] = 0;
      else left[node] = goesLeft(tree, node, value) ? 1 : 0;
    }
    return left;
  };
}

/** Rows that a tree cannot tell apart: each of its inner nodes sends all of them the same way. */
export type AlikeRows = { left: Uint8Array; rows: number[] };

/** The rows of a tree by what its nodes decide on them; `byRow` is row-major. Explanations depend on nothing else. */
export function alikeRows(tree: Tree, byRow: Float64Array, columns: number): AlikeRows[] {
  const decide = decisions(tree);
  const alike = new Map<string, AlikeRows>();
  for (let row = 0; row * columns < byRow.length; row++) {
    const left = decide(byRow, row * columns);
    const key = left.join('');
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { left: left.slice(), rows: [row] });
    else known.rows.push(row);
  }
  return [...alike.values()];
}
