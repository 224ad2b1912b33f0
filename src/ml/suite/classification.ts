import { expectedCalibrationError } from '../metrics/calibration-error.ts';
import {
  accuracyAt,
  f1At,
  falsePositiveRateAt,
  kappaAt,
  matthewsAt,
  precisionAt,
  recallAt,
} from '../metrics/confusion.ts';
import { brier, logLoss } from '../metrics/probability.ts';
import { averagePrecision, rocAuc } from '../metrics/roc.ts';
import type { Suite } from './suite.ts';

/** Labels of 0 and 1 against probabilities: the ranking, the probabilities themselves, and the decisions at one threshold. */
export function classificationSuite(threshold: number): Suite {
  const at = `at ${threshold}`;
  return {
    roc_auc: { metric: rocAuc, title: 'ROC AUC', better: 'higher', unit: 'ratio' },
    average_precision: {
      metric: averagePrecision,
      title: 'PR AUC (average precision)',
      better: 'higher',
      unit: 'ratio',
    },
    log_loss: { metric: logLoss, title: 'log loss', better: 'lower', unit: 'nats' },
    brier: { metric: brier, title: 'Brier score', better: 'lower', unit: 'ratio' },
    calibration_error: {
      metric: expectedCalibrationError(),
      title: 'expected calibration error',
      better: 'lower',
      unit: 'ratio',
    },
    precision: { metric: precisionAt(threshold), title: `precision ${at}`, better: 'higher', unit: 'ratio' },
    recall: { metric: recallAt(threshold), title: `recall ${at}`, better: 'higher', unit: 'ratio' },
    f1: { metric: f1At(threshold), title: `F1 ${at}`, better: 'higher', unit: 'ratio' },
    false_positive_rate: {
      metric: falsePositiveRateAt(threshold),
      title: `false positive rate ${at}`,
      better: 'lower',
      unit: 'ratio',
    },
    accuracy: { metric: accuracyAt(threshold), title: `accuracy ${at}`, better: 'higher', unit: 'ratio' },
    kappa: { metric: kappaAt(threshold), title: `Cohen’s kappa ${at}`, better: 'higher', unit: 'ratio' },
    matthews: { metric: matthewsAt(threshold), title: `Matthews correlation ${at}`, better: 'higher', unit: 'ratio' },
  };
}
