import { InvalidModel, type Tree, type TreeModel, categoricalBit, defaultLeftBit, missing } from '../trees/model.ts';
import { smallestAbove32 } from './float32.ts';
import { attributesOf } from './xgboost-categories.ts';
import { objectiveForXgboost } from './xgboost-objective.ts';

/**
 * The model in XGBoost's JSON format, as `xgboost.Booster(model_file=…)` loads it. XGBoost computes in float32, so predictions there
 * agree to about 1e-6. The means of a forest become sums of smaller leaves; row counts stand in `sum_hessian`, so that SHAP values
 * agree as well. Levels of categories are kept as an attribute; XGBoost itself takes their codes. Throws InvalidModel for a link that XGBoost does not have, or zeros taken as missing.
 */
export function writeXgboostJson(model: TreeModel): string {
  const { name, baseScore, scale } = objectiveForXgboost(model);
  const { outputs } = model;
  const features = model.featureNames.length;
  const iterations = model.trees.length / outputs;
  const perLeaf = model.averaged ? scale / iterations : scale;
  const isClasses = name.startsWith('multi:');
  return JSON.stringify({
    learner: {
      attributes: attributesOf(model),
      feature_names: model.featureNames,
      feature_types: model.featureNames.map((_, feature) => (model.categorical.includes(feature) ? 'c' : 'float')),
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: String(model.trees.length) },
          iteration_indptr: Array.from({ length: iterations + 1 }, (_, k) => k * outputs),
          tree_info: model.trees.map((_, t) => t % outputs),
          trees: model.trees.map((tree, index) => treeDocument(tree, index, features, perLeaf)),
        },
        name: 'gbtree',
      },
      learner_model_param: {
        base_score: scientific(baseScore),
        boost_from_average: '1',
        num_class: isClasses ? String(outputs) : '0',
        num_feature: String(features),
        num_target: isClasses ? '1' : String(outputs),
      },
      objective: { name, ...objectiveParameters(name, outputs) },
    },
    version: [2, 1, 0],
  }).replaceAll(new RegExp(`"${mark}([^"]+)"`, 'g'), '$1');
}

function objectiveParameters(name: string, outputs: number): object {
  switch (name) {
    case 'count:poisson':
      return { poisson_regression_param: { max_delta_step: '0.7' } };
    case 'reg:tweedie':
      return { tweedie_regression_param: { tweedie_variance_power: '1.5' } };
    case 'multi:softprob':
      return { softmax_multiclass_param: { num_class: String(outputs) } };
    case 'reg:absoluteerror':
      return {};
    default:
      return { reg_loss_param: { scale_pos_weight: '1' } };
  }
}

/** XGBoost's nodes: level by level, siblings side by side, since it takes the right child to follow the left one. */
function treeDocument(tree: Tree, id: number, features: number, scale: number): object {
  const count = 2 * tree.leaves - 1;
  const document = {
    base_weights: floats(count),
    categories: [] as number[],
    categories_nodes: [] as number[],
    categories_segments: [] as number[],
    categories_sizes: [] as number[],
    default_left: integers(count),
    id,
    left_children: integers(count, -1),
    loss_changes: floats(count),
    parents: integers(count, 2147483647),
    right_children: integers(count, -1),
    split_conditions: floats(count),
    split_indices: integers(count),
    split_type: integers(count),
    sum_hessian: floats(count),
    tree_param: {
      num_deleted: '0',
      num_feature: String(features),
      num_nodes: String(count),
      size_leaf_vector: '1',
    },
  };

  // ours[k] is the node or leaf of ours that becomes XGBoost's node k
  const ours = [tree.leaves > 1 ? 0 : ~0];
  for (let k = 0; k < ours.length; k++) {
    const node = ours[k];
    if (node < 0) {
      document.split_conditions[k] = float(tree.leafValue[~node] * scale);
      document.base_weights[k] = float(tree.leafValue[~node] * scale);
      document.sum_hessian[k] = float(tree.leafCount[~node]);
      continue;
    }
    const isCategorical = (tree.decision[node] & categoricalBit) !== 0;
    const [left, right] = isCategorical ? [tree.right[node], tree.left[node]] : [tree.left[node], tree.right[node]];
    document.left_children[k] = ours.length;
    document.right_children[k] = ours.length + 1;
    document.parents[ours.length] = k;
    document.parents[ours.length + 1] = k;
    ours.push(left, right);
    document.default_left[k] = missingGoesLeft(tree, id, node) !== isCategorical ? 1 : 0;
    document.split_indices[k] = tree.splitFeature[node];
    document.loss_changes[k] = float(tree.splitGain[node]);
    document.base_weights[k] = float(tree.nodeValue[node] * scale);
    document.sum_hessian[k] = float(tree.nodeCount[node]);
    if (!isCategorical) {
      document.split_conditions[k] = float(smallestAbove32(tree.threshold[node]));
      continue;
    }
    const listed = categoriesOf(tree, tree.threshold[node]);
    document.split_type[k] = 1;
    document.categories_nodes.push(k);
    document.categories_segments.push(document.categories.length);
    document.categories_sizes.push(listed.length);
    document.categories.push(...listed);
  }
  return document;
}

function missingGoesLeft(tree: Tree, id: number, node: number): boolean {
  const decision = tree.decision[node];
  const missingType = decision & missing.mask;
  if ((decision & categoricalBit) !== 0 || missingType === missing.nan) return (decision & defaultLeftBit) !== 0;
  if (missingType === missing.zero) {
    throw new InvalidModel(`Tree ${id}, node ${node} takes zeros for missing, which XGBoost cannot say.`);
  }
  return tree.threshold[node] >= 0; // where no value counts as missing, LightGBM reads NaN as zero
}

function categoriesOf(tree: Tree, set: number): number[] {
  const listed: number[] = [];
  const start = tree.categoryBoundaries[set];
  for (let code = 0; code < (tree.categoryBoundaries[set + 1] - start) * 32; code++) {
    if ((tree.categoryBits[start + (code >>> 5)] >>> (code & 31)) & 1) listed.push(code);
  }
  return listed;
}

function integers(length: number, value = 0): number[] {
  return Array.from({ length }, () => value);
}

function floats(length: number): string[] {
  return Array.from({ length }, () => float(0));
}

/** XGBoost takes `50000` for an integer and refuses it: a float must show a point or an exponent. */
function float(value: number): string {
  const text = String(Math.fround(value));
  return `\u0001${/[.e]/.test(text) ? text : `${text}.0`}`;
}

/** How JSON writes the control character before each float, by which the quotes round it are found and taken away. */
const mark = String.raw`\\u0001`;

function scientific(value: number): string {
  return value.toExponential().toUpperCase().replace('+', '');
}
