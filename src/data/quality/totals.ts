import type { Column, Contract } from '../contract/contract.ts';
import { quoteName, quoteText } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';
import { typedValue } from './cast.ts';
import { patterns } from './grammar.ts';

/**
 * What the values of a column add up to, as decimal texts with cents and what is below them; `dropped` is what came, and to the
 * last digit the sum of the other two. Rows whose value cannot be read count in none of them.
 */
export type ControlTotal = {
  column: string;
  dropped: string;
  accepted: string;
  quarantined: string;
  unreadableRows: number;
};

/** Of each value so many digits after the point count; their sums are exact. */
export const exactDecimal = 'DECIMAL(38,6)';

/** Adds up the texts of a file, from its staged tables `text_rows`, `malformed_rows` and `accepted`. */
export async function controlTotals(
  sql: SqlEngine,
  { controlTotals: columns = [] }: Contract,
  positions: ReadonlyMap<string, number>,
): Promise<ControlTotal[]> {
  const found = columns.filter((column) => positions.has(column));
  const [{ malformed }] = (await sql.rows('SELECT count(*) AS malformed FROM malformed_rows')) as {
    malformed: number;
  }[];
  const amounts = found.map((column, i) => `${amountOf(column)} AS amount${i}`);
  const unread = found.map((_, i) => `(amount${i} IS NULL)::INTEGER AS unread${i}`);
  const texts = `SELECT ${[...amounts, '_line IN (SELECT _line FROM accepted) AS kept'].join(', ')} FROM text_rows`;
  return addedUp(sql, found, `SELECT ${['*', ...unread].join(', ')} FROM (${texts})`, malformed);
}

/**
 * Adds up the rows of `from`, a query: of the column at i, `amount{i}` is what some rows of the file said, a sum already or not,
 * `unread{i}` is how many of them said nothing that can be read, and `kept` whether they were accepted.
 */
export async function addedUp(
  sql: SqlEngine,
  columns: readonly string[],
  from: string,
  malformed: number,
): Promise<ControlTotal[]> {
  if (columns.length === 0) return [];
  const figures = columns.flatMap((_, i) => [
    `${sumText(`sum(amount${i})`)} AS dropped${i}`,
    `${sumText(`sum(amount${i}) FILTER (kept)`)} AS accepted${i}`,
    `${sumText(`sum(amount${i}) FILTER (NOT kept)`)} AS quarantined${i}`,
    `coalesce(sum(unread${i}), 0)::BIGINT AS unreadable${i}`,
  ]);
  const [found] = await sql.rows(`SELECT ${figures.join(', ')} FROM (${from})`);
  return columns.map((column, i) => ({
    column,
    dropped: found[`dropped${i}`] as string,
    accepted: found[`accepted${i}`] as string,
    quarantined: found[`quarantined${i}`] as string,
    unreadableRows: Number(found[`unreadable${i}`]) + malformed,
  }));
}

/** The column beside a typed one in which the amount of a text stands that the typed value does not tell. */
export const unreadAmount = (column: string): string => quoteName(`_unread_${column}`);

/** SQL, over texts: what goes into `unreadAmount`. */
export function amountToStage(column: Column): string {
  const amount = amountOf(column.name);
  return isExact(column) ? `CASE WHEN (${typedValue(column)}) IS NULL THEN ${amount} END` : amount;
}

/** SQL, over typed values with their `unreadAmount`: what a column's text said. */
export function stagedAmount(column: Column): string {
  const typed = isExact(column) ? `${quoteName(column.name)}::${exactDecimal}` : 'NULL';
  return `coalesce(${typed}, ${unreadAmount(column.name)})`;
}

/** Whether a typed value says the amount to the last digit. */
export function isExact(column: Column): boolean {
  const scale = /^DECIMAL\(\d+,(\d+)\)$/.exec(column.sqlType)?.[1];
  const asWritten = column.letterCase === undefined && column.values === undefined;
  return asWritten && (scale === undefined ? /INT(EGER)?$/.test(column.sqlType) : Number(scale) <= 6);
}

/** SQL: the amount that a column's text says, or null. */
function amountOf(column: string): string {
  const text = quoteName(column);
  return `CASE WHEN regexp_full_match(${text}, ${quoteText(patterns.number)}) THEN TRY_CAST(${text} AS ${exactDecimal}) END`;
}

/** SQL: a sum of such values as text, with at least two digits after the point; without values it is 0.00. */
export const sumText = (sum: string): string =>
  `regexp_replace(coalesce(${sum}, 0)::${exactDecimal}::VARCHAR, '0{1,4}$', '')`;
