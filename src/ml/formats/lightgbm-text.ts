import type { Json } from '../../data/json.ts';
import { checkTree } from '../trees/check-tree.ts';
import { featureImportance } from '../trees/importance.ts';
import { InvalidModel, type Tree, type TreeModel, categoricalBit, defaultLeftBit, emptyTree } from '../trees/model.ts';

/**
 * The model in LightGBM's text format, version 4, as `lightgbm.Booster(model_file=…)` loads it: predictions there are equal to the
 * last bit. Throws InvalidModel for what that format cannot say: a feature name with white space, or a categorical split whose
 * missing values go left.
 */
export function writeLightgbmText(model: TreeModel): string {
  for (const name of model.featureNames) {
    if (/\s|^$/.test(name)) {
      throw new InvalidModel(
        `LightGBM text parts feature names by blanks; rename the feature "${name}" before training.`,
      );
    }
  }
  const trees = model.trees.map((tree, index) => `Tree=${index}\n${writeTree(tree, index)}\n\n`);
  const used = featureImportance(model)
    .filter(({ splits }) => splits > 0)
    .sort((a, b) => b.splits - a.splits);
  const { categorical } = model;
  const lines = [
    'tree',
    'version=v4',
    `num_class=${model.outputs}`,
    `num_tree_per_iteration=${model.outputs}`,
    'label_index=0',
    `max_feature_idx=${model.featureNames.length - 1}`,
    ...(model.objective === 'custom' ? [] : [`objective=${model.objective}`]),
    ...(model.averaged ? ['average_output'] : []),
    `feature_names=${model.featureNames.join(' ')}`,
    ...(model.monotone === null ? [] : [`monotone_constraints=${model.monotone.join(' ')}`]),
    `feature_infos=${model.featureInfos.join(' ')}`,
    `tree_sizes=${trees.map((tree) => tree.length).join(' ')}`,
    '',
    ...trees.map((tree) => tree.slice(0, -1)),
    'end of trees',
    '',
    'feature_importances:',
    ...used.map(({ feature, splits }) => `${feature}=${splits}`),
    '',
    'parameters:',
    ...Object.entries(model.parameters).map(([name, value]) => `[${name}: ${value}]`),
    ...(categorical.length > 0 ? [`[categorical_feature: ${categorical.join(',')}]`] : []),
    'end of parameters',
    '',
    `pandas_categorical:${JSON.stringify(model.categories)}`,
    '',
  ];
  return lines.join('\n');
}

function writeTree(tree: Tree, index: number): string {
  for (let node = 0; node < tree.leaves - 1; node++) {
    if ((tree.decision[node] & categoricalBit) !== 0 && (tree.decision[node] & defaultLeftBit) !== 0) {
      throw new InvalidModel(
        `Tree ${index}, node ${node}: missing values go left at a categorical split, which LightGBM text cannot say; write XGBoost JSON.`,
      );
    }
  }
  const sets = tree.categoryBoundaries.length - 1;
  const lists: [string, ArrayLike<number>][] = [
    ['split_feature', tree.splitFeature],
    ['split_gain', tree.splitGain],
    ['threshold', tree.threshold],
    ['decision_type', tree.decision],
    ['left_child', tree.left],
    ['right_child', tree.right],
    ['leaf_value', tree.leafValue],
    ['leaf_weight', tree.leafWeight],
    ['leaf_count', Float64Array.from(tree.leafCount, wholeCount)],
    ['internal_value', tree.nodeValue],
    ['internal_weight', tree.nodeWeight],
    ['internal_count', Float64Array.from(tree.nodeCount, wholeCount)],
    ...(sets > 0
      ? ([
          ['cat_boundaries', tree.categoryBoundaries],
          ['cat_threshold', tree.categoryBits],
        ] as [string, ArrayLike<number>][])
      : []),
  ];
  return [
    `num_leaves=${tree.leaves}`,
    `num_cat=${sets}`,
    ...lists.map(([key, values]) => `${key}=${Array.from(values).join(' ')}`),
    'is_linear=0',
    `shrinkage=${tree.shrinkage}`,
    '',
  ].join('\n');
}

/** LightGBM keeps whole counts; a cover from a foreign model is rounded, but never to nothing. */
function wholeCount(count: number): number {
  return Math.max(1, Math.round(count));
}

/**
 * Reads LightGBM text, versions 3 and 4: models of this product and of LightGBM itself. Throws InvalidModel, with the tree and the
 * key, when the text is damaged, cut off, of another version, or holds what this product does not score (linear trees).
 */
export function readLightgbmText(text: string): TreeModel {
  const [headText, ...treeTexts] = text.split(/^Tree=/m);
  const head = keysOf(headText.split(/\r?\n/));
  if (!/^tree\r?\n/.test(text)) throw new InvalidModel('This is not LightGBM text: its first line is not "tree".');
  const version = required(head, 'version', 'the header');
  if (version !== 'v3' && version !== 'v4') {
    throw new InvalidModel(`LightGBM text of version ${version} is not supported, only v3 and v4.`);
  }
  const outputs = wholeNumber(required(head, 'num_tree_per_iteration', 'the header'), 'num_tree_per_iteration');
  const featureCount = wholeNumber(required(head, 'max_feature_idx', 'the header'), 'max_feature_idx') + 1;
  const featureNames = required(head, 'feature_names', 'the header').split(' ');
  const featureInfos = required(head, 'feature_infos', 'the header').split(' ');
  if (featureNames.length !== featureCount || featureInfos.length !== featureCount) {
    throw new InvalidModel(
      `max_feature_idx says ${featureCount} features, but there are ${featureNames.length} names and ${featureInfos.length} infos.`,
    );
  }

  const last = treeTexts.at(-1) ?? headText;
  const end = last.search(/^end of trees$/m);
  if (end < 0) throw new InvalidModel('The text is cut off: there is no line "end of trees".');
  const tail = last.slice(end);
  if (treeTexts.length > 0) treeTexts[treeTexts.length - 1] = last.slice(0, end);
  const sizes = (head.get('tree_sizes') ?? '').split(' ').filter((size) => size !== '');
  if (sizes.length !== treeTexts.length || outputs < 1 || treeTexts.length % outputs !== 0) {
    throw new InvalidModel(
      `tree_sizes lists ${sizes.length} trees with ${outputs} per iteration, but ${treeTexts.length} trees follow.`,
    );
  }
  const trees = treeTexts.map((treeText, index) => readTree(treeText, index, featureCount));
  const { categorical_feature: declared, ...parameters } = parametersOf(tail);
  const monotone = head.get('monotone_constraints');
  return {
    objective: head.get('objective') ?? 'custom',
    outputs,
    averaged: head.has('average_output'),
    featureNames,
    featureInfos,
    monotone: monotone === undefined ? null : numbers(monotone, featureCount, 'monotone_constraints', 'the header'),
    ...categoriesOf(tail, declared ?? '', featureInfos, trees),
    parameters,
    trees,
  };
}

function readTree(text: string, index: number, featureCount: number): Tree {
  const where = `tree ${index}`;
  const keys = keysOf(text.split(/\r?\n/).slice(1));
  const get = (key: string) => required(keys, key, where);
  if (!text.startsWith(`${index}\n`) && !text.startsWith(`${index}\r\n`)) {
    throw new InvalidModel(
      `Where tree ${index} should follow, the text says Tree=${text.slice(0, 20).split('\n')[0]}.`,
    );
  }
  if ((keys.get('is_linear') ?? '0') !== '0')
    throw new InvalidModel(`Tree ${index} has linear leaves, which are not supported.`);

  const leaves = wholeNumber(get('num_leaves'), `num_leaves of ${where}`);
  if (leaves < 1) throw new InvalidModel(`Tree ${index} has ${leaves} leaves.`);
  const tree = emptyTree(leaves, Number(keys.get('shrinkage') ?? 1));
  const nodes = leaves - 1;
  tree.leafValue.set(numbers(get('leaf_value'), leaves, 'leaf_value', where));
  if (nodes === 0) return tree;

  const lists: [keyof Tree, string, number][] = [
    ['splitFeature', 'split_feature', nodes],
    ['splitGain', 'split_gain', nodes],
    ['threshold', 'threshold', nodes],
    ['decision', 'decision_type', nodes],
    ['left', 'left_child', nodes],
    ['right', 'right_child', nodes],
    ['leafWeight', 'leaf_weight', leaves],
    ['leafCount', 'leaf_count', leaves],
    ['nodeValue', 'internal_value', nodes],
    ['nodeWeight', 'internal_weight', nodes],
    ['nodeCount', 'internal_count', nodes],
  ];
  for (const [property, key, length] of lists) {
    (tree[property] as Float64Array).set(numbers(get(key), length, key, where));
  }
  const sets = wholeNumber(get('num_cat'), `num_cat of ${where}`);
  if (sets > 0) {
    tree.categoryBoundaries = Int32Array.from(numbers(get('cat_boundaries'), sets + 1, 'cat_boundaries', where));
    const words = tree.categoryBoundaries[sets];
    tree.categoryBits = Uint32Array.from(numbers(get('cat_threshold'), words, 'cat_threshold', where));
  }
  checkTree(tree, where, featureCount);
  return tree;
}

function keysOf(lines: string[]): Map<string, string> {
  return new Map(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

function required(keys: Map<string, string>, key: string, where: string): string {
  const value = keys.get(key);
  if (value === undefined) throw new InvalidModel(`The text is damaged: ${where} has no "${key}".`);
  return value;
}

function wholeNumber(text: string, what: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidModel(`The text is damaged: ${what} is "${text}", not a whole number.`);
  return Number(text);
}

function numbers(text: string, length: number, key: string, where: string): number[] {
  const parts = text === '' ? [] : text.split(' ');
  const values: number[] = Array.from({ length: parts.length });
  let wrong = -1;
  // most of reading a model is done here: the one form that JavaScript does not know is asked for last
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    let value = Number(part);
    if (Number.isNaN(value) && /^[-+]?inf$/.test(part)) value = Number(part.replace('inf', 'Infinity'));
    values[i] = value;
    if (wrong < 0 && (Number.isNaN(value) || part === '')) wrong = i;
  }
  if (values.length !== length || wrong >= 0) {
    const problem =
      wrong >= 0 ? `"${parts[wrong]}" at position ${wrong}` : `${values.length} numbers instead of ${length}`;
    throw new InvalidModel(`The text is damaged: ${key} of ${where} has ${problem}.`);
  }
  return values;
}

function parametersOf(tail: string): Record<string, string> {
  const found = tail.matchAll(/^\[(\w+): (.*)\]\r?$/gm);
  return Object.fromEntries(Array.from(found, ([, name, value]) => [name, value]));
}

/** Which features are categorical, and their levels from the line that LightGBM's Python package adds for pandas. */
function categoriesOf(
  tail: string,
  declared: string,
  featureInfos: readonly string[],
  trees: readonly Tree[],
): { categorical: number[]; categories: Json[][] | null } {
  const line = /^pandas_categorical:(.*)$/m.exec(tail)?.[1] ?? 'null';
  let categories: Json[][] | null;
  try {
    categories = JSON.parse(line) as Json[][] | null;
  } catch {
    throw new InvalidModel('The text is damaged: the line pandas_categorical is not JSON.');
  }
  if (categories?.length === 0) categories = null;

  const categorical = new Set<number>();
  if (/^\d+(,\d+)*$/.test(declared)) for (const index of declared.split(',')) categorical.add(Number(index));
  else {
    featureInfos.forEach((info, feature) => {
      if (/^-?\d+(:-?\d+)*$/.test(info)) categorical.add(feature);
    });
    for (const tree of trees) {
      tree.splitFeature.forEach((feature, node) => {
        if ((tree.decision[node] & categoricalBit) !== 0) categorical.add(feature);
      });
    }
  }
  return { categorical: [...categorical].sort((a, b) => a - b), categories };
}
