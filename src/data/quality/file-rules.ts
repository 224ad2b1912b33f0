import type { Comparison, FileRule } from '../contract/contract.ts';
import { quoteName } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';

/** What a rule over the whole file came to. `rows` are the rows that count against it (of `rowCount`: all). */
export type FileRuleResult = { rule: FileRule; rows: number; broken: boolean };

/** Measures each rule on the accepted rows of a file, in `table`. */
export async function measureFileRules(
  sql: SqlEngine,
  table: string,
  rules: readonly FileRule[],
): Promise<FileRuleResult[]> {
  if (rules.length === 0) return [];
  const figures = rules.map((rule, i) => `${figure(rule)} AS figure${i}`);
  const [found] = await sql.rows(`SELECT count(*) AS total, ${figures.join(', ')} FROM ${quoteName(table)}`);
  const total = Number(found['total']);
  return rules.map((rule, i) => {
    const rows = Number(found[`figure${i}`]);
    const value = rule.unit === 'rows' ? rows : total === 0 ? 0 : (100 * rows) / total;
    return { rule, rows, broken: !comparisons[rule.must.operator](value, rule.must.value) };
  });
}

function figure({ metric, columns }: FileRule): string {
  const names = columns.map(quoteName);
  if (metric === 'rowCount') return 'count(*)';
  if (metric === 'nullValues') return `count(*) FILTER (${names[0]} IS NULL)`;
  return `count(*) - count(DISTINCT (${names.join(', ')}))`;
}

const comparisons: { [operator in Comparison['operator']]: (value: number, limit: number) => boolean } = {
  mustBe: (value, limit) => value === limit,
  mustNotBe: (value, limit) => value !== limit,
  mustBeGreaterThan: (value, limit) => value > limit,
  mustBeGreaterOrEqualTo: (value, limit) => value >= limit,
  mustBeLessThan: (value, limit) => value < limit,
  mustBeLessOrEqualTo: (value, limit) => value <= limit,
};
