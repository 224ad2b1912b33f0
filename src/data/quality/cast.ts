import type { Column } from '../contract/contract.ts';
import { storedType } from '../contract/silver.ts';
import { quoteName, quoteText } from '../quote.ts';
import { patterns } from './grammar.ts';

/**
 * SQL that makes a column's typed value from its text (a VARCHAR column of the same name; null is missing): letters are
 * brought to one case, written values are translated, the grammar is matched whole, and only then it is cast. The result is
 * null where any of this fails; nothing is rounded into a type except a decimal into the nearest double.
 */
export function typedValue(column: Column): string {
  const written = writtenText(column);
  if (column.type === 'string') return written;
  const matches = `regexp_full_match(${written}, ${quoteText(patterns[column.type])})`;
  return `CASE WHEN ${matches} THEN ${cast(column, written)} END`;
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
