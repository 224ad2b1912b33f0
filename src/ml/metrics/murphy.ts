import { applyIsotonic, fitIsotonic } from '../calibration/isotonic.ts';
import { ensureSameRows } from '../ensure.ts';
import type { Metric } from './metric.ts';
import { weightedMean } from './regression.ts';

/** `score = miscalibration − discrimination + uncertainty`, all in the unit of the loss and all ≥ 0 for a mean's loss. */
export type MurphyDecomposition = {
  score: number;
  /** What recalibrating alone would win. */
  miscalibration: number;
  /** What the ranking is worth over a constant. */
  discrimination: number;
  /** The loss of the best constant. */
  uncertainty: number;
};

/**
 * Murphy's decomposition of a loss whose minimiser is the mean: squared error, log loss, Poisson, Gamma or Tweedie deviance
 * (Murphy, 1973; in the form of Gneiting and Resin, "Regression diagnostics meets forecast evaluation", 2023, the
 * recalibrated prediction being the isotonic regression of the actuals on the predictions).
 */
export function murphyDecomposition(
  loss: Metric,
  actual: Float64Array,
  predicted: Float64Array,
  weight?: Float64Array,
): MurphyDecomposition {
  ensureSameRows({ actual, predicted, weight });
  const recalibrated = applyIsotonic(fitIsotonic(predicted, actual, weight), predicted);
  const constant = new Float64Array(actual.length).fill(weightedMean(actual, weight));
  const score = loss(actual, predicted, weight);
  const afterRecalibration = loss(actual, recalibrated, weight);
  const uncertainty = loss(actual, constant, weight);
  return {
    score,
    miscalibration: score - afterRecalibration,
    discrimination: uncertainty - afterRecalibration,
    uncertainty,
  };
}
