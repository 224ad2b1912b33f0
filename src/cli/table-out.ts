import { dirname, extname, resolve } from 'node:path';
import { Field, Float64, RecordBatch, Schema, Struct, Table, makeData } from 'apache-arrow';
import { quoteName, quoteText } from '../data/quote.ts';
import { openSql } from '../data/sql.ts';
import { UsageError } from './command.ts';
import { writeGiven } from './files.ts';
import { type TableFile, mountOrigin } from './table-file.ts';

/** A column of numbers to be written; NaN is written as missing. */
export type AddedColumn = { name: string; values: Float64Array };

/** Throws `UsageError` unless the name ends in `.csv` or `.parquet`: said before the work, not after it. */
export function ensureTableName(out: string): void {
  if (!['.csv', '.parquet'].includes(extname(out)))
    throw new UsageError(`--out takes a .csv or .parquet file, not ${out}.`);
}

/** Writes the rows of a table with columns added, each column of the table as it was read. */
export async function writeTableWith(out: string, table: TableFile, added: readonly AddedColumn[]): Promise<void> {
  ensureTableName(out);
  const taken = new Set([...table.columns, ...table.others].map(({ name }) => name.toLowerCase()));
  const twice = added.find(({ name }) => taken.has(name.toLowerCase()));
  if (twice) {
    throw new UsageError(
      `${table.file} already has a column ${twice.name}: give the new one another name by --column NAME.`,
    );
  }
  const path = resolve(out);
  const from = 'parquet' in table.origin ? [dirname(table.origin.parquet)] : [];
  const sql = await openSql({ directories: [dirname(path), ...from] });
  try {
    await mountOrigin(sql, table);
    await sql.insert('added', tableOf(added));
    const isParquet = extname(out) === '.parquet';
    const own = isParquet && 'csv' in table.origin ? typedColumns(table, table.origin.csv.header) : 'source.*';
    const joined = `SELECT ${own}, added.* FROM source POSITIONAL JOIN added`;
    if (isParquet) await writeGiven(path, (await sql.parquet(joined)).bytes);
    else await sql.run(`COPY (${joined}) TO ${quoteText(path)} (FORMAT csv, HEADER)`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${out} cannot be written: ${(error as Error).message.split('\n')[0]}`);
  } finally {
    await sql.close();
  }
}

/** The texts of a CSV as what they were read as; the words for a missing value convert to null. */
function typedColumns({ columns }: TableFile, header: readonly string[]): string {
  return columns
    .map(({ name, kind }, c) => {
      const cell = `source.${quoteName(header[c])}`;
      const number = `TRY_CAST(NULLIF(lower(trim(${cell})), 'nan') AS DOUBLE)`;
      const typed = { number, boolean: `TRY_CAST(trim(${cell}) AS BOOLEAN)`, text: cell }[kind];
      return `${typed} AS ${quoteName(name)}`;
    })
    .join(', ');
}

function tableOf(added: readonly AddedColumn[]): Table {
  const fields = added.map(({ name }) => new Field(name, new Float64(), true));
  const rows = added[0].values.length;
  const children = added.map(({ values }) =>
    makeData({ type: new Float64(), length: rows, data: values, ...validity(values) }),
  );
  const schema = new Schema(fields);
  return new Table(
    schema,
    new RecordBatch(schema, makeData({ type: new Struct(fields), length: rows, nullCount: 0, children })),
  );
}

function validity(values: Float64Array): { nullCount: number; nullBitmap?: Uint8Array } {
  const missing = values.reduce((count, value) => count + Number(Number.isNaN(value)), 0);
  if (missing === 0) return { nullCount: 0 };
  const nullBitmap = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, row) => {
    if (!Number.isNaN(value)) nullBitmap[row >> 3] |= 1 << (row & 7);
  });
  return { nullCount: missing, nullBitmap };
}
