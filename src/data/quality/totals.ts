import type { Contract } from '../contract/contract.ts';
import { quoteName, quoteText } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';
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
  const totals: ControlTotal[] = [];
  for (const column of columns) {
    if (!positions.has(column)) continue;
    const [found] = await sql.rows(`
      SELECT ${sumText('sum(value)')} AS dropped, ${sumText('sum(value) FILTER (kept)')} AS accepted,
        ${sumText('sum(value) FILTER (NOT kept)')} AS quarantined,
        count(*) FILTER (value IS NULL) + (SELECT count(*) FROM malformed_rows) AS unreadable
      FROM (SELECT ${amountOf(column)} AS value, _line IN (SELECT _line FROM accepted) AS kept FROM text_rows)`);
    totals.push({
      column,
      dropped: found['dropped'] as string,
      accepted: found['accepted'] as string,
      quarantined: found['quarantined'] as string,
      unreadableRows: Number(found['unreadable']),
    });
  }
  return totals;
}

/** SQL: the amount that a column's text says, or null. */
function amountOf(column: string): string {
  const text = quoteName(column);
  return `CASE WHEN regexp_full_match(${text}, ${quoteText(patterns.number)}) THEN TRY_CAST(${text} AS ${exactDecimal}) END`;
}

/** SQL: a sum of such values as text, with at least two digits after the point; without values it is 0.00. */
export const sumText = (sum: string): string =>
  `regexp_replace(coalesce(${sum}, 0)::${exactDecimal}::VARCHAR, '0{1,4}$', '')`;
