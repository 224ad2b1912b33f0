import * as z from 'zod';
import type { Json } from '../../data/json.ts';
import { checkTree } from '../trees/check-tree.ts';
import {
  InvalidModel,
  type Tree,
  type TreeModel,
  categoricalBit,
  defaultLeftBit,
  emptyTree,
  missing,
} from '../trees/model.ts';
import { largestBelow32 } from './float32.ts';
import { readUbjson } from './ubjson.ts';
import { levelsOfXgboost } from './xgboost-categories.ts';
import { objectiveOfXgboost } from './xgboost-objective.ts';
import { type XgboostTree, xgboostDocument } from './xgboost-schema.ts';

/**
 * Reads a model in XGBoost's JSON format: gbtree and dart boosters, missing values, categorical splits, several outputs (one tree
 * per output, or vector leaves). Thresholds become the doubles that part any double as XGBoost parts it after rounding to float32;
 * base scores are added to the first trees. Levels of categories come from a data frame (since 3.1) or our own file. The cover of SHAP is XGBoost's: the sums of hessians.
 * Throws InvalidModel, with the place, when the document is damaged or holds what this product does not score.
 */
export function readXgboostJson(text: string): TreeModel {
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch (error) {
    throw new InvalidModel(`This is not XGBoost JSON: ${(error as Error).message}.`);
  }
  return modelOf(document);
}

/** Reads a model in XGBoost's UBJSON format, its default since version 2.1. As `readXgboostJson` otherwise. */
export function readXgboostUbjson(bytes: Uint8Array): TreeModel {
  return modelOf(readUbjson(bytes));
}

function modelOf(document: Json): TreeModel {
  const checked = xgboostDocument.safeParse(document);
  if (!checked.success) throw new InvalidModel(`This XGBoost model cannot be read: ${z.prettifyError(checked.error)}`);
  const { learner } = checked.data;
  const { gradient_booster: booster, learner_model_param: parameters } = learner;
  const { trees, tree_info: treeInfo, cats } = booster.name === 'dart' ? booster.gbtree.model : booster.model;
  const weights = booster.name === 'dart' ? booster.weight_drop : treeInfo.map(() => 1);
  const outputs = Math.max(1, Number(parameters.num_class), Number(parameters.num_target));
  const features = Number(parameters.num_feature);
  if (treeInfo.length !== trees.length || weights.length !== trees.length) {
    throw new InvalidModel(`tree_info lists ${treeInfo.length} trees, but there are ${trees.length}.`);
  }

  const byOutput: Tree[][] = Array.from({ length: outputs }, () => []);
  trees.forEach((tree, index) => {
    const vector = Number(tree.tree_param.size_leaf_vector);
    for (let k = 0; k < Math.max(1, vector); k++) {
      const output = vector > 1 ? k : treeInfo[index];
      if (!(output in byOutput)) throw new InvalidModel(`Tree ${index} is for output ${output} of ${outputs}.`);
      byOutput[output].push(treeOf(tree, index, features, vector > 1 ? k : -1, weights[index]));
    }
  });
  const iterations = byOutput[0].length;
  if (byOutput.some((list) => list.length !== iterations)) {
    throw new InvalidModel(
      `The outputs have different numbers of trees: ${byOutput.map((list) => list.length).join(', ')}.`,
    );
  }

  const { objective, margins } = objectiveOfXgboost(
    learner.objective.name,
    outputs,
    baseScoresOf(parameters.base_score),
  );
  byOutput.forEach((list, output) => {
    if (iterations === 0) list.push(emptyTree(1));
    addToValues(list[0], margins[output]);
  });
  const names = learner.feature_names;
  const categorical = learner.feature_types.flatMap((type, feature) => (type === 'c' ? [feature] : []));
  return {
    objective,
    outputs,
    averaged: false,
    featureNames: names.length === features ? names : Array.from({ length: features }, (_, f) => `f${f}`),
    featureInfos: Array.from({ length: features }, () => 'none'),
    categorical,
    categories: levelsOfXgboost(learner.attributes, cats, categorical),
    monotone: null,
    parameters: { boosting: booster.name === 'dart' ? 'dart' : 'gbdt', objective: learner.objective.name },
    trees: Array.from(
      { length: byOutput[0].length * outputs },
      (_, t) => byOutput[t % outputs][Math.floor(t / outputs)],
    ),
  };
}

/** `5E-1` in versions up to 3.0, `[5E-1]` or one per output since. */
function baseScoresOf(text: string): number[] {
  const scores = text
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((score) => Math.fround(Number(score)));
  if (!scores.every(Number.isFinite)) throw new InvalidModel(`The base score "${text}" is not a number.`);
  return scores;
}

/** One output of an XGBoost tree as a flat tree; `vector` ≥ 0 picks a component of vector leaves. */
function treeOf(from: XgboostTree, index: number, features: number, vector: number, weight: number): Tree {
  const where = `tree ${index}`;
  const { left_children: lefts, right_children: rights } = from;
  const count = lefts.length;
  for (const key of [
    'right_children',
    'split_indices',
    'split_conditions',
    'default_left',
    'loss_changes',
    'sum_hessian',
  ] as const) {
    if (from[key].length !== count)
      throw new InvalidModel(`In ${where}, ${key} has ${from[key].length} entries for ${count} nodes.`);
  }

  // number inner nodes and leaves in the order in which they are reached from the root
  const place = new Map<number, number>();
  const reached = [0];
  let inner = 0;
  let leaves = 0;
  for (const node of reached) {
    if (!(Number.isInteger(node) && node >= 0 && node < count) || place.has(node)) {
      throw new InvalidModel(`In ${where}, node ${node} does not exist or is reached twice.`);
    }
    if (lefts[node] === -1) place.set(node, ~leaves++);
    else {
      place.set(node, inner++);
      reached.push(lefts[node], rights[node]);
    }
  }

  const sets = categorySetsOf(from, where);
  const tree = emptyTree(leaves);
  const words: number[] = [];
  const boundaries = [0];
  for (const node of reached) {
    const at = place.get(node)!;
    if (at < 0) {
      tree.leafValue[~at] = weight * leafValueOf(from, node, vector);
      tree.leafWeight[~at] = from.sum_hessian[node];
      tree.leafCount[~at] = from.sum_hessian[node];
      continue;
    }
    tree.splitFeature[at] = from.split_indices[node];
    tree.splitGain[at] = Math.fround(from.loss_changes[node]);
    tree.nodeValue[at] = weight * (vector < 0 ? Math.fround(from.base_weights[node]) : 0);
    tree.nodeWeight[at] = from.sum_hessian[node];
    tree.nodeCount[at] = from.sum_hessian[node];
    const defaultLeft = from.default_left[node] === 1;
    if (from.split_type?.[node] === 1) {
      // XGBoost sends the listed categories right and everything else left; here the listed ones go left
      tree.left[at] = place.get(rights[node])!;
      tree.right[at] = place.get(lefts[node])!;
      tree.decision[at] = categoricalBit | missing.nan | (defaultLeft ? 0 : defaultLeftBit);
      tree.threshold[at] = boundaries.length - 1;
      for (const word of sets.get(node) ?? []) words.push(word);
      boundaries.push(words.length);
    } else {
      tree.left[at] = place.get(lefts[node])!;
      tree.right[at] = place.get(rights[node])!;
      tree.decision[at] = missing.nan | (defaultLeft ? defaultLeftBit : 0);
      tree.threshold[at] = largestBelow32(Math.fround(from.split_conditions[node]));
    }
  }
  tree.categoryBoundaries = Int32Array.from(boundaries);
  tree.categoryBits = Uint32Array.from(words);
  checkTree(tree, where, features);
  if (tree.leafValue.some(Number.isNaN)) throw new InvalidModel(`In ${where}, a leaf has no value.`);
  return tree;
}

function leafValueOf(from: XgboostTree, node: number, vector: number): number {
  if (vector < 0) return Math.fround(from.split_conditions[node]);
  const size = Number(from.tree_param.size_leaf_vector);
  // since 3.1 a leaf's right child is its number among the leaf vectors
  if (from.leaf_weights !== undefined) return Math.fround(from.leaf_weights[from.right_children[node] * size + vector]);
  return Math.fround(from.base_weights[node * size + vector]);
}

/** The categories listed at each categorical node, as bits. */
function categorySetsOf(from: XgboostTree, where: string): Map<number, Uint32Array> {
  const sets = new Map<number, Uint32Array>();
  from.categories_nodes.forEach((node, k) => {
    const start = from.categories_segments[k];
    const listed = from.categories.slice(start, start + from.categories_sizes[k]);
    if (!(listed.length === from.categories_sizes[k] && listed.every((code) => code >= 0 && code < 1 << 24))) {
      throw new InvalidModel(`In ${where}, the categories of node ${node} are damaged.`);
    }
    const words = new Uint32Array((listed.reduce((most, code) => Math.max(most, code), 0) >>> 5) + 1);
    for (const code of listed) words[code >>> 5] |= 1 << (code & 31);
    sets.set(node, words);
  });
  return sets;
}

function addToValues(tree: Tree, margin: number): void {
  for (let leaf = 0; leaf < tree.leaves; leaf++) tree.leafValue[leaf] += margin;
  for (let node = 0; node < tree.leaves - 1; node++) tree.nodeValue[node] += margin;
}
