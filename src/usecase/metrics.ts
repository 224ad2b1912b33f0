/**
 * The metrics that a declaration may name, for gates, search and limits. `better` says which way is good, so that no reader
 * guesses; `unit` is a plain ratio or the label's own unit. "High cost" is at or above the label's declared high quantile.
 */
export const metricDescriptors = {
  r2: { better: 'higher', unit: 'ratio', title: 'R²' },
  mae: { better: 'lower', unit: 'label', title: 'mean absolute error' },
  rmse: { better: 'lower', unit: 'label', title: 'root mean squared error' },
  gini: { better: 'higher', unit: 'ratio', title: 'ordered Gini' },
  skill_over_constant: { better: 'higher', unit: 'ratio', title: 'skill over a constant' },
  skill_over_rules: {
    better: 'higher',
    unit: 'ratio',
    title: 'skill over the tariff',
  },
  high_cost_accuracy: { better: 'higher', unit: 'ratio', title: 'high-cost accuracy' },
  high_cost_recall: { better: 'higher', unit: 'ratio', title: 'high-cost recall' },
  high_cost_precision: { better: 'higher', unit: 'ratio', title: 'high-cost precision' },
} as const satisfies { [name: string]: { better: 'higher' | 'lower'; unit: 'ratio' | 'label'; title: string } };

export type MetricName = keyof typeof metricDescriptors;
export const metricNames = Object.keys(metricDescriptors) as MetricName[];
