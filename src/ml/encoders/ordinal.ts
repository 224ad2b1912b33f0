import { distinctLevels, EncodingError, isMissing, levelOf, type Cell } from './columns.ts';

/** What a level becomes that was not there at fitting: a missing value, or the code of a level that was. */
export type Unseen = 'missing' | { level: string };

/** Levels by code: `levels[0]` is code 0. Plain JSON, stored with the model. */
export type OrdinalEncoder = { kind: 'ordinal'; levels: string[]; unseen: Unseen };

/**
 * Fits codes 0, 1, … to the levels present. `levels` declares them instead, in their own order (`['low', 'high']`), for
 * ordered categories and for levels that a small sample may lack. `maxLevels` guards against an identifier taken for a
 * category.
 */
export function fitOrdinal(
  cells: ArrayLike<Cell>,
  options: { levels?: readonly string[]; unseen?: Unseen; maxLevels?: number } = {},
): OrdinalEncoder {
  const { unseen = 'missing', maxLevels = 1000 } = options;
  const levels = options.levels ? [...options.levels] : distinctLevels(cells);
  if (levels.length > maxLevels) {
    throw new EncodingError(
      `A category has ${levels.length} levels, more than the ${maxLevels} allowed: it may be an identifier.`,
    );
  }
  if (new Set(levels).size < levels.length) throw new EncodingError('A category declares the same level twice.');
  if (unseen !== 'missing' && !levels.includes(unseen.level)) {
    throw new EncodingError(`The fallback level "${unseen.level}" is not one of the levels ${levels.join(', ')}.`);
  }
  return { kind: 'ordinal', levels, unseen };
}

/** The code of each cell; NaN for missing cells and, without a fallback level, for unseen ones. */
export function applyOrdinal({ levels, unseen }: OrdinalEncoder, cells: ArrayLike<Cell>): Float64Array {
  const codes = new Map(levels.map((level, code) => [level, code]));
  const fallback = unseen === 'missing' ? NaN : (codes.get(unseen.level) ?? NaN);
  const encoded = new Float64Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    encoded[i] = isMissing(cell) ? NaN : (codes.get(levelOf(cell)) ?? fallback);
  }
  return encoded;
}
