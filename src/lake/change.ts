import { quoteName } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { Add } from './actions.ts';
import type { DataFile, DataFiles } from './data-files.ts';
import { SchemaMismatch, TableNotFound, UnfitKeys } from './errors.ts';
import { checkNamesDiffer, fitColumns } from './fit.ts';
import { mount } from './mount.ts';
import { planAppend, planRewrite, type Rewrite, type WriteOptions } from './plans.ts';
import { checkRemovable } from './protocol.ts';
import { lineTypes, pruned, type Filter, type Scalar } from './prune.ts';
import { decimalDigits, type Field, type Schema } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import type { DeltaTable } from './table.ts';
import {
  alreadyDone,
  describeQuery,
  storeQuery,
  storeRows,
  withRows,
  type AppendQueryOptions,
  type QueryWritten,
} from './write.ts';

/** A change by key: `rows` is how many rows went in, `matchedRows` how many of the table's rows they replaced, or were deleted. */
export type Changed = QueryWritten & { matchedRows: number };

export type DeleteOptions = Pick<WriteOptions, 'txn' | 'details' | 'unchangedSince'> & {
  /** Rows of a person who is erased, which go from records (`recordProperties`) too. @default false */
  isErasure?: boolean;
};

export type MergeOptions = AppendQueryOptions & {
  /** The columns that tell which rows are about the same. */
  key: readonly string[];
};

/**
 * Deletes the rows whose values in the query's columns are those of one of its rows: `SELECT 'c-17' AS customer_id`. Only
 * files that hold such rows are written anew, without them; the old ones stay for older versions until a vacuum takes them.
 * A file is opened only where its statistics leave it possible. Throws `TableNotFound`, `SchemaMismatch`, `UnfitKeys`,
 * `UnsupportedTable` for an append-only table or a record, and as `DeltaTable.commit` does.
 */
export async function deleteRows(
  table: DeltaTable,
  sql: SqlEngine,
  keys: string,
  options: DeleteOptions = {},
): Promise<Changed> {
  const done = await alreadyDone(table, options);
  if (done) return { ...done, matchedRows: 0 };
  const { schema, metadata } = await table.snapshot();
  const key = (await describeQuery(sql, keys)).map((column) => column.name);
  const data: DataFiles = { schema, partitionColumns: metadata.partitionColumns, files: [] };
  return withStaged(table, sql, keys, async (rows) =>
    withKeys(table, sql, schema, { rows, key }, async (staged) => change(table, sql, 'DELETE', staged, data, options)),
  );
}

/**
 * Brings the query's rows into the table, each in place of the rows with the same key. The table is made where it does not
 * exist. A key must occur once in the query and have no null. Files are rewritten and pruned as by `deleteRows`; columns are
 * matched as by `appendQuery`. Throws as both do.
 */
export async function mergeQuery(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  options: MergeOptions,
): Promise<Changed> {
  const done = await alreadyDone(table, options);
  if (done) return { ...done, matchedRows: 0 };
  const { key } = options;
  return withStaged(table, sql, query, async (rows) => {
    const data = await storeQuery(table, sql, `FROM ${rows}`, options);
    return withKeys(table, sql, data.schema, { rows, key, unique: true }, async (staged) =>
      change(table, sql, 'MERGE', staged, data, options),
    );
  });
}

/** The keys of one change: a table of them in the engine, and what they tell of the files that can hold them. */
type Keys = { name: string; fields: readonly Field[]; filters: readonly Filter[] };

async function change(
  table: DeltaTable,
  sql: SqlEngine,
  operation: Rewrite['operation'],
  keys: Keys,
  data: DataFiles,
  options: WriteOptions & Pick<DeleteOptions, 'isErasure'>,
): Promise<Changed> {
  const key = keys.fields.map((field) => field.name);
  // a file never changes under its name, so another attempt examines only what came in between
  const examined = new Map<string, Examined>();
  let matchedRows = 0;
  const written = await table.commit(async (latest, writer) => {
    if (!latest && operation === 'MERGE') return planAppend(writer, latest, data, options);
    if (!latest) throw new TableNotFound(table.at.path);
    checkRemovable(table.at.path, latest.metadata, options.isErasure);
    checkKeysFit(latest, keys.fields);
    const removed: Add[] = [];
    const survivors: DataFile[] = [];
    matchedRows = 0;
    for (const add of pruned(latest, keys.filters).files.values()) {
      const found = examined.get(add.path) ?? (await examine(table, sql, latest, add, keys));
      examined.set(add.path, found);
      if (found.matchedRows === 0) continue;
      matchedRows += found.matchedRows;
      removed.push(add);
      if (found.survivor) survivors.push(found.survivor);
    }
    return planRewrite(writer, latest, data, { operation, key, removed, survivors, matchedRows }, options);
  }, options);
  return { ...withRows(written, data), matchedRows: written.status === 'committed' ? matchedRows : 0 };
}

type Examined = { matchedRows: number; survivor?: DataFile };

/** How many rows of the file have one of the keys and, if any, a file of the others. */
async function examine(
  table: DeltaTable,
  sql: SqlEngine,
  snapshot: Snapshot,
  add: Add,
  { name, fields }: Keys,
): Promise<Examined> {
  const view = `file of ${table.at.path} ${table.context.ids.next()}`;
  const mounted = await mount(sql, { ...snapshot, files: new Map([[add.path, add]]) }, view);
  try {
    const byKey = `JOIN ${name} USING (${fields.map((field) => quoteName(field.name)).join(', ')})`;
    const [{ matched }] = await sql.rows(`SELECT count(*) AS matched FROM ${quoteName(view)} SEMI ${byKey}`);
    if (matched === 0) return { matchedRows: 0 };
    const inside = snapshot.schema.fields.filter((field) => !snapshot.metadata.partitionColumns.includes(field.name));
    const columns = inside.map((field) => quoteName(field.name)).join(', ');
    const others = `SELECT ${columns} FROM ${quoteName(view)} ANTI ${byKey}`;
    const survivor = await storeRows(table, sql, others, snapshot.schema, add.partitionValues);
    return { matchedRows: Number(matched), survivor };
  } finally {
    await mounted.release();
  }
}

/** Another writer may have replaced the columns since the keys were brought to their types. */
function checkKeysFit({ at, schema }: Snapshot, fields: readonly Field[]): void {
  for (const { name, type } of fields) {
    const own = schema.fields.find((field) => field.name === name);
    if (JSON.stringify(own?.type) !== JSON.stringify(type)) {
      throw new SchemaMismatch(at.path, name, 'the table has changed this column meanwhile');
    }
  }
}

/** The query's rows as a temporary table, so that it is run once whatever it gives. `work` gets the table's quoted name. */
async function withStaged<T>(
  table: DeltaTable,
  sql: SqlEngine,
  query: string,
  work: (rows: string) => Promise<T>,
): Promise<T> {
  checkNamesDiffer(table.at.path, await describeQuery(sql, query));
  const rows = quoteName(`staged for ${table.at.path} ${table.context.ids.next()}`);
  await sql.run(`CREATE TEMP TABLE ${rows} AS ${query}`);
  try {
    return await work(rows);
  } finally {
    await sql.run(`DROP TABLE ${rows}`);
  }
}

/** The keys among the rows, in the table's types and each once. Throws `SchemaMismatch`, and `UnfitKeys` for what is no key. */
async function withKeys<T>(
  table: DeltaTable,
  sql: SqlEngine,
  schema: Schema,
  { rows, key, unique = false }: { rows: string; key: readonly string[]; unique?: boolean },
  work: (keys: Keys) => Promise<T>,
): Promise<T> {
  const { path } = table.at;
  if (key.length === 0) throw new UnfitKeys(path, key, 'no column is named');
  const fields = key.map((name) => {
    const field = schema.fields.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (!field) throw new SchemaMismatch(path, name, 'it is to be a key, and the table has no such column');
    return field;
  });
  const given = await describeQuery(sql, `FROM ${rows}`);
  const names = new Set(key.map((name) => name.toLowerCase()));
  const columns = given.filter((column) => names.has(column.name.toLowerCase()));
  const fitted = `SELECT ${fitColumns(path, { type: 'struct', fields }, columns).join(', ')} FROM ${rows}`;
  return withStaged(table, sql, `SELECT DISTINCT * FROM (${fitted})`, async (name) => {
    const missing = fields.map((field) => `${quoteName(field.name)} IS NULL`).join(' OR ');
    const [counts] = await sql.rows(
      `SELECT (SELECT count(*) FROM ${rows}) AS all_rows, count(*) AS keys, count(*) FILTER (${missing}) AS nulls FROM ${name}`,
    );
    if (Number(counts['nulls']) > 0) throw new UnfitKeys(path, key, 'a key has a null, which no row can equal');
    if (unique && counts['all_rows'] !== counts['keys']) {
      const repeated = Number(counts['all_rows']) - Number(counts['keys']);
      throw new UnfitKeys(
        path,
        key,
        `${repeated} of ${counts['all_rows'] as number} rows repeat the key of another one`,
      );
    }
    const latest = await table.latest();
    const filters = await filtersFor(sql, name, fields, latest?.metadata.partitionColumns ?? []);
    return work({ name, fields, filters });
  });
}

/** What the keys' values tell of the files to look into: the ends of each column, and which partitions. */
async function filtersFor(
  sql: SqlEngine,
  name: string,
  fields: readonly Field[],
  partitionColumns: readonly string[],
): Promise<Filter[]> {
  const filters: Filter[] = [];
  for (const { name: column, type } of fields) {
    if (typeof type !== 'string' || type === 'binary') continue;
    // a number is rounded in the same direction here and in the comparison with the files, so none is missed
    const isNumber = lineTypes.has(type) || decimalDigits(type) !== undefined;
    const value = isNumber ? `CAST(${quoteName(column)} AS DOUBLE)` : quoteName(column);
    if (partitionColumns.includes(column)) {
      const values = await sql.rows(`SELECT DISTINCT ${value} AS value FROM ${name}`);
      filters.push({ column, in: values.map((row) => row['value'] as Scalar) });
    } else {
      const [{ low, high }] = await sql.rows(`SELECT min(${value}) AS low, max(${value}) AS high FROM ${name}`);
      filters.push({ column, from: (low as Scalar | null) ?? undefined, to: (high as Scalar | null) ?? undefined });
    }
  }
  return filters;
}
