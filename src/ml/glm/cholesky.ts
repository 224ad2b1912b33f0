/**
 * Cholesky factor of a symmetric positive definite matrix, row-major `size` × `size`: the lower triangle L with L·Lᵀ = A.
 * Gives the index of the first column that depends on those before it (its pivot fell below `tolerance` of its diagonal)
 * instead of a factor where there is one.
 */
export function cholesky(
  a: Float64Array,
  size: number,
  tolerance = 1e-10,
): { factor: Float64Array } | { dependentColumn: number } {
  const factor = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    let pivot = a[column * size + column];
    for (let k = 0; k < column; k++) pivot -= factor[column * size + k] ** 2;
    if (!(pivot > tolerance * a[column * size + column])) return { dependentColumn: column };
    const root = Math.sqrt(pivot);
    factor[column * size + column] = root;
    for (let row = column + 1; row < size; row++) {
      let sum = a[row * size + column];
      for (let k = 0; k < column; k++) sum -= factor[row * size + k] * factor[column * size + k];
      factor[row * size + column] = sum / root;
    }
  }
  return { factor };
}

/** Solves A·x = b by its factor. */
export function solve(factor: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  const x = b.slice();
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < row; k++) x[row] -= factor[row * size + k] * x[k];
    x[row] /= factor[row * size + row];
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let k = row + 1; k < size; k++) x[row] -= factor[k * size + row] * x[k];
    x[row] /= factor[row * size + row];
  }
  return x;
}

/** A⁻¹, row-major, by the factor of A. */
export function inverse(factor: Float64Array, size: number): Float64Array {
  const inverted = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const unit = new Float64Array(size);
    unit[column] = 1;
    inverted.set(solve(factor, unit), column * size);
  }
  return inverted;
}
