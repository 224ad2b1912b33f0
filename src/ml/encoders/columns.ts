/** One cell of a table column as the lake gives it; `null` and NaN are missing. */
export type Cell = string | number | boolean | null;

/** Named columns of equal length: plain arrays or typed arrays. */
export type Columns = Record<string, ArrayLike<Cell>>;

/** Thrown when columns do not fit an encoder or a design; it names the column and, where there is one, the row number. */
export class EncodingError extends Error {
  override name = 'EncodingError';
}

/** True for `null`, `undefined` (a hole in a plain array) and NaN. */
export function isMissing(cell: Cell | undefined): cell is null | undefined {
  return cell === null || cell === undefined || Number.isNaN(cell);
}

/** The name under which a categorical cell is stored: the text itself, `true`/`false`, or the number in decimal. */
export function levelOf(cell: string | number | boolean): string {
  return String(cell);
}

/** The levels present, ascending by code unit, so that the order never depends on the order of the rows. */
export function distinctLevels(cells: ArrayLike<Cell>): string[] {
  const levels = new Set<string>();
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    if (!isMissing(cell)) levels.add(levelOf(cell));
  }
  return [...levels].sort();
}

/** A numeric column: numbers as they are, booleans as 1 and 0, missing as NaN. Text is refused, never parsed here. */
export function numbers(name: string, cells: ArrayLike<Cell>): Float64Array {
  if (cells instanceof Float64Array) return cells;
  const values = new Float64Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    if (typeof cell === 'string') {
      throw new EncodingError(
        `Column "${name}" is text in row ${i}, and the design takes numbers. ` +
          `Cast it in the contract, or encode it as ordinal, oneHot or target.`,
      );
    }
    values[i] = isMissing(cell) ? NaN : Number(cell);
  }
  return values;
}
