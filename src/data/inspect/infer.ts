import type { LogicalType } from '../contract/contract.ts';
import { patterns } from '../quality/grammar.ts';
import { smallestGroup } from '../quality/profile.ts';
import { textTable } from '../quality/staging.ts';
import { quoteText } from '../quote.ts';
import type { Records } from '../records.ts';
import type { SqlEngine } from '../sql.ts';

/** What the values of one column of a file are like. */
export type InferredColumn = {
  header: string;
  type: LogicalType;
  missing: number;
  distinct: number;
  /** Values that are there and not of the type. */
  misfits: number;
  /** Every value is there and none occurs twice. */
  unique: boolean;
  /** No number is below 0. */
  nonNegative?: boolean;
  /** The texts of a boolean column, where they are not just true and false → what they mean. */
  booleans?: { [written: string]: boolean };
  /** All texts of a column that has few, each in at least `smallestGroup` rows. */
  levels?: string[];
};

/** A type fits a column where all but so many of its values are of it; the others are the file's faults, not the type's. */
const largestMisfitShare = 0.05;
const mostLevels = 20;

/** Infers each column's type by all rows, strictest type first, in the grammar that contracts use. */
export async function inferColumns(sql: SqlEngine, records: Records): Promise<InferredColumn[]> {
  const positions = new Map(records.header.map((_, c) => [`c${c}`, c]));
  await sql.run('DROP TABLE IF EXISTS inspected');
  await sql.insert('inspected', textTable(records, positions));
  const rows = records.lines.length;
  const columns: InferredColumn[] = [];
  for (const [c, header] of records.header.entries()) columns.push(await inferColumn(sql, header, `c${c}`, rows));
  await sql.run('DROP TABLE inspected');
  return columns;
}

async function inferColumn(sql: SqlEngine, header: string, name: string, rows: number): Promise<InferredColumn> {
  const [found] = (await sql.rows(
    `SELECT count(${name}) AS present, count(DISTINCT ${name}) AS distinct_values,
      ${typesByStrictness.map((type) => `count(*) FILTER (${fits(name, type)}) AS as_${type}`).join(', ')},
      count(*) FILTER (regexp_full_match(${name}, '[+-]?0[0-9]+')) AS leading_zeros,
      count(*) FILTER (${fits(name, 'number')} AND ${name} LIKE '-%') AS negative
    FROM inspected`,
  )) as { [figure: string]: number }[];
  const { present } = found;
  const common = { header, missing: rows - present, distinct: found['distinct_values'], unique: rows > 0 && found['distinct_values'] === rows };
  const counted = common.distinct <= mostLevels ? await valuesOf(sql, name) : undefined;
  const booleans = counted && booleansOf(counted.map(({ value }) => value));
  if (booleans) return { ...common, type: 'boolean', misfits: 0, ...(Object.keys(booleans).length > 0 && { booleans }) };

  const type = typesByStrictness.find((candidate) => {
    if (present === 0 || present - found[`as_${candidate}`] > largestMisfitShare * present) return false;
    // 01234 is an identifier or a postal code, and so are its neighbours without the zero
    return !(isNumeric(candidate) && found['leading_zeros'] > 0);
  });
  if (type !== undefined) {
    const misfits = present - found[`as_${type}`];
    return { ...common, type, misfits, ...(isNumeric(type) && { nonNegative: found['negative'] === 0 }) };
  }
  const levels = counted && counted.length > 0 && counted.every(({ n }) => n >= smallestGroup) && counted.map(({ value }) => value);
  return { ...common, type: 'string', misfits: 0, ...(levels && { levels }) };
}

const typesByStrictness = ['integer', 'number', 'date', 'timestamp'] as const;
const isNumeric = (type: LogicalType): boolean => type === 'integer' || type === 'number';
const casts = { integer: 'BIGINT', number: 'DOUBLE', date: 'DATE', timestamp: 'TIMESTAMP WITH TIME ZONE' } as const;

function fits(name: string, type: keyof typeof casts): string {
  return `regexp_full_match(${name}, ${quoteText(patterns[type])}) AND TRY_CAST(${name} AS ${casts[type]}) IS NOT NULL`;
}

async function valuesOf(sql: SqlEngine, name: string): Promise<{ value: string; n: number }[]> {
  const query = `SELECT ${name} AS value, count(*) AS n FROM inspected WHERE ${name} IS NOT NULL GROUP BY 1 ORDER BY 1`;
  return (await sql.rows(query)) as { value: string; n: number }[];
}

/** Two words for yes and no, in any case; a single letter only where both occur. Empty where they are true and false. */
function booleansOf(values: readonly string[]): InferredColumn['booleans'] {
  const words = [...new Set(values.map((value) => value.toLowerCase()))];
  if (words.length === 0) return undefined;
  const pair = pairs.find((known) => words.every((word) => known.includes(word)) && (known[0].length > 1 || words.length === 2));
  if (pair === undefined) return undefined;
  return values.every((value) => value === 'true' || value === 'false') ? {} : { [pair[0]]: true, [pair[1]]: false };
}

const pairs: readonly (readonly [string, string])[] = [
  ['true', 'false'],
  ['yes', 'no'],
  ['y', 'n'],
  ['t', 'f'],
];
