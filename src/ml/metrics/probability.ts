import { ensureSameRows } from '../ensure.ts';
import { ensureBinary, ensureProbabilities } from './binary.ts';
import type { Metric } from './metric.ts';
import { weightedMean } from './regression.ts';

/** Probabilities are kept this far from 0 and 1 in logarithms, so that one certain mistake does not make the loss infinite. */
export const PROBABILITY_MARGIN = Number.EPSILON;

/** Mean negative log-likelihood of a probability, in nats; 0 is perfect, less is better. */
export const logLoss: Metric = (actual, predicted, weight) => logLossOver(actual, predicted)(weight);
logLoss.over = logLossOver;

function logLossOver(actual: Float64Array, predicted: Float64Array) {
  return meanOver(actual, predicted, (y, p) => {
    const kept = Math.min(1 - PROBABILITY_MARGIN, Math.max(PROBABILITY_MARGIN, p));
    return y === 1 ? -Math.log(kept) : -Math.log1p(-kept);
  });
}

/** Brier score: mean squared error of a probability (Brier, 1950); 0 is perfect, less is better. */
export const brier: Metric = (actual, predicted, weight) => brierOver(actual, predicted)(weight);
brier.over = brierOver;

function brierOver(actual: Float64Array, predicted: Float64Array) {
  return meanOver(actual, predicted, (y, p) => (y - p) * (y - p));
}

function meanOver(actual: Float64Array, predicted: Float64Array, loss: (y: number, p: number) => number) {
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  ensureProbabilities(predicted);
  const losses = actual.map((y, i) => loss(y, predicted[i]));
  return (weight?: Float64Array) => {
    ensureSameRows({ actual, weight });
    return weightedMean(losses, weight);
  };
}
