import { ascending } from '../metrics/order.ts';

/** A leaf of the growing tree: the sorted rows `from … to − 1`, and its best cut. */
type Leaf = { from: number; to: number; cut: number; gain: number };

/**
 * How well one feature alone predicts the label: R² of a regression tree on that feature, grown best-first on the even rows
 * and judged on the odd rows, so that a feature with a value per row earns nothing by memory. It sees any shape of relation;
 * missing values are a leaf of their own. Between −∞ and 1; NaN where the label does not vary.
 */
export function singleFeatureR2(
  feature: Float64Array,
  label: Float64Array,
  options: { leaves?: number; minLeafRows?: number } = {},
): number {
  const { leaves = 64, minLeafRows = 5 } = options;
  const even = feature.filter((_, i) => i % 2 === 0);
  const evenLabel = label.filter((_, i) => i % 2 === 0);
  const tree = grow(even, evenLabel, leaves, minLeafRows);

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

function grow(feature: Float64Array, label: Float64Array, leaves: number, minLeafRows: number) {
  const missing = label.filter((_, i) => Number.isNaN(feature[i]));
  const x = feature.filter((value) => !Number.isNaN(value));
  const y = label.filter((_, i) => !Number.isNaN(feature[i]));
  const order = ascending(x);

  // running sums of the centred label make the gain of every cut a few additions
  const centre = label.reduce((sum, value) => sum + value, 0) / label.length;
  const sums = new Float64Array(x.length + 1);
  for (let i = 0; i < x.length; i++) sums[i + 1] = sums[i] + y[order[i]] - centre;

  const bestCut = (from: number, to: number): Leaf => {
    const best: Leaf = { from, to, cut: -1, gain: 0 };
    const total = sums[to] - sums[from];
    const parent = (total * total) / (to - from);
    for (let cut = from + minLeafRows; cut <= to - minLeafRows; cut++) {
      if (x[order[cut]] === x[order[cut - 1]]) continue;
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
  const upper = grown.map(({ to }) => (to < x.length ? (x[order[to - 1]] + x[order[to]]) / 2 : Infinity));
  const values = grown.map(({ from, to }) => centre + (sums[to] - sums[from]) / (to - from));
  const ofMissing = missing.length > 0 ? missing.reduce((sum, value) => sum + value, 0) / missing.length : centre;
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
