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
  /** At most one row in a hundred has no value of its own: a key, and the others are faults. */
  nearlyUnique: boolean;
  /** No number is below 0. */
  nonNegative?: boolean;
  /** Every number is 0 or 1, and both occur. */
  zeroOrOne?: boolean;
  /** The words of a boolean column, in small letters, where they are not just `true` and `false` → what they mean. */
  booleans?: { [written: string]: boolean };
  /** The texts of a column that has few, each in at least `smallestGroup` rows; others are misfits. */
  levels?: string[];
};

/** A type, or a list of levels, fits a column where all but so many of its values are of it; the others are the file's faults. */
const largestMisfitShare = 0.05;
const mostLevels = 20;
/** Levels and the faults beside them; more distinct texts are not looked at one by one. */
const mostTexts = 100;

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
      count(*) FILTER (${fits(name, 'number')} AND ${name} LIKE '-%') AS negative,
      count(*) FILTER (${name} IN ('0', '1')) AS zero_or_one
    FROM inspected`,
  )) as { [figure: string]: number }[];
  const { present } = found;
  const distinct = found['distinct_values'];
  const unique = rows > 0 && distinct === rows;
  const common = {
    header,
    missing: rows - present,
    distinct,
    unique,
    nearlyUnique: unique || rows - distinct <= rows / 100,
  };
  const texts = common.distinct <= mostTexts ? await textsOf(sql, name) : [];
  const few = (misfits: number): boolean => present > 0 && misfits <= largestMisfitShare * present;
  const boolean = booleanOf(texts, present);
  if (boolean && few(boolean.misfits)) return { ...common, type: 'boolean', ...boolean };

  const type = typesByStrictness.find((candidate) => {
    if (!few(present - found[`as_${candidate}`])) return false;
    // 01234 is an identifier or a postal code, and so are its neighbours without the zero
    return !(isNumeric(candidate) && found['leading_zeros'] > 0);
  });
  if (type !== undefined) {
    const misfits = present - found[`as_${type}`];
    const zeroOrOne = type === 'integer' && misfits === 0 && distinct === 2 && found['zero_or_one'] === present;
    return {
      ...common,
      type,
      misfits,
      ...(isNumeric(type) && { nonNegative: found['negative'] === 0 }),
      ...(zeroOrOne && { zeroOrOne }),
    };
  }
  const levels = texts.filter(({ n }) => n >= smallestGroup).map(({ text }) => text);
  const misfits = present - texts.reduce((sum, { n }) => sum + (n >= smallestGroup ? n : 0), 0);
  const enumerated = levels.length > 0 && levels.length <= mostLevels && few(misfits);
  return { ...common, type: 'string', ...(enumerated ? { misfits, levels } : { misfits: 0 }) };
}

const typesByStrictness = ['integer', 'number', 'date', 'timestamp'] as const;
const isNumeric = (type: LogicalType): boolean => type === 'integer' || type === 'number';
const casts = { integer: 'BIGINT', number: 'DOUBLE', date: 'DATE', timestamp: 'TIMESTAMP WITH TIME ZONE' } as const;

function fits(name: string, type: keyof typeof casts): string {
  return `regexp_full_match(${name}, ${quoteText(patterns[type])}) AND TRY_CAST(${name} AS ${casts[type]}) IS NOT NULL`;
}

type Counted = { text: string; n: number };

async function textsOf(sql: SqlEngine, name: string): Promise<Counted[]> {
  const query = `SELECT ${name} AS text, count(*) AS n FROM inspected WHERE ${name} IS NOT NULL GROUP BY 1 ORDER BY 1`;
  return (await sql.rows(query)) as Counted[];
}

/** The two words for yes and no that most texts are, in any case; single letters only where both occur. */
function booleanOf(
  texts: readonly Counted[],
  present: number,
): Pick<InferredColumn, 'misfits' | 'booleans'> | undefined {
  const fitting = pairs.map((pair) => texts.filter(({ text }) => pair.includes(text.toLowerCase())));
  const counts = fitting.map((found) => found.reduce((sum, { n }) => sum + n, 0));
  const best = counts.indexOf(Math.max(...counts));
  const words = new Set(fitting[best].map(({ text }) => text.toLowerCase()));
  const [yes, no] = pairs[best];
  if (counts[best] === 0 || (yes.length === 1 && words.size < 2)) return undefined;
  const plain = fitting[best].every(({ text }) => text === 'true' || text === 'false');
  return { misfits: present - counts[best], ...(!plain && { booleans: { [yes]: true, [no]: false } }) };
}

const pairs: readonly (readonly [string, string])[] = [
  ['true', 'false'],
  ['yes', 'no'],
  ['y', 'n'],
  ['t', 'f'],
];
