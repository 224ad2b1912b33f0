import { didYouMean } from './nearest.ts';

/**
 * Checks an SQL condition of a contract or declaration, such as `charges < 100000` or `category = 'very_high'`: one
 * expression over the columns named. Returns what is wrong with it, one sentence each; an empty list means nothing.
 * Functions and operators are left to the SQL engine; queries, comments and several statements are refused.
 */
export function conditionFindings(condition: string, columns: readonly string[]): string[] {
  const bare = condition.replaceAll(/'(?:[^']|'')*'/g, "''");
  if (bare.trim() === '') return ['the condition is empty'];
  if (/;|--|\/\*/.test(bare) || /\b(select|from|copy|attach|install|load|pragma|set)\b/i.test(bare)) {
    return ['it must be one condition over the columns, without queries, comments or ";"'];
  }
  const names = bare.matchAll(/"((?:[^"]|"")*)"|\b([A-Za-z_]\w*)\b(?!\s*\()/g);
  const findings = new Set<string>();
  for (const [, quoted, plain] of names) {
    const name = quoted?.replaceAll('""', '"') ?? plain;
    if (columns.includes(name) || (plain !== undefined && keywords.has(plain.toUpperCase()))) continue;
    findings.add(`there is no column "${name}".${didYouMean(name, columns)}`);
  }
  return [...findings];
}

const keywords = new Set(
  (
    'AND OR NOT IN IS NULL BETWEEN LIKE ILIKE SIMILAR TO ESCAPE TRUE FALSE CASE WHEN THEN ELSE END AS DISTINCT ' +
    'DATE TIME TIMESTAMP INTERVAL YEAR YEARS MONTH MONTHS DAY DAYS HOUR HOURS INTEGER BIGINT DOUBLE VARCHAR BOOLEAN DECIMAL'
  ).split(' '),
);
