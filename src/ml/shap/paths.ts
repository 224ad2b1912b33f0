import type { Tree } from '../trees/model.ts';

/**
 * A tree taken apart for SHAP: an upper part of places, and below it groups of leaves.
 *
 *     place   a node of the upper part or the root of a group, numbered in preorder
 *     group   a whole subtree small enough that all it can do to a row fits a table: one bit for each feature on the way to it
 *             (does the row leave the way on this feature?) and one for each of its own decisions; a single leaf at least
 *
 * The features above a place, each once and in the order of first use, are the bits of its pattern.
 */
export type TreePaths = {
  places: number;
  parent: Int32Array;
  /** Position of the edge's feature in the pattern of this place. */
  bit: Int32Array;
  /** The inner node whose decision the edge is, and whether the edge is its left one. */
  edgeNode: Int32Array;
  edgeLeft: Uint8Array;
  groups: LeafGroup[];
  /** Mean leaf value over the training rows. */
  expected: number;
};

export type LeafGroup = {
  place: number;
  /** Bits of the pattern: the features above the group. */
  pathBits: number;
  /** The inner nodes of the group, whose decisions are the further bits. */
  nodes: number[];
  /** Every feature above and in the group. */
  features: number[];
  leaves: LeafPath[];
};

export type LeafPath = {
  value: number;
  /** Per feature of the path, the product of the covers' ratios along its edges: the path's weight when the feature is not known. */
  coverShare: Float64Array;
  /** Where each feature of the path stands among the features of the group. */
  target: Int32Array;
  /** The edges within the group: which of its nodes, whether to the left, and the feature's place on the path. */
  edges: { node: number; isLeft: number; bit: number }[];
};

/** Takes a tree apart; groups of several leaves have at most `groupBits` bits. Covers are the tree's counts. */
export function treePaths(tree: Tree, groupBits: number): TreePaths {
  const most = 2 * tree.leaves - 1;
  const paths: TreePaths = {
    places: 0,
    parent: new Int32Array(most),
    bit: new Int32Array(most),
    edgeNode: new Int32Array(most),
    edgeLeft: new Uint8Array(most),
    groups: [],
    expected: 0,
  };
  const decisionsBelow = countDecisions(tree);
  const features: number[] = [];
  const shares: number[] = [];
  const edges: LeafPath['edges'] = [];
  const rootCover = tree.leaves > 1 ? tree.nodeCount[0] : 1;
  descend(tree.leaves > 1 ? 0 : -1, -1, null);
  return paths;

  /** Returns the place of the child, or −1 within a group. */
  function descend(child: number, parentPlace: number, inGroup: LeafGroup | null): number {
    let group = inGroup;
    let place = -1;
    if (group === null) {
      place = paths.places++;
      paths.parent[place] = parentPlace;
      if (child < 0 || features.length + decisionsBelow[child] <= groupBits) {
        group = { place, pathBits: features.length, nodes: [], features: [...features], leaves: [] };
        paths.groups.push(group);
      }
    }
    if (child < 0) {
      if (group !== null) addLeaf(group, ~child);
      return place;
    }

    const feature = tree.splitFeature[child];
    const known = features.indexOf(feature);
    const bit = known < 0 ? features.length : known;
    const node = group === null ? -1 : group.nodes.push(child) - 1;
    if (group !== null && !group.features.includes(feature)) group.features.push(feature);
    for (const [next, isLeft] of [
      [tree.left[child], 1],
      [tree.right[child], 0],
    ]) {
      const cover = next >= 0 ? tree.nodeCount[next] : tree.leafCount[~next];
      const ratio = tree.nodeCount[child] > 0 ? cover / tree.nodeCount[child] : 0;
      const before = known < 0 ? 1 : shares[bit];
      features[bit] = feature;
      shares[bit] = before * ratio;
      if (group !== null) edges.push({ node, isLeft, bit });
      const below = descend(next, place, group);
      if (group !== null) edges.pop();
      else {
        paths.bit[below] = bit;
        paths.edgeNode[below] = child;
        paths.edgeLeft[below] = isLeft;
      }
      if (known < 0) {
        features.pop();
        shares.pop();
      } else shares[bit] = before;
    }
    return place;
  }

  function addLeaf(group: LeafGroup, leaf: number): void {
    const value = tree.leafValue[leaf];
    paths.expected += tree.leaves > 1 ? (value * tree.leafCount[leaf]) / rootCover : value;
    group.leaves.push({
      value,
      coverShare: Float64Array.from(shares),
      target: Int32Array.from(features, (feature) => group.features.indexOf(feature)),
      edges: [...edges],
    });
  }
}

/** The number of inner nodes in the subtree of each inner node; children come after their parent. */
function countDecisions(tree: Tree): Int32Array {
  const below = new Int32Array(tree.leaves - 1).fill(1);
  for (let node = tree.leaves - 2; node >= 0; node--) {
    for (const child of [tree.left[node], tree.right[node]]) if (child >= 0) below[node] += below[child];
  }
  return below;
}
