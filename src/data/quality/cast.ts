import type { Column } from '../contract/contract.ts';
import { storedType } from '../contract/silver.ts';
import { quoteName, quoteText } from '../quote.ts';
import { patterns } from './grammar.ts';

/**
 * SQL that makes a column's typed value from its text (a VARCHAR column of the same name; null is missing): letters are
 * brought to one case, written values are translated, the grammar is matched whole, and only then it is cast. The result is
 * null where any of this fails; nothing is rounded into a type except a decimal into the nearest double. Of a column whose texts
 * are known to be `formed` (`formOf` in `forms.ts`) only the cast is left.
 */
export function typedValue(column: Column, formed = false): string {
  const written = writtenText(column);
  if (column.type === 'string') return written;
  if (formed) return formedValue(column, written);
  const matches = `regexp_full_match(${written}, ${quoteText(patterns[column.type])})`;
  return `CASE WHEN ${matches} THEN ${cast(column, written)} END`;
}

function formedValue(column: Column, text: string): string {
  const value = `TRY_CAST(${text} AS ${storedType(column)})`;
  if (column.type === 'boolean') return `${text} = 'true'`;
  return storedType(column) === 'DOUBLE' ? `CASE WHEN isfinite(${value}) THEN ${value} END` : value;
}

function writtenText({ name, letterCase, values }: Column): string {
  const text = letterCase === undefined ? quoteName(name) : `${letterCase}(${quoteName(name)})`;
  if (values === undefined) return text;
  const pairs = Object.entries(values).map(([written, meant]) => `WHEN ${quoteText(written)} THEN ${quoteText(meant)}`);
  return `CASE ${text} ${pairs.join(' ')} END`;
}

function cast(column: Column, text: string): string {
  const sqlType = storedType(column);
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(sqlType);
  if (decimal) {
    // a cast would round away the decimals that do not fit
    const fits = `regexp_full_match(${text}, ${quoteText(`-?[0-9]+(\\.[0-9]{1,${decimal[2]}})?`)})`;
    return `CASE WHEN ${fits} THEN TRY_CAST(${text} AS ${sqlType}) END`;
  }
  const value = `TRY_CAST(${text} AS ${sqlType})`;
  return sqlType === 'DOUBLE' ? `CASE WHEN isfinite(${value}) THEN ${value} END` : value;
}
