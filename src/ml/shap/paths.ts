import type { Tree } from '../trees/model.ts';

/**
 * A tree taken apart for SHAP. Every node and leaf has a place in preorder; the features above it, each once and in the order of
 * first use, are the bits of its pattern.
 *
 *     place   parent place, and the bit of the edge's feature among the features above
 *     leaf    which features lie on its path, and for each the share of rows that follow the path's edges of that feature
 */
export type TreePaths = {
  places: number;
  parent: Int32Array;
  /** Position of the edge's feature in the pattern of this place. */
  bit: Int32Array;
  /** The inner node whose decision the edge is, and whether the edge is its left one. */
  edgeNode: Int32Array;
  edgeLeft: Uint8Array;
  leaves: LeafPath[];
  /** Mean leaf value over the training rows. */
  expected: number;
};

export type LeafPath = {
  place: number;
  value: number;
  features: Int32Array;
  /** Per feature, the product of the covers' ratios along its edges: the path's weight when the feature is not known. */
  coverShare: Float64Array;
};

/** Takes a tree apart. Covers are the tree's counts. */
export function treePaths(tree: Tree): TreePaths {
  const most = 2 * tree.leaves - 1;
  const paths: TreePaths = {
    places: 0,
    parent: new Int32Array(most),
    bit: new Int32Array(most),
    edgeNode: new Int32Array(most),
    edgeLeft: new Uint8Array(most),
    leaves: [],
    expected: 0,
  };
  const features: number[] = [];
  const shares: number[] = [];
  const rootCover = tree.leaves > 1 ? tree.nodeCount[0] : 1;
  descend(tree.leaves > 1 ? 0 : -1, -1);
  return paths;

  function descend(child: number, parentPlace: number): number {
    const place = paths.places++;
    paths.parent[place] = parentPlace;
    if (child < 0) {
      const value = tree.leafValue[~child];
      paths.leaves.push({
        place,
        value,
        features: Int32Array.from(features),
        coverShare: Float64Array.from(shares),
      });
      paths.expected += tree.leaves > 1 ? (value * tree.leafCount[~child]) / rootCover : value;
      return place;
    }
    const feature = tree.splitFeature[child];
    const known = features.indexOf(feature);
    const bit = known < 0 ? features.length : known;
    for (const [next, isLeft] of [
      [tree.left[child], 1],
      [tree.right[child], 0],
    ]) {
      const cover = next >= 0 ? tree.nodeCount[next] : tree.leafCount[~next];
      const ratio = tree.nodeCount[child] > 0 ? cover / tree.nodeCount[child] : 0;
      const before = known < 0 ? 1 : shares[bit];
      features[bit] = feature;
      shares[bit] = before * ratio;
      const below = descend(next, place);
      paths.bit[below] = bit;
      paths.edgeNode[below] = child;
      paths.edgeLeft[below] = isLeft;
      if (known < 0) {
        features.pop();
        shares.pop();
      } else shares[bit] = before;
    }
    return place;
  }
}
