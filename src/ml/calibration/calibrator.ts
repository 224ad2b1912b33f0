import { applyBeta, fitBeta, type Beta } from './beta.ts';
import { applyIsotonic, fitIsotonic, type Isotonic } from './isotonic.ts';
import { applyPlatt, fitPlatt, type Platt } from './platt.ts';

/** A fitted map from a model's probabilities to calibrated ones; plain JSON, stored with the model. */
export type Calibrator = Isotonic | Platt | Beta;

/** Isotonic wants about 1,000 rows and more; Platt and beta are steady on a few hundred. */
export type CalibrationMethod = Calibrator['kind'];

/** Fits a calibrator on probabilities of rows the model was not trained on (out of fold, or a validation set). */
export function fitCalibrator(
  method: CalibrationMethod,
  predicted: Float64Array,
  actual: Float64Array,
  weight?: Float64Array,
): Calibrator {
  return { isotonic: fitIsotonic, platt: fitPlatt, beta: fitBeta }[method](predicted, actual, weight);
}

/** The calibrated probability of each prediction. */
export function applyCalibrator(calibrator: Calibrator, predicted: Float64Array): Float64Array {
  if (calibrator.kind === 'isotonic') return applyIsotonic(calibrator, predicted);
  if (calibrator.kind === 'platt') return applyPlatt(calibrator, predicted);
  return applyBeta(calibrator, predicted);
}
