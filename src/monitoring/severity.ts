/** How urgent it is, least first. */
export const severities = ['NONE', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
export type Severity = (typeof severities)[number];

/** The most urgent of them; `NONE` of nothing. */
export function worstSeverity(all: readonly Severity[]): Severity {
  return all.reduce<Severity>(
    (worst, one) => (severities.indexOf(one) > severities.indexOf(worst) ? one : worst),
    'NONE',
  );
}

/** What monitoring can find. */
export type FindingKind =
  | 'low-volume'
  | 'quarantine'
  | 'missing-values'
  | 'unit-change'
  | 'feature-drift'
  | 'demographic-shift'
  | 'prediction-drift'
  | 'flag-share'
  | 'composite-drift'
  | 'performance-limit'
  | 'performance-worse'
  | 'imbalance';

/** One thing found; plain JSON. */
export type Finding = {
  kind: FindingKind;
  severity: Severity;
  /** The column, flag or metric that it is about. */
  subject: string;
  value: number;
  limit: number;
  /** What was found, with its numbers. */
  text: string;
  /** What it means for the business, and what to do about it. */
  impact: string;
  action: string;
};

/** Completes a finding by what its kind means and asks for. */
export function finding(found: Omit<Finding, 'impact' | 'action'>): Finding {
  return { ...found, ...guidance[found.kind] };
}

const guidance: Record<FindingKind, { impact: string; action: string }> = {
  'low-volume': {
    impact: 'Too few predictions to say anything about drift; part of the portfolio may be missing.',
    action: 'Check that every source has delivered and that the ingest machine has run.',
  },
  quarantine: {
    impact: 'A share of the portfolio is not scored, and what is left may not be typical of it.',
    action: 'Look at the quarantine by rule and have the source corrected; then release the rows.',
  },
  'missing-values': {
    impact: 'The model falls back on its missing-value branches, and its predictions move to the mean.',
    action: 'Ask the source what has changed in the column; do not retrain on it.',
  },
  'unit-change': {
    impact: 'The model reads the column in the wrong unit; predictions are wrong wherever it matters.',
    action: 'Have the unit corrected at the source or in the contract, then score again; do not retrain on it.',
  },
  'feature-drift': {
    impact: 'The model is asked about people unlike those that it has learnt from.',
    action: 'Confirm with the business that the population has changed; retrain when the error rises or is not known.',
  },
  'demographic-shift': {
    impact: 'The portfolio has another composition than the model was approved for.',
    action: 'Review the fairness table and the intended use for the groups that have grown.',
  },
  'prediction-drift': {
    impact: 'Premiums, reserves and flags that rest on the predictions move with them.',
    action: 'Compare with the drifted features; where none explains it, check features and scoring of the run.',
  },
  'flag-share': {
    impact: 'More or fewer cases than planned go to review.',
    action: 'Check the capacity of the review and the limits of the flag.',
  },
  'composite-drift': {
    impact: 'Predictions and portfolio have moved together, further than chance explains.',
    action: 'Plan a retraining with the new data.',
  },
  'performance-limit': {
    impact: 'Predictions are further from the truth than the use case allows.',
    action: 'Retrain, and do not rely on single predictions until the new model is live.',
  },
  'performance-worse': {
    impact: 'Predictions are further from the truth than they were when the model was approved.',
    action: 'Retrain with the matured truth.',
  },
  imbalance: {
    impact: 'The total of the predictions misses the total of the costs, so that reserves are off by that share.',
    action: 'Recalibrate by the balance factor; retrain where the ranking has suffered too.',
  },
};
