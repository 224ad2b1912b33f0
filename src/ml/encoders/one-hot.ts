import { distinctLevels, EncodingError, isMissing, levelOf, type Cell } from './columns.ts';

/** One indicator column per level. Plain JSON, stored with the model. */
export type OneHotEncoder = { kind: 'oneHot'; levels: string[] };

/**
 * Fits one indicator per level present. `dropFirst` leaves the first level out as the base level, which a GLM with an
 * intercept needs for its coefficients to be determined.
 */
export function fitOneHot(
  cells: ArrayLike<Cell>,
  options: { dropFirst?: boolean; maxLevels?: number } = {},
): OneHotEncoder {
  const { dropFirst = false, maxLevels = 100 } = options;
  const levels = distinctLevels(cells);
  if (levels.length > maxLevels) {
    throw new EncodingError(
      `A category has ${levels.length} levels, more than the ${maxLevels} allowed: encode it as ordinal or target.`,
    );
  }
  return { kind: 'oneHot', levels: dropFirst ? levels.slice(1) : levels };
}

/** The indicators, one array per level in order; missing, unseen and base-level cells are 0 in all of them. */
export function applyOneHot({ levels }: OneHotEncoder, cells: ArrayLike<Cell>): Float64Array[] {
  const codes = new Map(levels.map((level, code) => [level, code]));
  const indicators = levels.map(() => new Float64Array(cells.length));
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    const code = isMissing(cell) ? undefined : codes.get(levelOf(cell));
    if (code !== undefined) indicators[code][i] = 1;
  }
  return indicators;
}
