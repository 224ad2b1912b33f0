import { ticks } from 'd3-array';
import type { Column, Contract } from '../contract/contract.ts';
import type { Json } from '../json.ts';
import { quoteName } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';

/**
 * What a table of accepted rows looks like, without showing anybody: figures of at least `smallestGroup` rows, quantiles
 * instead of extremes (an extreme is one person's value), and levels only where the contract enumerates them.
 */
export type Profile = {
  rows: number;
  columns: ColumnProfile[];
  /** Pearson, of each two number or boolean columns; null where one of them does not vary. */
  correlations: { a: string; b: string; r: number | null }[];
  boxPlot?: BoxPlot;
  groups: { name: string; condition: string; rows: number; share: number }[];
};

export type ColumnProfile = {
  name: string;
  type: Column['type'];
  unit?: string;
  missingShare: number;
  distinct: number;
  numbers?: { mean: number; standardDeviation: number } & Quantiles;
  /** Ascending; the first reaches down and the last up without limit. */
  bins?: { from?: number; to?: number; rows: number }[];
  levels?: { level: string; rows: number; share: number }[];
};

export type Quantiles = { p5: number; p25: number; median: number; p75: number; p95: number };
export type BoxPlot = { value: string; by: string[]; boxes: ({ group: string[]; rows: number } & Quantiles)[] };

/** Figures that a use case wants of one source, beyond those of each column. */
export type ProfileRequest = {
  boxPlot?: { value: string; by: string[] };
  /** Name → SQL condition. */
  groups?: { [name: string]: string };
};

/** Groups of fewer rows are left out. */
export const smallestGroup = 11;

/** Profiles the rows of `table`, which has the contract's columns. */
export async function profileTable(
  sql: SqlEngine,
  table: string,
  contract: Contract,
  request: ProfileRequest = {},
): Promise<Profile> {
  const from = `FROM ${quoteName(table)}`;
  const [{ rows }] = (await sql.rows(`SELECT count(*) AS rows ${from}`)) as { rows: number }[];
  const columns = [];
  for (const column of contract.columns) columns.push(await columnProfile(sql, from, column, rows));
  return {
    rows,
    columns,
    correlations: rows < smallestGroup ? [] : await correlations(sql, from, contract.columns),
    ...(request.boxPlot && { boxPlot: await boxPlot(sql, from, request.boxPlot) }),
    groups: await groups(sql, from, request.groups ?? {}, rows),
  };
}

async function columnProfile(sql: SqlEngine, from: string, column: Column, rows: number): Promise<ColumnProfile> {
  const { name, type, unit } = column;
  const value = quoteName(name);
  const numeric = type === 'integer' || type === 'number';
  const [found] = await sql.rows(
    `SELECT count(${value}) AS present, count(DISTINCT ${value}) AS distinct_values
      ${numeric ? `, avg(${value}) AS mean, stddev_samp(${value}) AS standard_deviation, ${quantiles(value)}` : ''} ${from}`,
  );
  const present = Number(found['present']);
  const profile: ColumnProfile = {
    name,
    type,
    ...(unit !== undefined && { unit }),
    missingShare: rows === 0 ? 0 : 1 - present / rows,
    distinct: Number(found['distinct_values']),
  };
  if (present < smallestGroup) return profile;
  if (numeric) {
    const box = quantilesOf(found);
    const numbers = { mean: Number(found['mean']), standardDeviation: Number(found['standard_deviation']), ...box };
    return { ...profile, numbers, bins: await bins(sql, from, value, box) };
  }
  return type === 'boolean' || column.levels ? { ...profile, levels: await levels(sql, from, value, rows) } : profile;
}

function quantiles(value: string): string {
  return `quantile_cont(${value}::DOUBLE, [0.05, 0.25, 0.5, 0.75, 0.95]) AS quantiles`;
}

function quantilesOf(row: Record<string, Json>): Quantiles {
  const [p5, p25, median, p75, p95] = row['quantiles'] as number[];
  return { p5, p25, median, p75, p95 };
}

/** Round edges over the middle nine tenths; a bin of too few rows is joined to the one before it. */
async function bins(sql: SqlEngine, from: string, value: string, box: Quantiles): Promise<ColumnProfile['bins']> {
  const edges = ticks(box.p5, box.p95, 10);
  const bounds = [...edges.map((to, i) => ({ from: edges[i - 1], to })), { from: edges.at(-1), to: undefined }];
  const counted = bounds.map((bin, i) => {
    const low = bin.from === undefined ? 'true' : `${value} >= ${bin.from}`;
    const high = bin.to === undefined ? 'true' : `${value} < ${bin.to}`;
    return `count(${value}) FILTER (${low} AND ${high}) AS bin${i}`;
  });
  const [found] = await sql.rows(`SELECT ${counted.join(', ')} ${from}`);
  const joined: NonNullable<ColumnProfile['bins']> = [];
  for (const [i, bin] of bounds.entries()) {
    const rows = Number(found[`bin${i}`]);
    const last = joined.at(-1);
    if (last && (rows < smallestGroup || last.rows < smallestGroup))
      joined[joined.length - 1] = { from: last.from, to: bin.to, rows: last.rows + rows };
    else joined.push({ ...bin, rows });
  }
  return joined;
}

async function levels(sql: SqlEngine, from: string, value: string, rows: number): Promise<ColumnProfile['levels']> {
  const found = await sql.rows(
    `SELECT ${value}::VARCHAR AS level, count(*) AS n ${from} WHERE ${value} IS NOT NULL GROUP BY 1 HAVING n >= ${smallestGroup} ORDER BY 1`,
  );
  return found.map(({ level, n }) => ({ level: level as string, rows: Number(n), share: Number(n) / rows }));
}

async function correlations(
  sql: SqlEngine,
  from: string,
  columns: readonly Column[],
): Promise<Profile['correlations']> {
  const names = columns.filter(({ type }) => ['integer', 'number', 'boolean'].includes(type)).map(({ name }) => name);
  const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => ({ a, b })));
  if (pairs.length === 0) return [];
  const asNumber = (name: string): string => `${quoteName(name)}::DOUBLE`;
  const wanted = pairs.map(({ a, b }, i) => `corr(${asNumber(a)}, ${asNumber(b)}) AS r${i}`);
  const [found] = await sql.rows(`SELECT ${wanted.join(', ')} ${from}`);
  return pairs.map((pair, i) => ({ ...pair, r: found[`r${i}`] as number | null }));
}

async function boxPlot(sql: SqlEngine, from: string, { value, by }: { value: string; by: string[] }): Promise<BoxPlot> {
  const group = by.map((name) => `${quoteName(name)}::VARCHAR`);
  const found = await sql.rows(
    `SELECT [${group.join(', ')}] AS levels, count(${quoteName(value)}) AS n, ${quantiles(quoteName(value))}
      ${from} GROUP BY ALL HAVING n >= ${smallestGroup} ORDER BY levels`,
  );
  const boxes = found.map((row) => ({ group: row['levels'] as string[], rows: Number(row['n']), ...quantilesOf(row) }));
  return { value, by, boxes };
}

async function groups(
  sql: SqlEngine,
  from: string,
  conditions: { [name: string]: string },
  rows: number,
): Promise<Profile['groups']> {
  const wanted = Object.entries(conditions);
  if (wanted.length === 0) return [];
  const counted = wanted.map(([, condition], i) => `count(*) FILTER (${condition}) AS group${i}`);
  const [found] = await sql.rows(`SELECT ${counted.join(', ')} ${from}`);
  return wanted
    .map(([name, condition], i) => ({ name, condition, rows: Number(found[`group${i}`]) }))
    .filter((group) => group.rows >= smallestGroup)
    .map((group) => ({ ...group, share: group.rows / rows }));
}
