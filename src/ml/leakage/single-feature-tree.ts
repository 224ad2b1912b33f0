import { ascending } from '../metrics/order.ts';

/** A leaf of the growing tree: the sorted rows `from … to − 1`, and its best cut. */
type Leaf = { from: number; to: number; cut: number; gain: number };

/**
 * How well one feature alone predicts the label: R² of a regression tree on that feature, grown best-first on the even rows
 * and judged on the odd rows, so that a feature with a value per row earns nothing by memory. It sees any shape of relation;
 * missing values are a leaf of their own. Between −∞ and 1; NaN where the label does not vary. `order` holds the rows by ascending
 * feature, as `ascending` gives them, where that is known already.
 */
export function singleFeatureR2(
  feature: Float64Array,
  label: Float64Array,
  options: { leaves?: number; minLeafRows?: number; order?: Uint32Array } = {},
): number {
  const { leaves = 64, minLeafRows = 5, order = ascending(feature) } = options;
  const even = order.filter((row) => row % 2 === 0);
  const tree = grow(feature, label, even, leaves, minLeafRows);

  let mean = 0;
  let judged = 0;
  for (let i = 1; i < label.length; i += 2) {
    mean += label[i];
    judged++;
  }
  mean /= judged;
  let unexplained = 0;
  let spread = 0;
  for (let i = 1; i < label.length; i += 2) {
    unexplained += (label[i] - tree(feature[i])) ** 2;
    spread += (label[i] - mean) ** 2;
  }
  return spread > 0 ? 1 - unexplained / spread : NaN;
}

/** Grows the tree on the rows of `all`, which ascend by feature, missing ones last. */
function grow(feature: Float64Array, label: Float64Array, all: Uint32Array, leaves: number, minLeafRows: number) {
  let present = all.length;
  while (present > 0 && Number.isNaN(feature[all[present - 1]])) present--;
  const x = Float64Array.from({ length: present }, (_, i) => feature[all[i]]);
  const mean = (rows: Uint32Array) => rows.reduce((sum, row) => sum + label[row], 0) / rows.length;

  // running sums of the centred label make the gain of every cut a few additions
  const centre = mean(all);
  const sums = new Float64Array(present + 1);
  for (let i = 0; i < present; i++) sums[i + 1] = sums[i] + label[all[i]] - centre;

  const bestCut = (from: number, to: number): Leaf => {
    const best: Leaf = { from, to, cut: -1, gain: 0 };
    const total = sums[to] - sums[from];
    const parent = (total * total) / (to - from);
    for (let cut = from + minLeafRows; cut <= to - minLeafRows; cut++) {
      if (x[cut] === x[cut - 1]) continue;
      const left = sums[cut] - sums[from];
      const right = total - left;
      const gain = (left * left) / (cut - from) + (right * right) / (to - cut) - parent;
      if (gain > best.gain) {
        best.gain = gain;
        best.cut = cut;
      }
    }
    return best;
  };

  const grown = x.length > 0 ? [bestCut(0, x.length)] : [];
  while (grown.length > 0 && grown.length < leaves) {
    const next = grown.reduce((best, leaf, i) => (leaf.gain > grown[best].gain ? i : best), 0);
    const { from, to, cut } = grown[next];
    if (cut < 0) break;
    grown.splice(next, 1, bestCut(from, cut), bestCut(cut, to));
  }

  // leaves stay in order of the feature: a leaf ends halfway to the next one
  const upper = grown.map(({ to }) => (to < x.length ? (x[to - 1] + x[to]) / 2 : Infinity));
  const values = grown.map(({ from, to }) => centre + (sums[to] - sums[from]) / (to - from));
  const ofMissing = present < all.length ? mean(all.subarray(present)) : centre;
  return (value: number) => {
    if (Number.isNaN(value) || values.length === 0) return ofMissing;
    let leaf = 0;
    let last = values.length - 1;
    while (leaf < last) {
      const middle = (leaf + last) >>> 1;
      if (value <= upper[middle]) last = middle;
      else leaf = middle + 1;
    }
    return values[leaf];
  };
}
