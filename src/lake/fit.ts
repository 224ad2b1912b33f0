import { quoteName } from '../data/quote.ts';
import { SchemaMismatch } from './errors.ts';
import { decimalDigits, sqlType, type DeltaType, type Schema } from './schema.ts';
import { deltaTypeOf } from './sql-types.ts';

/** A query's column: its name and its SQL type, as DESCRIBE prints them. */
export type SqlColumn = { name: string; type: string };

/**
 * The schema of a table made from a query's columns. Throws `SchemaMismatch` for a type that Delta lacks, a name that Delta
 * readers cannot take, and names that differ in letter case only.
 */
export function schemaOf(path: string, columns: readonly SqlColumn[]): Schema {
  checkNamesDiffer(path, columns);
  const fields = columns.map(({ name, type: sql }) => {
    // the characters that Spark refuses in a Parquet column's name
    if (!/^[^ ,;{}()\n\t=]+$/.test(name)) {
      throw new SchemaMismatch(path, JSON.stringify(name), 'a name may not be empty or have spaces or any of ,;{}()=');
    }
    const type = deltaTypeOf(sql);
    if (type === undefined) throw new SchemaMismatch(path, name, `${sql} is no type of Delta tables; CAST it to one`);
    return { name, type, nullable: true, metadata: {} };
  });
  return { type: 'struct', fields };
}

/**
 * The select list that turns a query with these columns into rows of the table, in the table's order and exactly its types.
 * Only what loses nothing is cast (INTEGER → BIGINT, DECIMAL(8,2) → DECIMAL(10,2), …). Throws `SchemaMismatch`, naming the
 * column, for one that is missing, one that the table does not have, and one of another type.
 */
export function fitColumns(path: string, schema: Schema, columns: readonly SqlColumn[]): string[] {
  checkNamesDiffer(path, columns);
  const known = new Set(schema.fields.map((field) => field.name.toLowerCase()));
  const extra = columns.find((column) => !known.has(column.name.toLowerCase()));
  if (extra) throw new SchemaMismatch(path, extra.name, 'the table has no such column');
  return schema.fields.map(({ name, type }) => {
    const column = columns.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (!column)
      throw new SchemaMismatch(path, name, `it is missing; select CAST(NULL AS ${sqlType(type)}) for no value`);
    const given = deltaTypeOf(column.type);
    if (given === undefined || !widens(given, type)) {
      throw new SchemaMismatch(path, name, `it is ${column.type} where the table has ${sqlType(type)}; CAST it`);
    }
    return `CAST(${quoteName(column.name)} AS ${sqlType(type)}) AS ${quoteName(name)}`;
  });
}

/**
 * The table's columns and, behind them, those that only the `wanted` have; all of these allow null, for the rows of before.
 * Throws `SchemaMismatch` for a name that differs from a column's in letter case only.
 */
export function grownSchema(path: string, schema: Schema, wanted: Schema): Schema {
  const own = new Set(schema.fields.map((field) => field.name));
  const added = wanted.fields.filter((field) => !own.has(field.name)).map((field) => ({ ...field, nullable: true }));
  const fields = [...schema.fields, ...added];
  checkNamesDiffer(path, fields);
  return { type: 'struct', fields };
}

/** DuckDB would tell `a` and `A` apart by renaming one of them in silence. */
export function checkNamesDiffer(path: string, columns: readonly { name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name.toLowerCase())) throw new SchemaMismatch(path, name, 'the name occurs twice, whatever its case');
    seen.add(name.toLowerCase());
  }
}

/** Decimal digits that hold every value of an integer type. */
const integerDigits: { [type: string]: number | undefined } = { byte: 3, short: 5, integer: 10, long: 19 };

/** Whether every value of `from` is a value of `to`. */
function widens(from: DeltaType, to: DeltaType): boolean {
  if (JSON.stringify(from) === JSON.stringify(to)) return true;
  if (typeof from !== 'string' || typeof to !== 'string') return false;
  const digits = integerDigits[from];
  const target = decimalDigits(to);
  if (target) {
    const source = decimalDigits(from) ?? { precision: digits ?? Infinity, scale: 0 };
    return target.scale >= source.scale && target.precision - target.scale >= source.precision - source.scale;
  }
  if (to === 'double' && from === 'float') return true;
  if (digits === undefined) return false;
  // a double holds every integer of 32 bits, a float every one of 16
  if (to === 'double') return digits <= 10;
  if (to === 'float') return digits <= 5;
  return digits <= (integerDigits[to] ?? 0);
}
