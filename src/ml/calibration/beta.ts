import { ensureSameRows } from '../ensure.ts';
import { fitGlm } from '../glm/glm.ts';
import { ensureBinary } from '../metrics/binary.ts';
import { weightedMean } from '../metrics/regression.ts';
import { clipProbability, logistic, logOdds } from './log-odds.ts';
import { log1p } from '../exponential.ts';

/** calibrated = 1 / (1 + exp(−(a · ln p − b · ln(1 − p) + c))), a and b ≥ 0. Plain JSON. */
export type Beta = { kind: 'beta'; a: number; b: number; c: number };

/**
 * Beta calibration (Kull, Silva Filho and Flach, AISTATS 2017): two slopes, so that it can bend the two ends of the
 * probability scale differently and is the identity for scores that need nothing. A slope that comes out negative is set to
 * 0 and the rest fitted again, as in the paper, so the map never falls. Fit on rows the model was not trained on.
 */
export function fitBeta(predicted: Float64Array, actual: Float64Array, weight?: Float64Array): Beta {
  ensureSameRows({ predicted, actual, weight });
  ensureBinary(actual);
  const low = predicted.map((p) => Math.log(clipProbability(p)));
  const high = predicted.map((p) => -log1p(-clipProbability(p)));
  const fit = (columns: Record<string, Float64Array>) => {
    const names = Object.keys(columns);
    const values = new Float64Array(names.length * actual.length);
    names.forEach((name, i) => values.set(columns[name], i * actual.length));
    const features = { rows: actual.length, columns: names.length, names, values };
    const { terms } = fitGlm(features, actual, { family: 'binomial', ...(weight && { weight }) });
    const coefficientOf = (name: string) => terms.find((term) => term.name === name)?.coefficient ?? 0;
    return { a: coefficientOf('low'), b: coefficientOf('high'), c: coefficientOf('intercept') };
  };

  const both = fit({ low, high });
  if (both.a >= 0 && both.b >= 0) return { kind: 'beta', ...both };
  const single = both.a < 0 ? fit({ high }) : fit({ low });
  if (single.a >= 0 && single.b >= 0) return { kind: 'beta', ...single };
  // scores that rank backwards say nothing but the share of positives
  return { kind: 'beta', a: 0, b: 0, c: logOdds(weightedMean(actual, weight)) };
}

/** The calibrated probability of each prediction. */
export function applyBeta({ a, b, c }: Beta, predicted: Float64Array): Float64Array {
  return predicted.map((p) => {
    const kept = clipProbability(p);
    return logistic(a * Math.log(kept) - b * log1p(-kept) + c);
  });
}
