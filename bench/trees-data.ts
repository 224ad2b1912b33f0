import type { Matrix } from '../src/ml/matrix.ts';
import { random } from '../src/ml/random.ts';

export type Table = { data: Matrix; target: Float64Array };

/** Seeded synthetic rows: normal, skewed, counted and rounded columns; a target with a few steps, waves and interactions. */
export function syntheticTable(rows: number, columns: number, seed: string): Table {
  const r = random(seed);
  const values = new Float64Array(rows * columns);
  for (let c = 0; c < columns; c++) {
    const kind = c % 4;
    for (let i = c * rows; i < (c + 1) * rows; i++) {
      const z = r.normal();
      values[i] =
        kind === 0
          ? z
          : kind === 1
            ? Math.exp(z / 2)
            : kind === 2
              ? Math.floor(Math.abs(z) * 4)
              : Math.round(z * 20) / 10;
    }
  }
  const at = (row: number, c: number) => values[c * rows + row];
  const target = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let y = r.normal(0, 0.5);
    for (let c = 0; c < Math.min(columns, 24); c++)
      y += (c % 3 === 0 ? Math.sin(at(row, c)) : 0.3 * at(row, c)) * (c < 8 ? 1 : 0.4);
    y += at(row, 0) * at(row, 3) + (at(row, 4) > 0.5 && at(row, 6) > 2 ? 2 : 0);
    target[row] = y;
  }
  const names = Array.from({ length: columns }, (_, c) => `x${c}`);
  return { data: { rows, columns, names, values }, target };
}

/** The first rows to train on, the others to test with. */
export function splitTable({ data, target }: Table, trainRows: number): { train: Table; test: Table } {
  const part = (start: number, end: number): Table => {
    const rows = end - start;
    const values = new Float64Array(rows * data.columns);
    for (let c = 0; c < data.columns; c++) {
      values.set(data.values.subarray(c * data.rows + start, c * data.rows + end), c * rows);
    }
    return { data: { ...data, rows, values }, target: target.slice(start, end) };
  };
  return { train: part(0, trainRows), test: part(trainRows, data.rows) };
}
