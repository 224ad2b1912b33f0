import { mean } from 'd3-array';
import { EncodingError, isMissing, levelOf, type Columns } from '../encoders/columns.ts';

/** A classical tariff, fitted: the mean label of each cell of a few rating factors. Plain JSON. */
export type RatingTable = {
  kind: 'rating-table';
  by: string[];
  /** Cell, its levels joined by `/`, → mean label. */
  cells: Record<string, number>;
  /** For cells that the training rows did not fill. */
  overall: number;
};

/** Fits the table on training rows: the rules that a model has to beat where a business prices by a tariff. */
export function fitRatingTable(columns: Columns, label: Float64Array, by: readonly string[]): RatingTable {
  const labels = new Map<string, number[]>();
  for (const [row, cell] of cellsOf(columns, by, label.length).entries()) {
    const list = labels.get(cell);
    if (list) list.push(label[row]);
    else labels.set(cell, [label[row]]);
  }
  const cells = [...labels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([cell, list]) => [cell, mean(list) ?? NaN]);
  return { kind: 'rating-table', by: [...by], cells: Object.fromEntries(cells), overall: mean(label) ?? NaN };
}

/** The tariff's price of each row. */
export function applyRatingTable({ by, cells, overall }: RatingTable, columns: Columns, rows: number): Float64Array {
  const prices = new Map(Object.entries(cells));
  return Float64Array.from(cellsOf(columns, by, rows), (cell) => prices.get(cell) ?? overall);
}

function cellsOf(columns: Columns, by: readonly string[], rows: number): string[] {
  const factors = by.map((name) => {
    if (Object.hasOwn(columns, name)) return columns[name];
    throw new EncodingError(`The rating table reads the column "${name}", which is missing.`);
  });
  const level = (row: number) => factors.map((cells) => (isMissing(cells[row]) ? '' : levelOf(cells[row]))).join('/');
  return Array.from({ length: rows }, (_, row) => level(row));
}
