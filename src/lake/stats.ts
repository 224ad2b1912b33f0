import type { Json } from '../data/json.ts';
import type { ParquetFile } from '../data/sql.ts';
import { decimalDigits, type DeltaType, type Field, type Schema } from './schema.ts';

/**
 * A file's statistics as the log keeps them (PROTOCOL.md, "Per-file Statistics"): how many rows, per column how many nulls,
 * and the least and greatest value of numbers, dates and timestamps. Not of texts: a name or a quarantined line would stand
 * in the log, out of the reach of erasure and vacuum. Not of what a JSON number cannot hold to the digit either.
 */
export function fileStats(file: ParquetFile, schema: Schema): string {
  const { min, max, nullCount } = file.stats;
  const primitive = schema.fields.filter(({ name, type }) => typeof type === 'string' && name in nullCount);
  const ordered = primitive.filter(({ name, type }) => hasExtremes(type) && isKept(min[name]) && isKept(max[name]));
  return JSON.stringify({
    numRecords: file.rows,
    minValues: pick(ordered, ({ name, type }) => statValue(min[name], type)),
    maxValues: pick(ordered, ({ name, type }) => statValue(max[name], type)),
    nullCount: pick(primitive, ({ name }) => nullCount[name]),
  });
}

const orderedTypes = new Set<DeltaType>([
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamp_ntz',
]);

function hasExtremes(type: DeltaType): boolean {
  const decimal = decimalDigits(type);
  return decimal ? decimal.precision <= 15 : orderedTypes.has(type);
}

function isKept(value: Json | undefined): boolean {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
}

/** A wall clock's reading has no zone: `2026-02-01T03:04:05.000`. */
function statValue(value: Json, type: DeltaType): Json {
  return type === 'timestamp_ntz' && typeof value === 'string' ? value.replace(/Z$/, '') : value;
}

function pick<T>(fields: readonly Field[], value: (field: Field) => T): { [name: string]: T } {
  return Object.fromEntries(fields.map((field) => [field.name, value(field)]));
}
