import * as z from 'zod';
import type { Json } from '../data/json.ts';
import { quoteName } from '../data/quote.ts';
import { LogDamaged, UnsupportedTable } from './errors.ts';

/** The primitive types of Delta, besides `decimal(precision,scale)`, with their name in SQL. */
const sqlNames = {
  boolean: 'BOOLEAN',
  byte: 'TINYINT',
  short: 'SMALLINT',
  integer: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  string: 'VARCHAR',
  binary: 'BLOB',
  date: 'DATE',
  /** An instant, in microseconds. */
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  /** What a clock on some wall shows, in microseconds. */
  timestamp_ntz: 'TIMESTAMP',
} as const;

export type PrimitiveType = keyof typeof sqlNames | `decimal(${number},${number})`;
export type DeltaType =
  | PrimitiveType
  | { type: 'array'; elementType: DeltaType; containsNull: boolean }
  | { type: 'map'; keyType: DeltaType; valueType: DeltaType; valueContainsNull: boolean }
  | Schema;

export type Field = { name: string; type: DeltaType; nullable: boolean; metadata: { [key: string]: Json } };

/** A table's columns, or a nested column's, as the `schemaString` of the log holds them. */
export type Schema = { type: 'struct'; fields: Field[] };

const typeSchema: z.ZodType<DeltaType> = z.lazy(() =>
  z.union([
    z.custom<PrimitiveType>((value) => typeof value === 'string'),
    z.object({ type: z.literal('array'), elementType: typeSchema, containsNull: z.boolean() }),
    z.object({
      type: z.literal('map'),
      keyType: typeSchema,
      valueType: typeSchema,
      valueContainsNull: z.boolean(),
    }),
    structSchema,
  ]),
);
const structSchema: z.ZodType<Schema> = z.object({
  type: z.literal('struct'),
  fields: z.array(
    z.object({
      name: z.string(),
      type: typeSchema,
      nullable: z.boolean(),
      metadata: z.record(z.string(), z.json()).default({}),
    }),
  ),
});

/** Reads a `schemaString`. Throws `LogDamaged` where it is none, `UnsupportedTable` where it names a type unknown here. */
export function parseSchema(schemaString: string, path: string): Schema {
  let schema: Schema;
  try {
    schema = structSchema.parse(JSON.parse(schemaString));
  } catch (error) {
    throw new LogDamaged(path, 'metaData.schemaString', error instanceof Error ? error.name : 'it is no schema');
  }
  for (const field of schema.fields) {
    const unknown = primitivesIn(field.type).find((type) => !isKnown(type));
    if (unknown) throw new UnsupportedTable(path, `has column ${field.name} of type ${unknown}, unknown here`);
  }
  return schema;
}

/** The type's name in SQL: `STRUCT("a b" INTEGER)[]`. */
export function sqlType(type: DeltaType): string {
  if (typeof type === 'string') return isDecimal(type) ? type.toUpperCase() : sqlNames[type];
  switch (type.type) {
    case 'array':
      return `${sqlType(type.elementType)}[]`;
    case 'map':
      return `MAP(${sqlType(type.keyType)}, ${sqlType(type.valueType)})`;
    default:
      return `STRUCT(${type.fields.map((field) => `${quoteName(field.name)} ${sqlType(field.type)}`).join(', ')})`;
  }
}

/** Whether any column, however deep, has that type. */
export function usesType(schema: Schema, wanted: PrimitiveType): boolean {
  return primitivesIn(schema).includes(wanted);
}

/** Precision and scale of a decimal type, undefined for any other. */
export function decimalDigits(type: DeltaType): { precision: number; scale: number } | undefined {
  const [, precision, scale] = (typeof type === 'string' && /^decimal\((\d+),(\d+)\)$/.exec(type)) || [];
  return precision === undefined ? undefined : { precision: Number(precision), scale: Number(scale) };
}

function primitivesIn(type: DeltaType): PrimitiveType[] {
  if (typeof type === 'string') return [type];
  switch (type.type) {
    case 'array':
      return primitivesIn(type.elementType);
    case 'map':
      return [...primitivesIn(type.keyType), ...primitivesIn(type.valueType)];
    default:
      return type.fields.flatMap((field) => primitivesIn(field.type));
  }
}

function isKnown(type: PrimitiveType): boolean {
  return Object.hasOwn(sqlNames, type) || decimalDigits(type) !== undefined;
}

function isDecimal(type: PrimitiveType): type is `decimal(${number},${number})` {
  return type.startsWith('decimal(');
}
