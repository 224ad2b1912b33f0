/**
 * The metrics that a declaration may name, for gates, search and limits. `better` says which way is good, so that no reader
 * guesses; `unit` is a plain ratio, the label's own unit, or nats. "High cost" is at or above the label's declared high quantile;
 * precision, recall, F1 and accuracy are those of the declared decision. Of several outputs a metric is the mean over them. Concordance
 * with outcomes is the chance that of two outputs of a row the one that went further is predicted higher.
 */
export const metricDescriptors = {
  r2: { better: 'higher', unit: 'ratio', title: 'R²', tasks: ['regression', 'ranking'] },
  mae: { better: 'lower', unit: 'label', title: 'mean absolute error', tasks: ['regression', 'ranking'] },
  rmse: { better: 'lower', unit: 'label', title: 'root mean squared error', tasks: ['regression', 'ranking'] },
  gini: { better: 'higher', unit: 'ratio', title: 'ordered Gini', tasks: ['regression'] },
  roc_auc: { better: 'higher', unit: 'ratio', title: 'ROC AUC', tasks: ['binary'] },
  pr_auc: { better: 'higher', unit: 'ratio', title: 'PR AUC', tasks: ['binary'] },
  log_loss: { better: 'lower', unit: 'nats', title: 'log loss', tasks: ['binary'] },
  brier: { better: 'lower', unit: 'ratio', title: 'Brier score', tasks: ['binary'] },
  calibration_error: { better: 'lower', unit: 'ratio', title: 'calibration error', tasks: ['binary'] },
  accuracy: { better: 'higher', unit: 'ratio', title: 'accuracy', tasks: ['binary'] },
  precision: { better: 'higher', unit: 'ratio', title: 'precision', tasks: ['binary'] },
  recall: { better: 'higher', unit: 'ratio', title: 'recall', tasks: ['binary'] },
  f1: { better: 'higher', unit: 'ratio', title: 'F1', tasks: ['binary'] },
  quadratic_kappa: { better: 'higher', unit: 'ratio', title: 'quadratic kappa', tasks: ['binary'] },
  ndcg_at_5: { better: 'higher', unit: 'ratio', title: 'NDCG at 5', tasks: ['ranking'] },
  top_5_overlap: { better: 'higher', unit: 'ratio', title: 'top-5 overlap', tasks: ['ranking'] },
  skill_over_constant: {
    better: 'higher',
    unit: 'ratio',
    title: 'skill over a constant',
    tasks: ['regression', 'binary', 'ranking'],
  },
  skill_over_rules: {
    better: 'higher',
    unit: 'ratio',
    title: 'skill over the rules',
    tasks: ['regression', 'binary', 'ranking'],
  },
  outcome_concordance: { better: 'higher', unit: 'ratio', title: 'concordance with outcomes', tasks: ['ranking'] },
  concordance_over_rules: {
    better: 'higher',
    unit: 'ratio',
    title: 'concordance over the rules',
    tasks: ['ranking'],
  },
  high_cost_accuracy: { better: 'higher', unit: 'ratio', title: 'high-cost accuracy', tasks: ['regression'] },
  high_cost_recall: { better: 'higher', unit: 'ratio', title: 'high-cost recall', tasks: ['regression'] },
  high_cost_precision: { better: 'higher', unit: 'ratio', title: 'high-cost precision', tasks: ['regression'] },
} as const satisfies {
  [name: string]: {
    better: 'higher' | 'lower';
    unit: 'ratio' | 'label' | 'nats';
    title: string;
    tasks: readonly Task[];
  };
};

/** What is learnt: an amount, the probability of an event, or the amounts of several outputs that are ranked by them. */
export type Task = 'regression' | 'binary' | 'ranking';

export type MetricName = keyof typeof metricDescriptors;
export const metricNames = Object.keys(metricDescriptors) as MetricName[];

/** Metrics of what came of the judged rows, in place of their labels: measured only where enough of that is known. */
export const outcomeMetrics: readonly MetricName[] = ['outcome_concordance', 'concordance_over_rules'];

/** The metrics that have a meaning for the task. */
export function metricsOf(task: Task): MetricName[] {
  return metricNames.filter((name) => (metricDescriptors[name].tasks as readonly Task[]).includes(task));
}

/** The loss in which models are compared group by group, and that monitoring follows: it is defined for every row. */
export const rowLoss = { regression: 'mae', ranking: 'mae', binary: 'brier' } as const satisfies {
  [task in Task]: MetricName;
};
