/**
 * A design matrix: `values[column * rows + row]` (column-major, because binning, statistics and drift read by column).
 * NaN is a missing value. A categorical feature is a column of integer codes ≥ 0 whose index stands in `categorical`.
 */
export type Matrix = {
  rows: number;
  columns: number;
  names: readonly string[];
  values: Float64Array;
  categorical?: readonly number[];
};

/** The values of one column, as a view: writing to it writes to the matrix. */
export function column(matrix: Matrix, index: number): Float64Array {
  return matrix.values.subarray(index * matrix.rows, (index + 1) * matrix.rows);
}

/** A new matrix of the rows named, in their order; a row may be named more than once. */
export function takeRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const taken = new Float64Array(rows.length * matrix.columns);
  for (let c = 0; c < matrix.columns; c++) {
    const source = column(matrix, c);
    const offset = c * rows.length;
    for (let i = 0; i < rows.length; i++) taken[offset + i] = source[rows[i]];
  }
  return { ...matrix, rows: rows.length, values: taken };
}
