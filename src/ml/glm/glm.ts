import { ensureFinite, ensureSameLength, ensureSameRows, ensureWeights } from '../ensure.ts';
import { column, type Matrix } from '../matrix.ts';
import type { Estimate } from '../metrics/metric.ts';
import { criticalValue } from '../metrics/normal.ts';
import { normalTwoSidedTail } from '../stats/special.ts';
import { cholesky, inverse, solve } from './cholesky.ts';
import { ensureLabels, familyFunctions, inverseLink, linkOf, meanSlope, type GlmFamily } from './family.ts';
import { exp } from '../exponential.ts';

/** A fitted generalised linear model; plain JSON. The intercept comes first where there is one. */
export type Glm = {
  kind: 'glm';
  family: GlmFamily;
  /** Feature names, in the order the matrix must have. */
  names: string[];
  terms: GlmTerm[];
  /** Dispersion φ: 1 by definition for Poisson and binomial, else Pearson's χ² over the degrees of freedom. */
  dispersion: number;
  deviance: number;
  /** Deviance of the best constant (with the same offset). */
  nullDeviance: number;
  degreesOfFreedom: number;
  iterations: number;
};

/** One coefficient on the scale of the linear predictor. */
export type GlmTerm = { name: string; coefficient: number; standardError: number };

export type GlmOptions = {
  family: GlmFamily;
  /** Prior weight per row: exposure where the label is a rate per unit of exposure. */
  weight?: Float64Array;
  /** Exposure per row, > 0, where the label is a total: ln(exposure) becomes an offset. Log link only. */
  exposure?: Float64Array;
  /** @default 50 */
  maxIterations?: number;
};

/** Thrown where a model cannot be fitted; it names the column or the cure. */
export class GlmError extends Error {
  override name = 'GlmError';
}

/**
 * Fits a generalised linear model with an intercept by Fisher scoring, which is iteratively reweighted least squares
 * (Nelder and Wedderburn, JRSS A 135, 1972), until no coefficient of a standardised feature moves by more than 1e-9.
 *
 * Features must be finite: impute and one-hot encode (`dropFirst`) before. Throws a `GlmError` for a column that the others
 * determine, and for one whose coefficient runs off to infinity, because it separates the classes or only meets zeros.
 */
export function fitGlm(features: Matrix, label: Float64Array, options: GlmOptions): Glm {
  const { family, weight, exposure, maxIterations = 50 } = options;
  ensureSameRows({ label, features: { length: features.rows }, weight, exposure });
  ensureLabels(family, label);
  if (weight) ensureWeights(weight);
  features.names.forEach((name, index) => ensureFinite(`The feature "${name}"`, column(features, index)));
  const offset = offsetOf(family, exposure, features.rows);

  const scaled = standardise(features);
  const fit = fisherScoring(scaled.columns, label, { family, weight, offset, maxIterations }, features.names);
  const constant = fisherScoring([scaled.columns[0]], label, { family, weight, offset, maxIterations }, []);

  const { hasFixedDispersion } = familyFunctions(family);
  const degreesOfFreedom = label.length - fit.coefficients.length;
  const dispersion = hasFixedDispersion ? 1 : fit.pearson / degreesOfFreedom;
  return {
    kind: 'glm',
    family,
    names: [...features.names],
    terms: unscale(fit, scaled, ['intercept', ...features.names], dispersion),
    dispersion,
    deviance: fit.deviance,
    nullDeviance: constant.deviance,
    degreesOfFreedom,
    iterations: fit.iterations,
  };
}

/** The mean of each row: a total where `exposure` is given, else per unit of exposure, or a probability. */
export function predictGlm(glm: Glm, features: Matrix, exposure?: Float64Array): Float64Array {
  if (features.names.length !== glm.names.length || features.names.some((name, i) => name !== glm.names[i])) {
    throw new GlmError(`The model takes the features ${glm.names.join(', ')}; given are ${features.names.join(', ')}.`);
  }
  const { link } = familyFunctions(glm.family);
  const [intercept, ...slopes] = glm.terms;
  const eta = offsetOf(glm.family, exposure, features.rows).map((offset) => offset + intercept.coefficient);
  slopes.forEach(({ coefficient }, index) => {
    const values = column(features, index);
    for (let i = 0; i < eta.length; i++) eta[i] += coefficient * values[i];
  });
  return eta.map((value) => inverseLink(link, value));
}

export type CoefficientRow = GlmTerm & {
  z: number;
  pValue: number;
  /** exp(coefficient) with its interval: the rating factor under a log link, the odds ratio under a logit. */
  relativity: Estimate;
};

/** The coefficients with Wald tests and relativities. */
export function coefficientTable(glm: Glm, confidence = 0.95): CoefficientRow[] {
  const critical = criticalValue(confidence);
  return glm.terms.map((term) => {
    const { coefficient, standardError } = term;
    const z = coefficient / standardError;
    const relativity = {
      value: exp(coefficient),
      low: exp(coefficient - critical * standardError),
      high: exp(coefficient + critical * standardError),
    };
    return { ...term, z, pValue: normalTwoSidedTail(z), relativity };
  });
}

type Fit = {
  coefficients: Float64Array;
  /** Inverse of the information, row-major, without the dispersion. */
  covariance: Float64Array;
  deviance: number;
  pearson: number;
  iterations: number;
};

function fisherScoring(
  columns: Float64Array[],
  label: Float64Array,
  options: { family: GlmFamily; weight: Float64Array | undefined; offset: Float64Array; maxIterations: number },
  names: readonly string[],
): Fit {
  const { family, weight, offset, maxIterations } = options;
  const { link, variance, unitDeviance, start } = familyFunctions(family);
  const rows = label.length;
  const size = columns.length;
  const weightOf = (row: number) => (weight ? weight[row] : 1);

  const devianceAt = (mean: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) if (weightOf(i) > 0) sum += weightOf(i) * unitDeviance(label[i], mean[i]);
    return sum;
  };
  const meanAt = (coefficients: Float64Array) => {
    const eta = offset.slice();
    for (let c = 0; c < size; c++) {
      const values = columns[c];
      const coefficient = coefficients[c];
      for (let i = 0; i < rows; i++) eta[i] += coefficient * values[i];
    }
    return eta.map((value) => inverseLink(link, value));
  };

  // the first step is a weighted regression of the linked starting means, every later one a step along the score
  let overallMean = 0;
  let totalWeight = 0;
  for (let i = 0; i < rows; i++) {
    overallMean += weightOf(i) * label[i];
    totalWeight += weightOf(i);
  }
  overallMean /= totalWeight;
  let coefficients: Float64Array = new Float64Array(size);
  let mean = label.map((value) => start(value, overallMean));
  const working = mean.map((value, i) => linkOf(link, value) - offset[i]);
  let deviance = Infinity;

  for (let iteration = 1; iteration <= maxIterations; iteration++) {
    const { information, gradient } = normalEquations(columns, rows, (i) => {
      const slope = meanSlope(link, mean[i]);
      const precision = (weightOf(i) * slope * slope) / variance(mean[i]);
      const residual = iteration === 1 ? working[i] : (label[i] - mean[i]) / slope;
      // a mean at the very edge of its range says nothing more about the coefficients
      return precision > 0 && Number.isFinite(residual) ? [precision, precision * residual] : NOTHING;
    });
    const factored = cholesky(information, size);
    if ('dependentColumn' in factored) {
      const name = names[factored.dependentColumn - 1];
      throw iteration === 1 ? dependent(name) : divergent(name, iteration);
    }
    const step = solve(factored.factor, gradient);

    // halve a step that overshoots
    let next = step;
    let nextMean = mean;
    let nextDeviance = NaN;
    for (let halving = 0; halving < 30; halving++) {
      next = coefficients.map((value, c) => value + step[c] / 2 ** halving);
      nextMean = meanAt(next);
      nextDeviance = devianceAt(nextMean);
      if (nextDeviance <= deviance * (1 + 1e-12) + 1e-12) break;
    }
    if (!Number.isFinite(nextDeviance)) throw new GlmError('The deviance is not finite: check the label and exposure.');

    coefficients = next;
    mean = nextMean;
    deviance = nextDeviance;
    // a coefficient that runs off to infinity moves on for ever, when the deviance has long settled
    const widest = step.reduce((worst, value, c) => (Math.abs(value) > Math.abs(step[worst]) ? c : worst), 0);
    if (Math.abs(step[widest]) <= 1e-9 * (1 + Math.max(...coefficients.map(Math.abs)))) {
      let pearson = 0;
      for (let i = 0; i < rows; i++) pearson += (weightOf(i) * (label[i] - mean[i]) ** 2) / variance(mean[i]);
      return { coefficients, covariance: inverse(factored.factor, size), deviance, pearson, iterations: iteration };
    }
    if (iteration === maxIterations) throw divergent(names[widest - 1], iteration);
  }
  throw new GlmError(`A fit needs at least one iteration, maxIterations is ${maxIterations}.`);
}

const NOTHING = [0, 0] as const;

/** XᵀWX and XᵀWz, with the weight and the weighted working residual of each row from `rowOf`. */
function normalEquations(
  columns: Float64Array[],
  rows: number,
  rowOf: (row: number) => readonly [weight: number, weightedResidual: number],
) {
  const size = columns.length;
  const weights = new Float64Array(rows);
  const residuals = new Float64Array(rows);
  for (let i = 0; i < rows; i++) [weights[i], residuals[i]] = rowOf(i);
  const information = new Float64Array(size * size);
  const gradient = new Float64Array(size);
  for (let a = 0; a < size; a++) {
    const left = columns[a];
    for (let b = 0; b <= a; b++) {
      const right = columns[b];
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += weights[i] * left[i] * right[i];
      information[a * size + b] = sum;
      information[b * size + a] = sum;
    }
    for (let i = 0; i < rows; i++) gradient[a] += residuals[i] * left[i];
  }
  return { information, gradient };
}

type Standardised = { columns: Float64Array[]; means: number[]; deviations: number[] };

/** The intercept and the features, centred and scaled so that the normal equations are well conditioned. */
function standardise(features: Matrix): Standardised {
  const { rows } = features;
  const scaled: Standardised = { columns: [new Float64Array(rows).fill(1)], means: [], deviations: [] };
  for (let index = 0; index < features.columns; index++) {
    const values = column(features, index);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows);
    if (!(deviation > 1e-12 * Math.abs(mean))) {
      throw new GlmError(
        `The feature "${features.names[index]}" does not vary: the intercept says all of it. Drop it.`,
      );
    }
    scaled.columns.push(values.map((value) => (value - mean) / deviation));
    scaled.means.push(mean);
    scaled.deviations.push(deviation);
  }
  return scaled;
}

/** Back to the features' own units: β = γ / s, and the intercept gives up Σ γ·m / s. */
function unscale(fit: Fit, { means, deviations }: Standardised, names: string[], dispersion: number): GlmTerm[] {
  const size = fit.coefficients.length;
  // one row of the linear map from scaled to unscaled coefficients per term
  const intercept = Float64Array.from({ length: size }, (_, c) => (c === 0 ? 1 : -means[c - 1] / deviations[c - 1]));
  return names.map((name, term) => {
    const map = term === 0 ? intercept : intercept.map((_, c) => (c === term ? 1 / deviations[c - 1] : 0));
    let coefficient = 0;
    let variance = 0;
    for (let a = 0; a < size; a++) {
      coefficient += map[a] * fit.coefficients[a];
      for (let b = 0; b < size; b++) variance += map[a] * map[b] * fit.covariance[a * size + b];
    }
    return { name, coefficient, standardError: Math.sqrt(variance * dispersion) };
  });
}

function offsetOf(family: GlmFamily, exposure: Float64Array | undefined, rows: number): Float64Array {
  if (!exposure) return new Float64Array(rows);
  if (familyFunctions(family).link !== 'log') {
    throw new GlmError('Exposure is an offset under a log link only (Poisson, Gamma, Tweedie). Use weights instead.');
  }
  ensureSameLength({ exposure, features: { length: rows } });
  const bad = exposure.findIndex((value) => !(value > 0 && value < Infinity));
  if (bad >= 0) throw new GlmError(`The exposure of row ${bad} is not a number > 0.`);
  return exposure.map(Math.log);
}

function dependent(name: string): GlmError {
  return new GlmError(
    `The feature "${name}" is determined by the features before it. ` +
      `Drop it, or leave out the base level of one-hot features (dropFirst).`,
  );
}

function divergent(name: string | undefined, iterations: number): GlmError {
  return new GlmError(
    `The coefficient of ${name === undefined ? 'the intercept' : `"${name}"`} does not settle in ${iterations} iterations: ` +
      `it separates the classes, or all its labels are 0. Drop it or group its levels.`,
  );
}
