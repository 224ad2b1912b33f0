import type { Texts } from '../data/text-column.ts';

/** A column of any table, as the commands on files see it. Booleans are 1 and 0; NaN and null are missing. */
export type TableColumn =
  | { name: string; kind: 'number' | 'boolean'; values: Float64Array }
  | { name: string; kind: 'text'; values: (string | null)[] };

/** What stands for a missing value in a column of numbers or booleans. In a column of texts `NA` may well be a name. */
const missingWords = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None']);

/**
 * Types a column of texts by all of its cells, blanks around them left out: numbers where every one is a decimal number, else
 * booleans where every one is true or false, else texts. A cell with a leading zero (`01234`) or with more than fifteen digits
 * is an identifier, not a number, and keeps its column text.
 */
export function typeColumn(name: string, data: Texts): TableColumn {
  const cell = cellReader(data);
  const numbers = convert(data.length, cell, numberOf);
  if (numbers) return { name, kind: 'number', values: numbers };
  const booleans = convert(data.length, cell, booleanOf);
  if (booleans) return { name, kind: 'boolean', values: booleans };
  return { name, kind: 'text', values: Array.from({ length: data.length }, (_, row) => cell(row) || null) };
}

/** The cells by row, without blanks around them; '' where there is none. */
function cellReader({ values, valueOffsets, length }: Texts): (row: number) => string {
  const bytes = Buffer.from(values.buffer, values.byteOffset, valueOffsets[length]);
  const whole = bytes.toString('latin1');
  // one long string cut by offsets is many times faster than decoding cell by cell, but only ASCII has a byte per character
  const isAscii = bytes.every((byte) => byte < 0x80);
  return isAscii
    ? (row) => whole.slice(valueOffsets[row], valueOffsets[row + 1]).trim()
    : (row) => bytes.toString('utf8', valueOffsets[row], valueOffsets[row + 1]).trim();
}

/** Every cell converted, missing ones to NaN; nothing where one cannot be. */
function convert(
  rows: number,
  cell: (row: number) => string,
  to: (text: string) => number | undefined,
): Float64Array | undefined {
  const converted = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const text = cell(row);
    const value = missingWords.has(text) ? NaN : to(text);
    if (value === undefined) return undefined;
    converted[row] = value;
  }
  return converted;
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const identifier = /^[+-]?(?:0\d|\d{16})/;

function numberOf(text: string): number | undefined {
  const value = Number(text);
  return decimal.test(text) && !identifier.test(text) && Number.isFinite(value) ? value : undefined;
}

function booleanOf(text: string): number | undefined {
  const word = text.toLowerCase();
  if (word === 'true') return 1;
  return word === 'false' ? 0 : undefined;
}
