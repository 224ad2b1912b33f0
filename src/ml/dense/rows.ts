import { ArgumentError, ensureFinite, ensureSameRows, ensureWeights } from '../ensure.ts';
import type { Matrix } from '../matrix.ts';
import { denseRows } from './network.ts';
import type { Dense } from './parameters.ts';

/** Rows to learn from, or to judge by: features row by row, targets `[row * outputs + output]`, a weight per row. */
export type DenseRows = { features: Float32Array; target: Float32Array; weight: Float32Array };

/**
 * Rows as training takes them; weights with mean 1, so that the learning rate keeps its meaning. Throws ArgumentError for targets,
 * labels, weights or features that do not fit.
 */
export function trainingRows(
  data: Matrix,
  target: ArrayLike<number>,
  weight: ArrayLike<number> | undefined,
  { objective, scalePosWeight }: Pick<Dense, 'objective' | 'scalePosWeight'>,
): DenseRows {
  const { rows, columns } = data;
  if (rows === 0 || target.length === 0 || target.length % rows !== 0) {
    throw new ArgumentError(`There are ${target.length} targets for ${rows} rows.`);
  }
  ensureFinite('target', target);
  const outputs = target.length / rows;
  if (objective === 'binary' && !Array.from(target).every((label) => label === 0 || label === 1)) {
    throw new ArgumentError('The labels of a binary network must be 0 or 1.');
  }
  if (scalePosWeight !== 1 && (objective !== 'binary' || outputs > 1)) {
    throw new ArgumentError('scalePosWeight is for one binary output.');
  }
  if (weight) {
    ensureSameRows({ weight, rows: { length: rows } });
    ensureWeights(weight);
  }
  const weights = Float64Array.from(
    { length: rows },
    (_, row) => (weight ? weight[row] : 1) * (objective === 'binary' && target[row] === 1 ? scalePosWeight : 1),
  );
  const mean = weights.reduce((sum, value) => sum + value, 0) / rows;
  return {
    features: denseRows(columns, data),
    target: Float32Array.from(target),
    weight: Float32Array.from(weights, (value) => value / mean),
  };
}
