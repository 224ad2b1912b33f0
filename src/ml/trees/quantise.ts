import { ceilLog2 } from '../exponential.ts';

/**
 * Gradients as whole numbers, so that sums of them are exact in any order: a histogram is the same whether it was added up by
 * row, by block, by subtraction, by the WebAssembly kernel or by its twin, and so is the tree.
 *
 * With rows < 2^R a row count needs R bits, and a double adds whole numbers exactly below 2^53. Two lanes per row:
 *
 *     lane 0:  gradient, 52 − R bits and a sign
 *     lane 1:  hessian · 2^R + 1           hessian of 53 − 2R bits; the low R bits count the rows
 *
 * When every hessian is 1, the count is the hessian and one lane does: `gradient · 2^R + 1`, a gradient of 52 − 2R bits.
 * Units are powers of two, so that decoding is exact as well. Only the search for splits sees rounded values; the values of
 * the leaves are computed from the unrounded ones.
 */
export type QuantisedGradients = {
  lanes: 1 | 2;
  /** rows × lanes. */
  values: Float64Array;
  gradientUnit: number;
  hessianUnit: number;
  /** 2^R. */
  countRange: number;
};

/** Fewest bits that one lane must leave for the gradient; below, two lanes are used. */
const fewestGradientBits = 18;

/**
 * Rounds gradients and hessians to whole units. `hessian` null means that each is 1. A row may be counted up to `maxCount`
 * times in all (the number of rows, or of bootstrap draws). `into` may bring arrays of an earlier call to be overwritten.
 */
export function quantise(
  gradient: Float64Array,
  hessian: Float64Array | null,
  maxCount: number,
  into?: Float64Array,
): QuantisedGradients {
  const rows = gradient.length;
  const countBits = ceilLog2(maxCount + 1);
  const countRange = 2 ** countBits;
  const lanes = hessian === null && 52 - 2 * countBits >= fewestGradientBits ? 1 : 2;
  const gradientUnit = unit(largest(gradient), lanes === 1 ? 52 - 2 * countBits : 52 - countBits);
  const hessianUnit = hessian === null ? 1 : unit(largest(hessian), 53 - 2 * countBits);
  const values = into !== undefined && into.length === rows * lanes ? into : new Float64Array(rows * lanes);

  const perGradient = 1 / gradientUnit;
  if (lanes === 1) {
    for (let i = 0; i < rows; i++) values[i] = Math.round(gradient[i] * perGradient) * countRange + 1;
  } else {
    const perHessian = 1 / hessianUnit;
    for (let i = 0; i < rows; i++) {
      values[2 * i] = Math.round(gradient[i] * perGradient);
      values[2 * i + 1] = (hessian === null ? 1 : Math.round(hessian[i] * perHessian)) * countRange + 1;
    }
  }
  return { lanes, values, gradientUnit, hessianUnit, countRange };
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

/** Gradients below this are rounding; their squares would leave the range of a double. */
const negligible = 1e-100;

/** The smallest power of two in which `most` still fits the bits. */
function unit(most: number, bits: number): number {
  return most < negligible ? 1 : 2 ** (ceilLog2(most) + 1 - bits);
}
