/** What stands in a cell; a missing value is an empty cell. */
export type Cell = string | number | boolean | null | undefined;

/**
 * CSV by RFC 4180: commas, CRLF, a header. For people, who open it in a spreadsheet, a text that a spreadsheet would run as a
 * formula (it begins with = + - @, a tab or a carriage return) gets an apostrophe before it. For machines nothing is changed:
 * they would store the apostrophe. Numbers and truth values are no texts and are never changed.
 */
export function csvText(
  headers: readonly string[],
  rows: Iterable<readonly Cell[]>,
  reader: 'people' | 'machines',
): string {
  return csvLines([headers], reader) + csvLines(rows, reader);
}

/** Rows of such a text, each with the end of its line. */
export function csvLines(rows: Iterable<readonly Cell[]>, reader: 'people' | 'machines'): string {
  let lines = '';
  for (const row of rows) lines += `${row.map((cell) => field(cell, reader)).join(',')}\r\n`;
  return lines;
}

function field(cell: Cell, reader: 'people' | 'machines'): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = reader === 'people' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  // spaces at the ends would be trimmed by some readers
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
