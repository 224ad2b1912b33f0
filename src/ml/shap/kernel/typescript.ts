import type { Matrix } from '../../matrix.ts';
import type { Tree } from '../../trees/model.ts';
import { decisions, rowMajor } from '../decisions.ts';
import type { LeafGroup, LeafPath, TreePaths } from '../paths.ts';
import { gaussLegendre } from '../quadrature.ts';
import { pathsFor, tablePatterns } from './program.ts';

/** What the kernel in WebAssembly computes, for trees that it cannot take or where there is none: the same to the last bit. */
export function explainInTypescript(trees: readonly Tree[], matrix: Matrix, values: Float64Array): void {
  const byRow = rowMajor(matrix);
  for (const tree of trees) addTreeShap(tree, byRow, matrix.columns, matrix.rows, values);
}

function addTreeShap(tree: Tree, byRow: Float64Array, columns: number, rows: number, values: Float64Array): void {
  const paths = pathsFor(tree, rows);
  const tables = paths.groups.map((group) => groupTable(group, rows));
  const decide = decisions(tree);
  const pattern = new Int32Array(paths.places);
  const { parent, bit, edgeLeft, edgeNode, groups, places, expected } = paths;

  for (let row = 0; row < rows; row++) {
    const left = decide(byRow, row * columns);
    const at = row * (columns + 1);

    // the features that leave the way above each place, as bits; beyond 32 they mix, but then no table is asked
    for (let place = 1; place < places; place++) {
      const leaves = left[edgeNode[place]] ^ edgeLeft[place];
      pattern[place] = pattern[parent[place]] | (leaves << bit[place]);
    }

    for (let g = 0; g < groups.length; g++) {
      const group = groups[g];
      const { features, nodes, pathBits } = group;
      const table = tables[g];
      let phi: Float64Array;
      let from = 0;
      if (table === null) {
        phi = direct.length >= features.length ? direct : (direct = new Float64Array(features.length));
        phi.fill(0, 0, features.length);
        addGroup(paths, group, left, phi, 0);
      } else {
        let asked = pattern[group.place];
        for (let k = 0; k < nodes.length; k++) asked |= left[nodes[k]] << (pathBits + k);
        phi = table.phi;
        from = asked * features.length;
        if (table.known[asked] === 0) {
          table.known[asked] = 1;
          addGroup(paths, group, left, phi, from);
        }
      }
      for (let j = 0; j < features.length; j++) values[at + features[j]] += phi[from + j];
    }
    values[at + columns] += expected;
  }
}

let direct = new Float64Array(32);

type Table = { known: Uint8Array; phi: Float64Array };

function groupTable(group: LeafGroup, rows: number): Table | null {
  const patterns = tablePatterns(group, rows);
  if (patterns === 0) return null;
  return { known: new Uint8Array(patterns), phi: new Float64Array(patterns * group.features.length) };
}

/** Adds the Shapley values of every leaf of a group to `phi[from …]`, in the order of the group's features. */
function addGroup(paths: TreePaths, group: LeafGroup, left: Uint8Array, phi: Float64Array, from: number): void {
  const { parent, bit, edgeNode, edgeLeft } = paths;
  const { nodes, leaves, pathBits, features } = group;
  if (cold.length < features.length) cold = new Uint8Array(features.length);
  for (const leaf of leaves) {
    // which features of the path the row leaves it on, above the group and in it
    cold.fill(0, 0, leaf.coverShare.length);
    if (pathBits > 0) {
      for (let place = group.place; parent[place] >= 0; place = parent[place]) {
        cold[bit[place]] |= left[edgeNode[place]] ^ edgeLeft[place];
      }
    }
    for (const edge of leaf.edges) cold[edge.bit] |= left[nodes[edge.node]] ^ edge.isLeft;
    addLeaf(leaf, phi, from);
  }
}

/** Which features of the path are cold; kept between calls, because there are many. */
let cold = new Uint8Array(64);

/** The formula of `treeShap` for one leaf and one pattern of cold features: adds φ of each feature on the path. */
function addLeaf({ value, coverShare, target }: LeafPath, phi: Float64Array, from: number): void {
  const depth = coverShare.length;
  let coldCount = 0;
  let scale = value;
  for (let j = 0; j < depth; j++) {
    if (cold[j] === 0) continue;
    coldCount++;
    scale *= coverShare[j];
  }
  if (scale === 0) return;

  const { nodes, weights } = gaussLegendre((depth + 1) >> 1);
  let coldPhi = 0;
  for (let q = 0; q < nodes.length; q++) {
    const t = nodes[q];
    const rest = 1 - t;
    let product = weights[q] * scale;
    for (let j = 0; j < depth; j++) product *= cold[j] === 1 ? rest : t + coverShare[j] * rest;
    if (coldCount > 0) coldPhi -= product / rest;
    if (coldCount === depth) continue;
    for (let j = 0; j < depth; j++) {
      if (cold[j] === 0) phi[from + target[j]] += ((1 - coverShare[j]) * product) / (t + coverShare[j] * rest);
    }
  }
  if (coldCount > 0) for (let j = 0; j < depth; j++) if (cold[j] === 1) phi[from + target[j]] += coldPhi;
}
