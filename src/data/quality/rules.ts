import type { Column, Contract, Outcome } from '../contract/contract.ts';
import { quoteName, quoteText } from '../quote.ts';
import { grammars } from './grammar.ts';
import { lookBackChecks } from './late.ts';

/** One demand on single rows, ready to run. */
export type Check = {
  name: string;
  column?: string;
  outcome: Outcome;
  /** What is asked for, in words; never a value of the file. */
  description: string;
} & (
  | {
      /** SQL that is true for a row that breaks it, over the typed columns and their `unreadable` flags. */ broken: string;
    }
  | { /** The column, as SQL, of which an earlier good row of the file must not have the value. */ repeated: string }
);

/** The name of the flag beside each typed column: a text was there and could not be read. */
export function unreadable(column: string): string {
  return quoteName(`${column}!`);
}

/**
 * The contract's demands on single rows, in its own order: of each column first that it is there, then that it can be read,
 * then its bounds; then the quality rules and the look-back; last the uniqueness of columns.
 */
export function checksOf({ contract, arrivedAtMs }: { contract: Contract; arrivedAtMs: number }): Check[] {
  const rules = contract.rowRules.map(({ condition, ...rule }) => ({ ...rule, broken: `NOT (${condition})` }));
  const unique = contract.columns
    .filter((column) => column.unique)
    .map(({ name }) => ({
      name: `${name}.unique`,
      column: name,
      outcome: 'quarantine' as const,
      description: `${name} is not repeated in the file`,
      repeated: quoteName(name),
    }));
  return [...contract.columns.flatMap(columnChecks), ...rules, ...lookBackChecks({ contract, arrivedAtMs }), ...unique];
}

function columnChecks(column: Column): Check[] {
  const { name, type, values } = column;
  const value = quoteName(name);
  const check = (rule: string, description: string, broken: string): Check => ({
    name: `${name}.${rule}`,
    column: name,
    outcome: 'quarantine',
    description,
    broken,
  });
  const checks = [];
  if (column.required) {
    checks.push(check('required', `${name} is there`, `${value} IS NULL AND NOT ${unreadable(name)}`));
  }
  if (values) checks.push(check('values', `${name} is one of ${Object.keys(values).join(', ')}`, unreadable(name)));
  else if (type !== 'string') checks.push(check('type', `${name} is ${readable(column)}`, unreadable(name)));

  const bounds = [
    ['minimum', 'at least', '<'],
    ['exclusiveMinimum', 'above', '<='],
    ['maximum', 'at most', '>'],
    ['exclusiveMaximum', 'below', '>='],
  ] as const;
  for (const [option, words, operator] of bounds) {
    const bound = column[option];
    if (bound === undefined) continue;
    const literal = typeof bound === 'number' ? String(bound) : `${quoteText(bound)}::${column.sqlType}`;
    checks.push(check(option, `${name} is ${words} ${bound}`, `${value} ${operator} ${literal}`));
  }
  const { multipleOf, minLength, maxLength, pattern } = column;
  if (multipleOf !== undefined) {
    checks.push(check('multipleOf', `${name} is a multiple of ${multipleOf}`, `${value} % ${multipleOf} <> 0`));
  }
  if (minLength !== undefined) {
    checks.push(check('minLength', `${name} has at least ${minLength} characters`, `length(${value}) < ${minLength}`));
  }
  if (maxLength !== undefined) {
    checks.push(check('maxLength', `${name} has at most ${maxLength} characters`, `length(${value}) > ${maxLength}`));
  }
  if (pattern !== undefined) {
    checks.push(check('pattern', `${name} matches ${pattern}`, `NOT regexp_matches(${value}, ${quoteText(pattern)})`));
  }
  return checks;
}

function readable({ type, sqlType }: Column): string {
  return `${grammars[type]}${type === 'integer' || sqlType.startsWith('DECIMAL') ? ` that fits ${sqlType}` : ''}`;
}
