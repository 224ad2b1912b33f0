import { readFileSync, readdirSync } from 'node:fs';
import type { Matrix } from '../../../src/ml/matrix.ts';

const folder = new URL('../../fixtures/lightgbm/', import.meta.url);

export type LightgbmCase = {
  rows: (number | null)[][];
  raw: number[] | number[][];
  prediction: number[] | number[][];
  contributions: number[][];
  splits: number[];
  gain: number[];
};

/** Every case that has expected values for raw scores and SHAP values. */
export const lightgbmCases = readdirSync(folder)
  .filter((file) => file.endsWith('.json') && file !== 'pandas.json')
  .map((file) => file.slice(0, -'.json'.length));

export function lightgbmText(name: string): string {
  return readFileSync(new URL(`${name}.txt`, folder), 'utf8');
}

export function lightgbmCase(name: string): LightgbmCase {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as LightgbmCase;
}

/** Rows of a fixture as a design matrix; null is missing. */
export function matrixOfRows(rows: readonly (readonly (number | null)[])[], categorical: number[] = []): Matrix {
  const columns = rows[0].length;
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, r) => row.forEach((value, c) => (values[c * rows.length + r] = value ?? NaN)));
  return { rows: rows.length, columns, names: Array.from({ length: columns }, (_, c) => `x${c}`), values, categorical };
}

/** The largest difference, relative to the size of the expected value where that is above 1. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let most = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    most = Math.max(most, Number.isNaN(difference) ? Infinity : difference);
  }
  return most;
}
