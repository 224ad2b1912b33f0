import { type Matrix, column } from '../../../src/ml/matrix.ts';
import { type Random, random } from '../../../src/ml/random.ts';

export type Example = { data: Matrix; target: Float64Array };

/**
 * Seeded data with everything a tree meets: three numbers (one with many ties, one with missing values that mean something), a
 * constant, and two categorical codes (one with missing values and rare codes). The target depends on most of it.
 */
export function mixedExample(rows: number, seed: number | string): Example {
  const r = random(seed);
  const columns = 6;
  const data: Matrix = {
    rows,
    columns,
    names: ['amount', 'count', 'index', 'constant', 'region', 'code'],
    values: new Float64Array(rows * columns),
    categorical: [4, 5],
  };
  const target = new Float64Array(rows);
  const [amount, count, index, constant, region, code] = Array.from({ length: columns }, (_, c) => column(data, c));
  const effects = [0.5, -1, 0, 2, -0.5];
  for (let i = 0; i < rows; i++) {
    amount[i] = r.uniform() < 0.2 ? NaN : r.normal();
    count[i] = r.poisson(1.5);
    index[i] = r.uniform() * 10 - 5;
    constant[i] = 1;
    region[i] = r.integer(5);
    code[i] = r.uniform() < 0.1 ? NaN : Math.floor(40 * r.uniform() ** 3);
    target[i] =
      (Number.isNaN(amount[i]) ? 1.5 : amount[i]) +
      count[i] * Math.sin(index[i]) +
      effects[region[i]] +
      (code[i] % 3 === 1 ? 1 : 0) +
      r.normal(0, 0.3);
  }
  return { data, target };
}

/** Every row number once. */
export function allRows(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => i);
}

export function normals(length: number, r: Random): Float64Array {
  return Float64Array.from({ length }, () => r.normal());
}
