import { ensureSameRows } from '../ensure.ts';
import { fitGlm } from '../glm/glm.ts';
import { ensureBinary } from '../metrics/binary.ts';
import { logOdds, logistic } from './log-odds.ts';

/** calibrated = 1 / (1 + exp(−(slope · logit(p) + intercept))). Plain JSON. */
export type Platt = { kind: 'platt'; slope: number; intercept: number };

/**
 * Platt scaling (Platt, "Probabilistic outputs for support vector machines", 1999) on the log-odds of the predictions, with
 * his targets (n₊ + 1) / (n₊ + 2) and 1 / (n₋ + 2) in place of 1 and 0, which keep it finite where scores separate the
 * classes. Fit on rows the model was not trained on. Right for scores that are over- or underconfident in equal measure.
 */
export function fitPlatt(predicted: Float64Array, actual: Float64Array, weight?: Float64Array): Platt {
  ensureSameRows({ predicted, actual, weight });
  ensureBinary(actual);
  let positives = 0;
  let negatives = 0;
  for (let i = 0; i < actual.length; i++) {
    const w = weight ? weight[i] : 1;
    if (actual[i] === 1) positives += w;
    else negatives += w;
  }
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (negatives + 2)];
  const targets = actual.map((y) => (y === 1 ? high : low));
  const features = { rows: actual.length, columns: 1, names: ['log-odds'], values: predicted.map(logOdds) };
  const { terms } = fitGlm(features, targets, { family: 'binomial', ...(weight && { weight }) });
  return { kind: 'platt', slope: terms[1].coefficient, intercept: terms[0].coefficient };
}

/** The calibrated probability of each prediction. */
export function applyPlatt({ slope, intercept }: Platt, predicted: Float64Array): Float64Array {
  return predicted.map((p) => logistic(slope * logOdds(p) + intercept));
}
