import { basename, dirname, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Field, RecordBatch, Schema, Struct, Table, Utf8, type Vector, makeData } from 'apache-arrow';
import { arrowTexts } from '../data/arrow-texts.ts';
import { type Delimiter, delimiters } from '../data/contract/contract.ts';
import { type CsvFile, readCsv } from '../data/csv.ts';
import { FileRejected } from '../data/file-rejected.ts';
import { didYouMean } from '../data/nearest.ts';
import { quoteName, quoteText } from '../data/quote.ts';
import { type SqlEngine, openSql } from '../data/sql.ts';
import type { Cell } from '../ml/encoders/columns.ts';
import { UsageError } from './command.ts';
import { readGiven } from './files.ts';
import { type TableColumn, typeColumn } from './table-columns.ts';

/** A table that somebody has in a file, whole in memory. */
export type TableFile = {
  /** As it was typed, for messages. */
  file: string;
  rows: number;
  columns: TableColumn[];
  /** Columns of types that nothing here computes with: lists, structs, blobs. */
  others: { name: string; type: string }[];
  /** From where all columns can be written again as they were. */
  origin: { csv: CsvFile } | { parquet: string };
};

/**
 * Reads CSV (UTF-8; comma, semicolon, tab or bar; plain or gzipped) or Parquet; the bytes decide which. Throws `UsageError` for a
 * file that is not there or damaged, with the first line that is.
 *
 * CSV is read by the product's own strict reader and typed column by column over all rows, not by DuckDB's sniffer: that one
 * drops the zeros of `01234`, replaces broken characters, and lets an unclosed quotation mark take the next rows with it. Who
 * compares two files must not see drift that the reader made.
 */
export async function readTable(file: string): Promise<TableFile> {
  let bytes: Uint8Array = await readGiven(file);
  if (startsWith(bytes, 0x50, 0x41, 0x52, 0x31)) return readParquet(file);
  try {
    if (startsWith(bytes, 0x1f, 0x8b)) bytes = gunzipSync(bytes, { maxOutputLength: 2 ** 30 });
    return tableOfCsv(file, bytes);
  } catch (error) {
    if (error instanceof FileRejected) throw new UsageError(error.message);
    if (error instanceof UsageError) throw error;
    throw new UsageError(`The file ${file} is damaged: ${(error as Error).message}.`);
  }
}

/** The column of that name. Throws `UsageError` with the nearest name there is. */
export function columnOf(table: TableFile, name: string): TableColumn {
  const found = table.columns.find((column) => column.name === name);
  if (found) return found;
  const other = table.others.find((column) => column.name === name);
  if (other)
    throw new UsageError(`The column ${name} of ${table.file} is of type ${other.type}: cast it to a number or text.`);
  const names = table.columns.map((column) => column.name);
  throw new UsageError(
    `${table.file} has no column "${name}".${didYouMean(name, names)} It has: ${names.slice(0, 30).join(', ')}${names.length > 30 ? ', …' : ''}.`,
  );
}

/** The numbers of a column; booleans are 1 and 0, missing is NaN. */
export function numbersOf(table: TableFile, name: string): Float64Array {
  const column = columnOf(table, name);
  if (column.kind !== 'text') return column.values;
  throw new UsageError(`The column ${name} of ${table.file} holds texts where numbers are needed.`);
}

/** A label as numbers. Where the column holds texts, `positive` says which of them is 1; all others are 0. */
export function labelOf(table: TableFile, name: string, positive: string | undefined): Float64Array {
  const column = columnOf(table, name);
  if (column.kind !== 'text') {
    if (positive === undefined) return column.values;
    throw new UsageError(`The column ${name} of ${table.file} holds ${column.kind}s: --positive is for texts.`);
  }
  if (positive === undefined) {
    throw new UsageError(
      `The column ${name} of ${table.file} holds texts: say by --positive TEXT which one counts as 1.`,
    );
  }
  if (!column.values.includes(positive)) {
    throw new UsageError(`No row of ${table.file} has the text of --positive in the column ${name}.`);
  }
  return Float64Array.from(column.values, (text) => (text === null ? NaN : Number(text === positive)));
}

/** The cells of a column as texts, numbers and booleans; null is missing. */
export function cellsOf(column: TableColumn): Cell[] {
  if (column.kind === 'text') return column.values;
  const isBoolean = column.kind === 'boolean';
  return Array.from(column.values, (value) => (Number.isNaN(value) ? null : isBoolean ? value === 1 : value));
}

/** Makes the table known to an engine as `source`, with every column as the file has it. */
export async function mountOrigin(sql: SqlEngine, { origin }: TableFile): Promise<void> {
  if ('parquet' in origin) {
    await sql.run(`CREATE TEMP VIEW source AS FROM read_parquet(${quoteText(origin.parquet)})`);
    return;
  }
  const { header, fields, lines } = origin.csv;
  const types = header.map((name) => new Field(name, new Utf8(), true));
  const children = fields.map(arrowTexts);
  const data = makeData({ type: new Struct(types), length: lines.length, nullCount: 0, children });
  const schema = new Schema(types);
  await sql.insert('source', new Table(schema, new RecordBatch(schema, data)));
}

function tableOfCsv(file: string, bytes: Uint8Array): TableFile {
  const csv = readCsv(bytes, { file: basename(file), delimiter: delimiterOf(bytes), limits: { columns: 10_000 } });
  const { header, fields, malformed, lines } = csv;
  if (malformed.length > 0) {
    const [{ line, reason }] = malformed;
    const more = malformed.length > 1 ? ` ${malformed.length - 1} more records are malformed.` : '';
    throw new UsageError(`${file}, line ${line}: the record is malformed: ${reason}.${more} Correct the file.`);
  }
  if (lines.length === 0) throw new UsageError(`${file} has a header and no rows.`);
  const columns = header.map((name, c) => typeColumn(name.trim(), fields[c]));
  return { file, rows: lines.length, columns, others: [], origin: { csv } };
}

/** The delimiter that the first line has most of. */
function delimiterOf(bytes: Uint8Array): Delimiter {
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const line = Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end))
    .toString('latin1')
    .replaceAll(/"[^"]*"/g, '');
  const times = (delimiter: string) => line.split(delimiter).length;
  return delimiters.reduce((most, delimiter) => (times(delimiter) > times(most) ? delimiter : most));
}

async function readParquet(file: string): Promise<TableFile> {
  const path = resolve(file);
  const sql = await openSql({ directories: [dirname(path)] });
  try {
    const source = `read_parquet(${quoteText(path)})`;
    const described = (await sql.rows(`DESCRIBE SELECT * FROM ${source}`)).map((row) => ({
      name: row['column_name'] as string,
      type: row['column_type'] as string,
    }));
    const readable = described.flatMap(({ name, type }) => {
      const kind = kinds.find(({ types }) => types.test(type));
      return kind ? [{ name, ...kind }] : [];
    });
    if (readable.length === 0) throw new UsageError(`${file} has no column of numbers, booleans or texts.`);
    const list = readable.map(({ name, as }) => `CAST(${quoteName(name)} AS ${as}) AS ${quoteName(name)}`);
    const table = await sql.query(`SELECT ${list.join(', ')} FROM ${source}`);
    if (table.numRows === 0) throw new UsageError(`${file} has no rows.`);
    return {
      file,
      rows: table.numRows,
      columns: readable.map(({ name, kind }) => arrowColumn(name, kind, table.getChild(name)!)),
      others: described.filter(({ name }) => !readable.some((column) => column.name === name)),
      origin: { parquet: path },
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `The file ${file} is damaged, or not the Parquet it begins as: ${(error as Error).message.split('\n')[0]}`,
    );
  } finally {
    await sql.close();
  }
}

/** DuckDB's types and what they are read as; times stay texts, as in CSV. */
const kinds: readonly { kind: TableColumn['kind']; types: RegExp; as: string }[] = [
  { kind: 'number', types: /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))$/, as: 'DOUBLE' },
  { kind: 'boolean', types: /^BOOLEAN$/, as: 'DOUBLE' },
  { kind: 'text', types: /^(VARCHAR|UUID|ENUM\(.*\)|DATE|TIME|TIMESTAMP.*)$/, as: 'VARCHAR' },
];

function arrowColumn(name: string, kind: TableColumn['kind'], vector: Vector): TableColumn {
  if (kind === 'text') return { name, kind, values: Array.from(vector as Iterable<string | null>) };
  const values = Float64Array.from(vector.toArray() as Float64Array);
  if (vector.nullCount > 0) for (let row = 0; row < values.length; row++) if (!vector.isValid(row)) values[row] = NaN;
  return { name, kind, values };
}

function startsWith(bytes: Uint8Array, ...magic: number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
