import { ArgumentError, ensureSameRows } from '../ensure.ts';
import { isMissing, levelOf, type Cell } from './columns.ts';

/** Smoothed mean label per level; `prior` stands for missing and unseen levels. Plain JSON, stored with the model. */
export type TargetEncoder = { kind: 'target'; prior: number; levels: Record<string, number> };

/** What target encoding learns from: the label and, where rows differ in exposure, their weight. */
export type Supervision = { target: Float64Array; weight?: Float64Array };

/**
 * Fits the mean label of each level, drawn towards the overall mean by `smoothing` rows' worth of it (Micci-Barreca, SIGKDD
 * Explorations 3, 2001): (Σ w·y + smoothing · prior) / (Σ w + smoothing).
 *
 * Apply this encoder to new rows only. Its own training rows must go through `crossFitTarget`: a rare level's encoding
 * holds the row's own label, and a model that trains on it learns to read labels.
 */
export function fitTarget(cells: ArrayLike<Cell>, supervision: Supervision, smoothing = 10): TargetEncoder {
  return fitOnRows(cells, supervision, smoothing, () => true);
}

/** The encoding of each cell. */
export function applyTarget({ prior, levels }: TargetEncoder, cells: ArrayLike<Cell>): Float64Array {
  const codes = new Map(Object.entries(levels));
  const encoded = new Float64Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    encoded[i] = isMissing(cell) ? prior : (codes.get(levelOf(cell)) ?? prior);
  }
  return encoded;
}

/** The encoding of the training rows themselves, each row's by an encoder fitted on the other folds. */
export function crossFitTarget(
  cells: ArrayLike<Cell>,
  supervision: Supervision,
  foldOf: ArrayLike<number>,
  smoothing = 10,
): Float64Array {
  ensureSameRows({ cells, foldOf });
  const encoded = new Float64Array(cells.length);
  const folds = new Set(Array.from(foldOf));
  if (folds.size < 2) throw new ArgumentError('Target encoding of training rows needs at least two folds.');
  for (const fold of folds) {
    const others = applyTarget(
      fitOnRows(cells, supervision, smoothing, (row) => foldOf[row] !== fold),
      cells,
    );
    for (let i = 0; i < encoded.length; i++) if (foldOf[i] === fold) encoded[i] = others[i];
  }
  return encoded;
}

function fitOnRows(
  cells: ArrayLike<Cell>,
  { target, weight }: Supervision,
  smoothing: number,
  uses: (row: number) => boolean,
): TargetEncoder {
  ensureSameRows({ cells, target, weight });
  const sums = new Map<string, { weight: number; total: number }>();
  let totalWeight = 0;
  let total = 0;
  for (let i = 0; i < target.length; i++) {
    if (!uses(i)) continue;
    const w = weight ? weight[i] : 1;
    totalWeight += w;
    total += w * target[i];
    const cell = cells[i];
    if (isMissing(cell)) continue;
    const level = levelOf(cell);
    const sum = sums.get(level) ?? { weight: 0, total: 0 };
    sum.weight += w;
    sum.total += w * target[i];
    sums.set(level, sum);
  }
  const prior = total / totalWeight;
  const levels = [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([level, sum]) => [level, (sum.total + smoothing * prior) / (sum.weight + smoothing)]);
  return { kind: 'target', prior, levels: Object.fromEntries(levels) as Record<string, number> };
}
