import type { TreeModel } from './model.ts';

/** Per feature of the model: how often it is split on, and what those splits gained in all. */
export type FeatureImportance = { feature: string; splits: number; gain: number };

/** Split and gain importance, one entry per feature in the model's order. Splits without gain do not count, as in LightGBM. */
export function featureImportance(model: TreeModel): FeatureImportance[] {
  const importance = model.featureNames.map((feature) => ({ feature, splits: 0, gain: 0 }));
  for (const tree of model.trees) {
    tree.splitFeature.forEach((feature, node) => {
      if (!(tree.splitGain[node] > 0)) return;
      importance[feature].splits++;
      importance[feature].gain += tree.splitGain[node];
    });
  }
  return importance;
}
