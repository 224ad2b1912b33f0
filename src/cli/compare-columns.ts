import { didYouMean } from '../data/nearest.ts';
import type { MonitoredColumn, MonitoredRows } from '../monitoring/reference.ts';
import { UsageError } from './command.ts';
import type { Output } from './output.ts';
import type { TableColumn } from './table-columns.ts';
import { type TableFile, columnOf, numbersOf } from './table-file.ts';

/** The columns asked for, or those that both files have and that are no identifiers; what is left out is said. */
export function columnsToCompare(
  reference: TableFile,
  current: TableFile,
  asked: string[] | undefined,
  prediction: string | undefined,
  output: Output,
): string[] {
  if (asked) {
    for (const name of asked) for (const table of [reference, current]) columnOf(table, name);
    return asked.filter((name) => name !== prediction);
  }
  const namesOf = (table: TableFile) => table.columns.map(({ name }) => name);
  const shared = namesOf(reference).filter((name) => namesOf(current).includes(name) && name !== prediction);
  for (const [table, other] of [
    [reference, current],
    [current, reference],
  ]) {
    const lacking = namesOf(other).filter((name) => !namesOf(table).includes(name));
    if (lacking.length > 0)
      output.note(`${table.file} lacks ${lacking.map((name) => name + didYouMean(name, namesOf(table))).join(', ')}`);
  }
  const identifiers = shared.filter((name) => isIdentifier(columnOf(reference, name)));
  if (identifiers.length > 0) {
    output.note(
      `Left out, because most rows have a value of their own: ${identifiers.join(', ')}. --columns compares them all the same.`,
    );
  }
  const names = shared.filter((name) => !identifiers.includes(name));
  if (names.length > 0) return names;
  throw new UsageError(`${reference.file} and ${current.file} have no column in common that can be compared.`);
}

/** Texts of which more than half are different say who a row is, not what it is like. */
function isIdentifier(column: TableColumn): boolean {
  if (column.kind !== 'text') return false;
  const present = column.values.filter((value) => value !== null);
  return present.length > 50 && new Set(present).size > present.length / 2;
}

/** The rows of a table as monitoring looks at them; a column that is empty here is of the kind that it has in the other table. */
export function rowsOf(
  table: TableFile,
  other: TableFile,
  names: readonly string[],
  prediction: string | undefined,
): MonitoredRows {
  return {
    columns: names.map((name) => monitoredColumn(table, other, name)),
    // without a prediction every row carries the same one, whose drift says nothing and is never shown
    predictions: prediction === undefined ? new Float64Array(table.rows) : numbersOf(table, prediction),
    flags: {},
  };
}

function monitoredColumn(table: TableFile, other: TableFile, name: string): MonitoredColumn {
  const own = columnOf(table, name);
  const theirs = columnOf(other, name);
  if (own.kind !== theirs.kind && !isEmpty(own) && !isEmpty(theirs)) {
    throw new UsageError(
      `The column ${name} holds ${own.kind}s in ${table.file} and ${theirs.kind}s in ${other.file}: correct the file, or leave it out by --columns.`,
    );
  }
  const kind = isEmpty(own) ? theirs.kind : own.kind;
  if (kind === 'number')
    return { name, kind: 'number', values: own.kind === 'text' ? nothing(table.rows) : own.values };
  if (own.kind === 'text') return { name, kind: 'category', values: own.values };
  return {
    name,
    kind: 'category',
    values: Array.from(own.values, (value) => (Number.isNaN(value) ? null : String(value === 1))),
  };
}

function isEmpty(column: TableColumn): boolean {
  return column.kind === 'text' ? column.values.every((value) => value === null) : column.values.every(Number.isNaN);
}

const nothing = (rows: number) => new Float64Array(rows).fill(NaN);
