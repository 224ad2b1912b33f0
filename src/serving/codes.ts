/**
 * How one decision came about. Whatever goes wrong with a claim, a person decides it: there is no code that stops a claim.
 * `ML_ERROR…` tells what went wrong, most precise first; `ML_ERROR` itself is what nobody foresaw.
 */
export const outcomeCodes = [
  'ML_APPROVED',
  'ML_REJECTED',
  /** The probability lies in the band where a review costs less than either decision. */
  'ML_MANUAL_REVIEW',
  /** The model is switched off: people decide everything. */
  'ML_SKIPPED',
  'ML_ERROR',
  /** The request breaks rules; its faults name them. */
  'ML_ERROR_FEATURE_FORMAT',
  /** The model wants other features than the use case computes. */
  'ML_ERROR_FEATURE_SHAPE',
  'ML_ERROR_INFERENCE_EXCEPTION',
  /** No version is live, or it cannot be loaded. */
  'ML_ERROR_PREDICTOR_UNAVAILABLE',
  /** The model answered with what is no probability. */
  'ML_ERROR_UNEXPECTED_FORMAT',
] as const;
export type OutcomeCode = (typeof outcomeCodes)[number];

export const isError = (code: OutcomeCode): boolean => code.startsWith('ML_ERROR');
