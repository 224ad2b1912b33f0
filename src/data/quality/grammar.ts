import type { LogicalType } from '../contract/contract.ts';

/**
 * How values are written in a file, strictly: nothing is coerced. Patterns match the whole text and use only what
 * ECMAScript and RE2 (DuckDB) read alike. Refused on purpose:
 *   integers  `+5`, `007`, `1,000`, `1e5`, `0x10`, ` 12 `, `12.0`    (a sign or zero that a number loses was an identifier)
 *   decimals  `.5`, `5.`, `1e5`, `1,5`, `NaN`, `Infinity`, `$5`
 *   dates     `28/02/2026`, `2026-2-3`, and by the cast after the pattern also `2026-02-30`
 *   times     without seconds; a time without zone is UTC; at most microseconds
 *   booleans  anything but `true` and `false`, unless the contract lists `values`
 * An empty field, quoted or not, is a missing value; spaces are never trimmed.
 */
export const patterns: { [type in LogicalType]: string } = {
  string: '(?s).*',
  integer: '-?(0|[1-9][0-9]*)',
  number: '-?(0|[1-9][0-9]*)(\\.[0-9]+)?',
  boolean: 'true|false',
  date: '[0-9]{4}-[0-9]{2}-[0-9]{2}',
  timestamp:
    '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?',
};

/** How each type is described to the author of a file. */
export const grammars: { [type in LogicalType]: string } = {
  string: 'text',
  integer: 'a whole number such as 42 (no sign but "-", no leading zero, no separators)',
  number: 'a decimal number such as 27.9 (a point, no exponent, no separators)',
  boolean: 'true or false',
  date: 'a date of the calendar such as 2026-02-28',
  timestamp: 'a point in time such as 2026-02-28T13:45:00Z',
};
