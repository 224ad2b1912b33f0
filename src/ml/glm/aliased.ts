import { column, type Matrix } from '../matrix.ts';
import { fitGlm, type Glm, type GlmOptions } from './glm.ts';

/**
 * Fits a GLM as `fitGlm` does, but leaves out the features that say nothing new: those that do not vary, and those that the features
 * before them determine. They keep their place with the coefficient 0 and no standard error (NaN), as R's `glm` reports them. For
 * features that were chosen for other models too, where a total stands beside its parts.
 */
export function fitGlmLeavingOut(features: Matrix, label: Float64Array, options: GlmOptions): Glm {
  const kept = independentFeatures(features);
  const glm = fitGlm(select(features, kept), label, options);
  const [intercept, ...slopes] = glm.terms;
  const terms = features.names.map((name, index) => {
    const place = kept.indexOf(index);
    return place < 0 ? { name, coefficient: 0, standardError: NaN } : slopes[place];
  });
  return { ...glm, names: [...features.names], terms: [intercept, ...terms] };
}

/** A centred column shorter than this share of itself, once what others explain is taken off, is nothing but rounding. */
const nothingNew = 1e-5;

/** The features that neither the intercept nor the features before them determine, by modified Gram–Schmidt. */
function independentFeatures(features: Matrix): number[] {
  const kept: number[] = [];
  const directions: Float64Array[] = [];
  for (let index = 0; index < features.columns; index++) {
    const values = column(features, index);
    const mean = values.reduce((sum, value) => sum + value, 0) / features.rows;
    const rest = values.map((value) => value - mean);
    const length = Math.sqrt(product(rest, rest));
    if (!(length > 1e-12 * Math.abs(mean) * Math.sqrt(features.rows))) continue;
    for (const direction of directions) {
      const share = product(rest, direction);
      for (let i = 0; i < rest.length; i++) rest[i] -= share * direction[i];
    }
    const left = Math.sqrt(product(rest, rest));
    if (!(left > nothingNew * length)) continue;
    kept.push(index);
    directions.push(rest.map((value) => value / left));
  }
  return kept;
}

function select({ rows, names, values }: Matrix, kept: readonly number[]): Matrix {
  const selected = new Float64Array(rows * kept.length);
  kept.forEach((index, place) => selected.set(values.subarray(index * rows, (index + 1) * rows), place * rows));
  return { rows, columns: kept.length, names: kept.map((index) => names[index]), values: selected };
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
