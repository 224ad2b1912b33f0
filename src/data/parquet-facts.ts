import type { Json } from './json.ts';
import { quoteName, quoteText } from './quote.ts';

export type ParquetFacts = {
  rows: number;
  /** `type` is DuckDB's name of the column's type in the file: `BIGINT`, `VARCHAR`, `TIMESTAMP`, `DECIMAL(9,2)` … */
  columns: { name: string; type: string }[];
  /** No `min` and `max` for columns without values, of texts and nested types, or with an extreme that JSON cannot hold exactly. */
  stats: { min: Record<string, Json>; max: Record<string, Json>; nullCount: Record<string, number> };
};

/**
 * What a Parquet file holds, read back from it by `rowsOf` so that it describes what was written: from its footer, and of a column on
 * which that is silent (doubles some of which are no numbers, for one) from the values. `file` is its path as SQL.
 */
export async function describeParquet(
  file: string,
  rowsOf: (sql: string) => Promise<Record<string, Json>[]>,
): Promise<ParquetFacts> {
  const source = `read_parquet(${file})`;
  const described = await rowsOf(`DESCRIBE SELECT * FROM ${source}`);
  const columns = described.map((row) => ({ name: row['column_name'] as string, type: row['column_type'] as string }));
  const counted = await rowsOf(
    `SELECT path_in_schema AS name, sum(stats_null_count)::BIGINT AS nulls,
        bool_and(stats_null_count = num_values OR (stats_min_value IS NOT NULL AND stats_max_value IS NOT NULL)) AS "hasExtremes"
      FROM parquet_metadata(${file}) GROUP BY 1 HAVING bool_and(stats_null_count IS NOT NULL)`,
  );
  const footers = new Map(counted.map(({ name, ...footer }) => [name as string, footer]));

  const ordered = columns.map((column, i) => ({ ...column, i })).filter(({ type }) => hasOrder(type));
  const isTold = ({ name }: { name: string }): boolean => footers.get(name)?.['hasExtremes'] === true;
  const told = ordered.filter(isTold).flatMap(({ name, type, i }) => {
    const own = (text: string): string =>
      `CASE path_in_schema WHEN ${quoteText(name)} THEN CAST(${text} AS ${type}) END`;
    return extremes(i, type, own('stats_min_value'), own('stats_max_value'));
  });
  const untold = ordered
    .filter((column) => !isTold(column))
    .flatMap(({ name, type, i }) => extremes(i, type, quoteName(name), quoteName(name)));
  const present = columns.flatMap(({ name }, i) =>
    footers.has(name) ? [] : [`count(${quoteName(name)}) AS count${i}`],
  );
  const [read] = await rowsOf(`SELECT ${['count(*) AS total', ...present, ...untold].join(', ')} FROM ${source}`);
  const [footer] = told.length === 0 ? [{}] : await rowsOf(`SELECT ${told.join(', ')} FROM parquet_metadata(${file})`);

  const found: Record<string, Json> = { ...read, ...footer };
  const rows = Number(found['total']);
  const nullsOf = (name: string, i: number): number =>
    Number(footers.get(name)?.['nulls'] ?? rows - Number(found[`count${i}`]));
  const known = ordered.filter(({ i }) => (found[`min${i}`] ?? null) !== null && (found[`max${i}`] ?? null) !== null);
  const stats = {
    min: Object.fromEntries(known.map(({ name, i }) => [name, found[`min${i}`]])),
    max: Object.fromEntries(known.map(({ name, i }) => [name, found[`max${i}`]])),
    nullCount: Object.fromEntries(columns.map(({ name }, i) => [name, nullsOf(name, i)])),
  };
  return { rows, columns, stats };
}

/** Not of texts and of types without an order. */
const hasOrder = (type: string): boolean => !/^(VARCHAR|BLOB|BIT|STRUCT|MAP|UNION)|\]$/.test(type);

/** The SQL of the column at `i`'s least and greatest value; null for integers beyond ±2^53. */
function extremes(i: number, type: string, least: string, greatest: string): string[] {
  const safe = Number.MAX_SAFE_INTEGER;
  const mayBeUnsafe = /^U?(BIG|HUGE)INT$/.test(type);
  return Object.entries({ min: `min(${least})`, max: `max(${greatest})` }).map(([side, value]) => {
    const kept = mayBeUnsafe ? `CASE WHEN ${value} BETWEEN -${safe} AND ${safe} THEN ${value} END` : value;
    return `${kept} AS ${side}${i}`;
  });
}
