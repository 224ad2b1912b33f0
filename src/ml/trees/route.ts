import type { FeatureBins } from './binning.ts';
import { type GrownTree, leftBinsOf } from './grower.ts';

/**
 * Adds `values[leaf]` of the leaf that each row falls into to its score, by the rows' bins. `rows` null means every row.
 * `byColumn` as in BinnedMatrix, of any rows that were binned as the tree's own.
 */
export function addGrownTree(
  { nodes }: GrownTree,
  slots: readonly FeatureBins[],
  byColumn: Uint8Array,
  rows: Int32Array | null,
  score: Float64Array,
  values: Float64Array,
): void {
  const stride = score.length;
  // per node the child of each bin: a row is sent on without a branch to guess
  const children = new Int32Array(256 * nodes.length);
  const columns = new Int32Array(nodes.length);
  nodes.forEach(({ split, left, right }, node) => {
    const { bins } = slots[split.slot];
    columns[node] = split.slot * stride;
    leftBinsOf(split, bins).forEach((isLeft, bin) => (children[256 * node + bin] = isLeft === 1 ? left : right));
  });
  const root = nodes.length > 0 ? 0 : ~0;
  const count = rows === null ? stride : rows.length;
  for (let i = 0; i < count; i++) {
    const row = rows === null ? i : rows[i];
    let node = root;
    while (node >= 0) node = children[256 * node + byColumn[columns[node] + row]];
    score[row] += values[~node];
  }
}
