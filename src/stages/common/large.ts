import { lineageColumns } from '../../data/contract/silver.ts';
import { quoteText } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { DataFiles } from '../../lake/data-files.ts';
import type { WriteOptions } from '../../lake/plans.ts';
import type { DeltaTable } from '../../lake/table.ts';
import { type QueryWritten, type StoreOptions, alreadyDone, storeQuery, withRows } from '../../lake/write.ts';
import type { Drop } from './drop.ts';

/** Rows of one data file: 20 to 100 MB as Parquet, which is in memory when it is stored. */
const partRows = 1_000_000;

/** Rows of which more are not copied where they can be read again. */
export const isLarge = (rows: number): boolean => rows > partRows;

/**
 * Appends the rows of `released`, which are in their order, in one commit, as files of so many lines of the drop. While one file is
 * stored, the next is made.
 */
export async function appendParts(
  table: DeltaTable,
  sql: SqlEngine,
  { files }: Pick<Drop, 'files'>,
  options: WriteOptions & Pick<StoreOptions, 'constants'>,
  linesPerFile = partRows,
): Promise<QueryWritten> {
  const done = await alreadyDone(table, options);
  if (done) return done;
  const parts: Promise<DataFiles>[] = [];
  try {
    for (const { name } of files) {
      const own = `_source_file = ${quoteText(name)}`;
      const [{ lines }] = (await sql.rows(`SELECT coalesce(max(_line), 0) AS lines FROM released WHERE ${own}`)) as {
        lines: number;
      }[];
      const constants = { ...options.constants, _source_file: name };
      for (let first = 0; first <= lines; first += linesPerFile) {
        const range = `_line >= ${first} AND _line < ${first + linesPerFile}`;
        const rows = `SELECT * FROM released WHERE ${own} AND ${range}`;
        await parts.at(-2);
        parts.push(storeQuery(table, sql, rows, { ...options, constants }));
        parts.at(-1)!.catch(() => undefined); // whoever waits for it learns of it
      }
    }
  } finally {
    // nothing goes on behind the back of a failure
    await Promise.allSettled(parts);
  }
  const stored = await Promise.all(parts);
  const data = { ...stored[0], files: stored.flatMap((part) => part.files) };
  return withRows(await table.append(data, options), data);
}

/** The table by which `released` is described: of many rows every so-and-so-many-th line, without what says where they are from. */
export async function profiled(sql: SqlEngine, rows: number): Promise<string> {
  if (!isLarge(rows)) return 'released';
  const step = Math.ceil(rows / profiledRows);
  const lineage = lineageColumns.map(({ name }) => name).join(', ');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE released_sample AS SELECT * EXCLUDE (${lineage}) FROM released WHERE _line % ${step} = 0`,
  );
  return 'released_sample';
}

const profiledRows = 200_000;
