import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Vector } from 'apache-arrow';
import type { CsvLimits } from './csv-scanner.ts';
import { FileRejected } from './file-rejected.ts';
import { plainDecimal } from './plain-decimal.ts';
import { quoteName, quoteText } from './quote.ts';
import type { Records } from './records.ts';
import { type SqlEngine, openSql } from './sql.ts';
import { TextColumn } from './text-column.ts';

/** What reading may take: a few kilobytes of Parquet can describe gigabytes. */
const memoryLimitMb = 1024;

/**
 * Reads a Parquet file's rows as texts such as CSV would have: whole floats without a point, no exponents, times in UTC. What is
 * no single value (lists, structures, binary) is named in `unreadable`. Throws `FileRejected` where the file is damaged, or is
 * more than the limits allow once it is unpacked.
 *
 * It is read by an engine of its own: an internal error of DuckDB makes an engine unusable, and must not take the work of
 * others with it. The process is safe: of 1,200 files with random bytes changed, and of Arrow's collection of damaged
 * files, none ended it (1.5.5).
 */
export async function readParquet(
  bytes: Uint8Array,
  { file, limits, temporaryDirectory }: { file: string; limits: CsvLimits; temporaryDirectory?: string },
): Promise<Records> {
  const directory = resolve(temporaryDirectory ?? tmpdir());
  const path = join(directory, `${randomUUID()}.parquet`);
  const sql = await openSql({ directories: [directory], temporaryDirectory, memoryLimitMb });
  try {
    await writeFile(path, bytes);
    return await recordsOf(sql, `read_parquet(${quoteText(path)})`, file, limits);
  } catch (error) {
    if (error instanceof FileRejected) throw error;
    throw new FileRejected(
      'damaged',
      file,
      `it cannot be read as Parquet: ${withoutPath(error, path)}`,
      'Write it again.',
    );
  } finally {
    await sql.close();
    await rm(path, { force: true });
  }
}

async function recordsOf(sql: SqlEngine, source: string, file: string, limits: CsvLimits): Promise<Records> {
  const described = (await sql.rows(`DESCRIBE SELECT * FROM ${source}`)) as {
    column_name: string;
    column_type: string;
  }[];
  const columns = described.map(({ column_name: name, column_type: type }) => ({
    name,
    type,
    text: textOf(name, type),
  }));
  if (columns.length > limits.columns) {
    const reason = `it has ${columns.length} columns, the limit is ${limits.columns}`;
    throw new FileRejected('too-many-columns', file, reason, 'Leave out what the contract does not name.');
  }
  const list = columns.map(({ text }, c) => `${text ?? 'NULL::VARCHAR'} AS "${c}"`);
  await sql.run(`CREATE TEMP TABLE texts AS SELECT ${list.join(', ')} FROM ${source}`);
  const sizes = columns.map((_, c) => `coalesce(sum(strlen("${c}")), 0)`);
  const [{ size }] = (await sql.rows(`SELECT (${sizes.join(' + ')})::BIGINT AS size FROM texts`)) as { size: number }[];
  if (size > limits.fileBytes) {
    const reason = `its values have ${size} bytes as text, the limit is ${limits.fileBytes}`;
    throw new FileRejected('too-large', file, reason, 'Drop it in several parts.');
  }

  const table = await sql.query('SELECT * FROM texts');
  const vectors = columns.map((_, c) => table.getChild(String(c)) as Vector);
  const fields = columns.map(() => new TextColumn());
  const raw = new TextColumn();
  for (let row = 0; row < table.numRows; row++) {
    const members: string[] = [];
    for (const [c, { name, type }] of columns.entries()) {
      const value = vectors[c].get(row) as string | null;
      const text = value === null ? '' : isFloat(type) ? plainDecimal(value).replace(/\.0$/, '') : value;
      fields[c].appendText(text);
      members.push(`${JSON.stringify(name)}:${text === '' ? 'null' : JSON.stringify(text)}`);
    }
    raw.appendText(`{${members.join(',')}}`);
  }
  return {
    header: columns.map(({ name }) => name),
    lines: Int32Array.from({ length: table.numRows }, (_, row) => row + 1),
    raw: raw.finish(),
    fields: fields.map((field) => field.finish()),
    malformed: [],
    unreadable: columns.flatMap(({ name, type, text }) => (text === undefined ? [{ name, type }] : [])),
  };
}

const isFloat = (type: string): boolean => type === 'DOUBLE' || type === 'FLOAT';

/** The SQL of a column's text, or undefined for types that are no single value. */
function textOf(name: string, type: string): string | undefined {
  const text = `${quoteName(name)}::VARCHAR`;
  if (type === 'TIMESTAMP WITH TIME ZONE') return `regexp_replace(${text}, '\\+00$', 'Z')`;
  // writers that count nanoseconds seldom have any
  if (type === 'TIMESTAMP_NS') return `regexp_replace(${text}, '(\\.[0-9]{6})000$', '\\1')`;
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN|VARCHAR|UUID|ENUM\(.*\)|DATE|TIMESTAMP(_S|_MS)?)$/.test(
    type,
  )
    ? text
    : undefined;
}

function withoutPath(error: unknown, path: string): string {
  return (error as Error).message.split('\n')[0].replaceAll(path, 'the file');
}
