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
  return totalsOfRows(
    sql,
    found.map((column) => ({ column, amount: amountOf(column) })),
    { from: 'FROM text_rows', isKept: '_line IN (SELECT _line FROM accepted)', malformed },
  );
}

/**
 * The same from a table of rows without texts: `amount` is SQL for what a column's text said, `from` is `FROM table`, `isKept` a
 * condition on its rows.
 */
export async function totalsOfRows(
  sql: SqlEngine,
  columns: readonly { column: string; amount: string }[],
  { from, isKept, malformed }: { from: string; isKept: string; malformed: number },
): Promise<ControlTotal[]> {
  if (columns.length === 0) return [];
  const figures = columns.flatMap((_, i) => [
    `${sumText(`sum(value${i})`)} AS dropped${i}`,
    `${sumText(`sum(value${i}) FILTER (kept)`)} AS accepted${i}`,
    `${sumText(`sum(value${i}) FILTER (NOT kept)`)} AS quarantined${i}`,
    `count(*) FILTER (value${i} IS NULL) AS unreadable${i}`,
  ]);
  const values = columns.map(({ amount }, i) => `${amount} AS value${i}`);
  const [found] = await sql.rows(
    `SELECT ${figures.join(', ')} FROM (SELECT ${values.join(', ')}, ${isKept} AS kept ${from})`,
  );
  return columns.map(({ column }, i) => ({
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
export function stagedAmount(column: Column): { column: string; amount: string } {
  const { name } = column;
  const typed = isExact(column) ? `${quoteName(name)}::${exactDecimal}` : 'NULL';
  return { column: name, amount: `coalesce(${typed}, ${unreadAmount(name)})` };
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
