import { type Design, namesOf } from '../encoders/design.ts';
import { column, type Matrix } from '../matrix.ts';
import { familyFunctions, inverseLink, meanSlope } from './family.ts';
import type { Glm } from './glm.ts';

/**
 * What each column of the design adds to the prediction of each row, in the label's unit, against the row that is average in
 * every feature: row-major rows × (columns of the design + 1), the prediction of that average row last. Each row adds up to its
 * prediction.
 *
 * On the scale of the linear predictor these are the SHAP values of a linear model, coefficient × (value − mean) (Lundberg and Lee,
 * "A unified approach to interpreting model predictions", 2017, corollary 1), the levels of a category taken together. Under a log
 * or logit link the prediction is no sum, so each row's contributions are stretched by one factor until they are.
 */
export function glmContributions(glm: Glm, design: Design, features: Matrix): Float64Array {
  const { link } = familyFunctions(glm.family);
  const { rows } = features;
  const stride = design.features.length + 1;
  const contributions = new Float64Array(rows * stride);

  // on the scale of the linear predictor
  let base = glm.terms[0].coefficient;
  let feature = 0;
  design.features.forEach((part, c) => {
    for (let k = 0; k < namesOf(part).length; k++, feature++) {
      const { coefficient } = glm.terms[feature + 1];
      const values = column(features, feature);
      const mean = values.reduce((sum, value) => sum + value, 0) / rows;
      base += coefficient * mean;
      for (let row = 0; row < rows; row++) contributions[row * stride + c] += coefficient * (values[row] - mean);
    }
  });

  const average = inverseLink(link, base);
  for (let row = 0; row < rows; row++) {
    const own = contributions.subarray(row * stride, (row + 1) * stride);
    const moved = own.reduce((sum, value) => sum + value, 0);
    // the quotient of two tiny differences would be rounding alone
    const isTiny = Math.abs(moved) < 1e-6;
    const stretch = isTiny ? meanSlope(link, average) : (inverseLink(link, base + moved) - average) / moved;
    for (let c = 0; c < stride - 1; c++) own[c] *= stretch;
    own[stride - 1] = average;
  }
  return contributions;
}
