import type { Json } from '../../data/json.ts';

/**
 * One decision tree in flat arrays, laid out as in LightGBM's text: `leaves - 1` inner nodes, node 0 is the root (a tree of
 * one leaf has none); a child ≥ 0 is a node, a child < 0 is the leaf `~child`. Children have larger numbers than their parent.
 *
 * | array           | type    | why                                                                               |
 * |-----------------|---------|-----------------------------------------------------------------------------------|
 * | threshold       | float64 | numeric: goes left when value ≤ threshold; categorical: index into the boundaries  |
 * | decision        | uint8   | bit 0 categorical, bit 1 missing goes left, bits 2–3 what is missing (see below)   |
 * | nodeCount, leafCount | float64 | rows, or the sum of hessians where a foreign model keeps only that: the cover of SHAP |
 * | categoryBits    | uint32  | bit c of a category set says that code c goes left                                |
 */
export type Tree = {
  leaves: number;
  splitFeature: Int32Array;
  splitGain: Float64Array;
  threshold: Float64Array;
  decision: Uint8Array;
  left: Int32Array;
  right: Int32Array;
  leafValue: Float64Array;
  leafWeight: Float64Array;
  leafCount: Float64Array;
  nodeValue: Float64Array;
  nodeWeight: Float64Array;
  nodeCount: Float64Array;
  /** Category set k is `categoryBits[categoryBoundaries[k] .. categoryBoundaries[k + 1])`. */
  categoryBoundaries: Int32Array;
  categoryBits: Uint32Array;
  shrinkage: number;
};

export const categoricalBit = 1;
export const defaultLeftBit = 2;
/** What a split takes for missing: nothing (NaN is read as 0), zero (and NaN), or NaN. */
export const missing = { none: 0, zero: 4, nan: 8, mask: 12 } as const;

/** An ensemble: `trees[iteration * outputs + output]`; leaf values include the learning rate and the initial score. */
export type TreeModel = {
  /** As LightGBM writes it, with its parameters: `regression`, `binary sigmoid:1`, `tweedie`, … or `custom`. */
  objective: string;
  outputs: number;
  /** The outputs are means over the trees (random forest) instead of sums. */
  averaged: boolean;
  featureNames: readonly string[];
  /** The values seen in training: `[min:max]`, `0:1:2` for categories, `none` for a constant. */
  featureInfos: readonly string[];
  /** Indices of the categorical features, ascending. */
  categorical: readonly number[];
  /** The levels behind the codes, one list per categorical feature: code i stands for levels[i]. Null when not known. */
  categories: readonly (readonly Json[])[] | null;
  /** −1, 0, 1 per feature when the model was trained under monotone constraints. */
  monotone: readonly number[] | null;
  /** What the trainer was asked for, kept for the reader of the file. */
  parameters: Readonly<Record<string, string>>;
  trees: readonly Tree[];
};

/** Thrown when model text or bytes are damaged, truncated, of another version, or do not fit the data they are used on. */
export class InvalidModel extends Error {
  override name = 'InvalidModel';
}

/** The trees of one output as a model of its own. */
export function onlyOutput(model: TreeModel, output: number): TreeModel {
  if (model.outputs === 1) return model;
  return { ...model, outputs: 1, trees: model.trees.filter((_, t) => t % model.outputs === output) };
}

/** A tree whose arrays are zeros, to be filled: by the grower or by a reader. */
export function emptyTree(leaves: number, shrinkage = 1): Tree {
  const nodes = leaves - 1;
  return {
    leaves,
    splitFeature: new Int32Array(nodes),
    splitGain: new Float64Array(nodes),
    threshold: new Float64Array(nodes),
    decision: new Uint8Array(nodes),
    left: new Int32Array(nodes),
    right: new Int32Array(nodes),
    leafValue: new Float64Array(leaves),
    leafWeight: new Float64Array(leaves),
    leafCount: new Float64Array(leaves),
    nodeValue: new Float64Array(nodes),
    nodeWeight: new Float64Array(nodes),
    nodeCount: new Float64Array(nodes),
    categoryBoundaries: new Int32Array(1),
    categoryBits: new Uint32Array(0),
    shrinkage,
  };
}

/** Whether the category set `set` of the tree holds the code. NaN, negative and unknown codes are in no set. */
export function inCategorySet(tree: Tree, set: number, code: number): boolean {
  const start = tree.categoryBoundaries[set];
  const words = tree.categoryBoundaries[set + 1] - start;
  if (!(code >= 0 && code < words * 32)) return false;
  const whole = Math.trunc(code);
  return ((tree.categoryBits[start + (whole >>> 5)] >>> (whole & 31)) & 1) === 1;
}
