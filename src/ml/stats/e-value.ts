/*
 * Evidence that may be looked at as often as one likes. An e-value has a mean of at most 1 where nothing has changed, and so has
 * every product of new ones; the chance that it ever reaches 1 / α is then at most α (Ville's inequality; Ramdas, Grünwald, Vovk
 * and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38, 2023). A test at fixed 5 %
 * that is repeated at twelve monthly looks errs in 21 %.
 *
 * E-values grow beyond what a number holds, so they are kept as natural logarithms.
 */

/** How much a difference of means rests on: 1 / (1/n + 1/m) rows for two samples of n and m, n for one sample of n. */
export type MeanEvidence = { t: number; degreesOfFreedom: number; effectiveRows: number };

/**
 * The log e-value of a t statistic: how much likelier it is when the true difference is drawn from a normal distribution of
 * standard deviation `effectSd` (in standard deviations of a row) than when there is none.
 *
 * That is the mixture sequential probability ratio test (Robbins, 1970; Johari, Koomen, Pekelis and Walsh, "Always valid
 * inference", Operations Research 70, 2022) with the variance unknown, in the closed form of Gönen, Johnson, Lu and Westfall
 * (The American Statistician 59, 2005). For normal rows it is exact from the first rows on, because it depends on nothing that
 * location and scale change (Pérez-Ortiz, Lardy, de Heide and Grünwald, Annals of Statistics 52, 2024); for others it holds as
 * the central limit theorem does. Most sensitive where `effectSd` is about the effect that matters. Valid for every choice that
 * was made before the first look.
 */
export function logMeanEvalue({ t, degreesOfFreedom, effectiveRows }: MeanEvidence, effectSd: number): number {
  if (!(degreesOfFreedom >= 1) || Number.isNaN(t)) return 0;
  const spread = 1 + effectiveRows * effectSd * effectSd;
  const u = (t * t) / degreesOfFreedom;
  const ratio = u === Infinity ? spread : (1 + u) / (1 + u / spread);
  return ((degreesOfFreedom + 1) / 2) * Math.log(ratio) - Math.log(spread) / 2;
}

/**
 * The largest |t| whose e-value stays below 1 / `significance`: times the standard error, the half-width of an interval that
 * holds the true difference at all looks at once with confidence 1 − `significance`. Infinite while there are too few rows.
 */
export function criticalT(
  { degreesOfFreedom, effectiveRows }: Pick<MeanEvidence, 'degreesOfFreedom' | 'effectiveRows'>,
  effectSd: number,
  significance: number,
): number {
  if (!(degreesOfFreedom >= 1)) return Infinity;
  const spread = 1 + effectiveRows * effectSd * effectSd;
  // the ratio of `logMeanEvalue` at which it reaches ln(1 / significance), solved for t
  const excess = Math.expm1((2 * (Math.log(spread) / 2 - Math.log(significance))) / (degreesOfFreedom + 1));
  return excess + 1 < spread ? Math.sqrt((degreesOfFreedom * excess) / (1 - (excess + 1) / spread)) : Infinity;
}

/**
 * The log e-value of a p-value of any test, by the calibrator (1 − p + p ln p) / (p ln² p) of Vovk and Wang ("E-values:
 * calibration, combination and applications", Annals of Statistics 49, 2021), which needs no parameter.
 */
export function logEvalueOfP(p: number): number {
  if (Number.isNaN(p)) return 0;
  const x = Math.log(Math.max(p, Number.MIN_VALUE));
  // near p = 1 the quotient is 0 / 0, and its series begins so
  if (x > -1e-4) return Math.log(0.5 - x / 6);
  return Math.log((1 - Math.exp(x) + Math.exp(x) * x) / (x * x)) - x;
}

/** ln Σ exp(values), without overflow. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i] - largest);
  return largest + Math.log(sum);
}
