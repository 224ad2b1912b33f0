import * as z from 'zod';
import { xgboostLevels } from './xgboost-categories.ts';

/** The parts of XGBoost's model document (versions 1.3 to 3.x) that scoring and explaining need. */

const numbers = z.array(z.number());
const flags = z.array(z.union([z.number(), z.boolean()]).transform(Number));

const tree = z.object({
  left_children: numbers,
  right_children: numbers,
  split_indices: numbers,
  split_conditions: numbers,
  split_type: flags.optional(),
  default_left: flags,
  base_weights: numbers,
  /** Vector leaves, since 3.1; earlier they stand in base_weights. */
  leaf_weights: numbers.optional(),
  loss_changes: numbers,
  sum_hessian: numbers,
  categories: numbers.default([]),
  categories_nodes: numbers.default([]),
  categories_segments: numbers.default([]),
  categories_sizes: numbers.default([]),
  tree_param: z.object({ size_leaf_vector: z.string().default('1') }),
});

const model = z.object({
  tree_info: numbers,
  trees: z.array(tree),
  /** Only a help for texts: a layout that is not known is no reason to refuse the model. */
  cats: xgboostLevels.optional().catch(undefined),
});

const booster = z.discriminatedUnion('name', [
  z.object({ name: z.literal('gbtree'), model }),
  z.object({ name: z.literal('dart'), gbtree: z.object({ model }), weight_drop: numbers }),
]);

export const xgboostDocument = z.object({
  version: numbers,
  learner: z.object({
    attributes: z.record(z.string(), z.string()).default({}),
    feature_names: z.array(z.string()).default([]),
    feature_types: z.array(z.string()).default([]),
    gradient_booster: booster,
    learner_model_param: z.object({
      base_score: z.string(),
      num_class: z.string().default('0'),
      num_target: z.string().default('1'),
      num_feature: z.string(),
    }),
    objective: z.looseObject({
      name: z.string(),
      tweedie_regression_param: z.object({ tweedie_variance_power: z.string() }).optional(),
    }),
  }),
});

export type XgboostTree = z.output<typeof tree>;
