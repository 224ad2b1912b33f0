import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { storeDataFile, type DataFile, type DataFiles } from './data-files.ts';
import { SchemaMismatch } from './errors.ts';
import { fitColumns, grownSchema, schemaOf, type SqlColumn } from './fit.ts';
import { isDone, type OverwriteOptions, type WriteOptions } from './plans.ts';
import { sqlType, type DeltaType, type Field, type Schema } from './schema.ts';
import { fileStats } from './stats.ts';
import type { DeltaTable, Written } from './table.ts';

export type AppendQueryOptions = WriteOptions & {
  /** Columns whose values part the files. @default - as the table has it; a new table has none */
  partitionBy?: string[];
};

/** A write of a query's rows: `rows` is how many went in, 0 where nothing was to do. */
export type QueryWritten = Written & { rows: number };

/**
 * Appends the rows of a query to the table, which is made of the query's columns where it does not exist. With `txn`, a second
 * delivery changes nothing and says `already-committed`. Columns are matched by name, whatever the order; a column that is
 * missing, unknown, or of a type that would lose something is a `SchemaMismatch` that names it, and nothing is written.
 */
export async function appendQuery(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  options: AppendQueryOptions = {},
): Promise<QueryWritten> {
  const done = await alreadyDone(table, options);
  if (done) return done;
  const data = await storeQuery(table, sql, query, options);
  return withRows(await table.append(data, options), data);
}

/** As `appendQuery`, in place of all rows that the table has. */
export async function overwriteQuery(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  options: AppendQueryOptions & OverwriteOptions = {},
): Promise<QueryWritten> {
  const done = await alreadyDone(table, options);
  if (done) return done;
  const data = await storeQuery(table, sql, query, options);
  return withRows(await table.overwrite(data, options), data);
}

export type StoreOptions = Pick<AppendQueryOptions, 'partitionBy' | 'addColumns'> & {
  replaceSchema?: boolean;
  /** Columns of texts that are the same in all rows: known beforehand, they cost next to nothing. */
  constants?: { [column: string]: string };
};

/**
 * Stores a query's rows as data files, a file per partition, without committing them: for a workflow in which several steps
 * write and one commits. Files that are never committed are in nobody's way.
 */
export async function storeQuery(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  options: StoreOptions = {},
): Promise<DataFiles> {
  const columns = await describeQuery(sql, query);
  const latest = await table.latest();
  const kept = options.replaceSchema ? undefined : latest;
  const schema = schemaFor(table.at.path, kept?.schema, columns, options.addColumns);
  const partitionColumns = options.partitionBy ?? kept?.metadata.partitionColumns ?? [];
  // an enumeration is a text in Parquet, of which nobody looks into the values
  const constants = Object.entries(options.constants ?? {}).map(
    ([name, text]) => `${quoteText(text)}::ENUM(${quoteText(text)}) AS ${quoteName(name)}`,
  );
  const replaced = constants.length > 0 ? `* REPLACE (${constants.join(', ')})` : '*';
  const fitted = `SELECT ${replaced} FROM (SELECT ${fitColumns(table.at.path, schema, columns).join(', ')} FROM (${query}\n))`;
  if (partitionColumns.length === 0) {
    const file = await storeRows(table, sql, fitted, schema, {});
    return { schema, partitionColumns, files: file ? [file] : [] };
  }
  return { schema, partitionColumns, files: await storePartitions(table, sql, fitted, schema, partitionColumns) };
}

function schemaFor(path: string, own: Schema | undefined, columns: readonly SqlColumn[], addColumns = false): Schema {
  if (!own) return schemaOf(path, columns);
  if (!addColumns) return own;
  const known = new Set(own.fields.map((field) => field.name.toLowerCase()));
  const added = columns.filter((column) => !known.has(column.name.toLowerCase()));
  return grownSchema(path, own, schemaOf(path, added));
}

export async function describeQuery(sql: SqlEngine, query: string): Promise<SqlColumn[]> {
  const described = await sql.rows(`DESCRIBE ${query}`);
  return described.map((row) => ({ name: row['column_name'] as string, type: row['column_type'] as string }));
}

/** Stores the query's rows, which are in the table's columns but for those of `partitionValues`, as one file; none where there are none. */
export async function storeRows(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  schema: Schema,
  partitionValues: DataFile['partitionValues'],
): Promise<DataFile | undefined> {
  const file = await sql.parquet(query);
  if (file.rows === 0) return undefined;
  const stored = await storeDataFile(table.at, table.context.clock, file.bytes);
  return { ...stored, rows: file.rows, partitionValues, stats: fileStats(file, schema) };
}

/** One file per combination of partition values, without the partition columns: their values stand in the log. */
async function storePartitions(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  schema: Schema,
  partitionColumns: readonly string[],
): Promise<DataFile[]> {
  const partitions = checkPartitions(table.at.path, schema, partitionColumns);
  const inside = schema.fields.filter((field) => !partitionColumns.includes(field.name));
  const selected = inside.map((field) => quoteName(field.name)).join(', ');
  const rows = quoteName(`rows for ${table.at.path} ${table.context.ids.next()}`);
  const files: DataFile[] = [];
  await sql.run(`CREATE TEMP TABLE ${rows} AS ${query}`);
  try {
    const values = partitions.map(({ name }) => `CAST(${quoteName(name)} AS VARCHAR) AS ${quoteName(name)}`);
    for (const found of await sql.rows(`SELECT DISTINCT ${values.join(', ')} FROM ${rows} ORDER BY ALL`)) {
      const partitionValues = found as DataFile['partitionValues'];
      const empty = partitions.find(({ name }) => partitionValues[name] === '');
      if (empty) throw new SchemaMismatch(table.at.path, empty.name, 'Delta reads an empty partition value as null');
      const here = partitions.map(({ name, type }) => {
        const value = partitionValues[name];
        const literal = value === null ? 'NULL' : quoteText(value);
        return `${quoteName(name)} IS NOT DISTINCT FROM CAST(${literal} AS ${sqlType(type)})`;
      });
      const query = `SELECT ${selected} FROM ${rows} WHERE ${here.join(' AND ')}`;
      const file = await storeRows(table, sql, query, schema, partitionValues);
      if (file) files.push(file);
    }
  } finally {
    await sql.run(`DROP TABLE ${rows}`);
  }
  return files;
}

/** Types whose SQL text is also their form in the log. */
const partitionTypes = new Set<DeltaType>(['string', 'boolean', 'byte', 'short', 'integer', 'long', 'date']);

function checkPartitions(path: string, schema: Schema, names: readonly string[]): Field[] {
  if (names.length === schema.fields.length) {
    throw new SchemaMismatch(path, names.join(', '), 'a table needs a column that is no partition column');
  }
  return names.map((name) => {
    const field = schema.fields.find((candidate) => candidate.name === name);
    if (!field) throw new SchemaMismatch(path, name, 'it is to part the files, but there is no such column');
    if (partitionTypes.has(field.type)) return field;
    throw new SchemaMismatch(
      path,
      name,
      `${sqlType(field.type)} cannot part files; texts, integers, booleans and dates can`,
    );
  });
}

export async function alreadyDone(table: DeltaTable, options: WriteOptions): Promise<QueryWritten | undefined> {
  const latest = options.txn && (await table.latest());
  if (!latest || !isDone(latest, options.txn)) return undefined;
  return { version: latest.version, status: 'already-committed', rows: 0 };
}

export function withRows(written: Written, data: DataFiles): QueryWritten {
  const rows = data.files.reduce((sum, file) => sum + file.rows, 0);
  return { ...written, rows: written.status === 'committed' ? rows : 0 };
}
