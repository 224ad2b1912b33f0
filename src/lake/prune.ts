import { quoteName, quoteText } from '../data/quote.ts';
import type { Add } from './actions.ts';
import { decimalDigits, sqlType, type DeltaType } from './schema.ts';
import type { Snapshot } from './snapshot.ts';

/** A value to compare a column with; dates and timestamps as ISO text. */
export type Scalar = string | number | boolean;

/**
 * What rows are wanted, by one column: those with one of the values `in`, or within `from` and `to`, both included. A null
 * is never wanted. As in SQL, NaN is above every number.
 */
export type Filter = { column: string; in: readonly Scalar[] } | { column: string; from?: Scalar; to?: Scalar };

/** The snapshot with those files only that may hold rows which meet all filters, by partition values and statistics. */
export function pruned(snapshot: Snapshot, filters: readonly Filter[]): Snapshot {
  if (filters.length === 0) return snapshot;
  const files = new Map(
    [...snapshot.files].filter(([, add]) => filters.every((filter) => mayHold(snapshot, add, filter))),
  );
  return { ...snapshot, files };
}

/** The SQL condition that a row meets which the filters want. Throws where a filter's column is not the table's. */
export function filterCondition(snapshot: Snapshot, filters: readonly Filter[]): string {
  const conditions = filters.flatMap((filter) => {
    const { name, type } = columnOf(snapshot, filter);
    const literal = (value: Scalar) =>
      `CAST(${quoteText(String(value))} AS ${typeof value === 'number' ? 'DOUBLE' : sqlType(type)})`;
    if ('in' in filter) return [`${quoteName(name)} IN (${['NULL', ...filter.in.map(literal)].join(', ')})`];
    const { from, to } = filter;
    return [
      `${quoteName(name)} IS NOT NULL`,
      ...(from === undefined ? [] : [`${quoteName(name)} >= ${literal(from)}`]),
      ...(to === undefined ? [] : [`${quoteName(name)} <= ${literal(to)}`]),
    ];
  });
  return conditions.length === 0 ? 'true' : conditions.join(' AND ');
}

function columnOf({ schema, at }: Snapshot, { column }: Filter) {
  const field = schema.fields.find(({ name }) => name === column);
  if (!field) throw new RangeError(`Table ${at.path} has no column ${column} to filter by.`);
  return field;
}

function mayHold(snapshot: Snapshot, add: Add, filter: Filter): boolean {
  const { name, type } = columnOf(snapshot, filter);
  if (snapshot.metadata.partitionColumns.includes(name))
    return partitionMayHold(add.partitionValues[name], type, filter);
  const { numRecords, minValues, maxValues, nullCount } = JSON.parse(add.stats ?? '{}') as Statistics;
  if (numRecords !== undefined && nullCount?.[name] === numRecords) return false;
  const [min, max] = [placeOf(minValues?.[name], type), placeOf(maxValues?.[name], type)];
  return wantsWithin(filter, type, min ?? -Infinity, max ?? Infinity);
}

/** The parts of a file's statistics that are made use of; their writers may leave out any. */
type Statistics = {
  numRecords?: number;
  minValues?: { [column: string]: unknown };
  maxValues?: { [column: string]: unknown };
  nullCount?: { [column: string]: number };
};

function partitionMayHold(value: string | null | undefined, type: DeltaType, filter: Filter): boolean {
  if (value === null || value === undefined || value === '') return false;
  if ('in' in filter && (type === 'string' || type === 'boolean')) return filter.in.map(String).includes(value);
  const place = placeOf(type === 'date' ? value : Number(value), type);
  return place === undefined || wantsWithin(filter, type, place, place);
}

/** Whether the filter wants any value between the two. What has no place on the line may be anywhere. */
function wantsWithin(filter: Filter, type: DeltaType, lowest: number, highest: number): boolean {
  if ('in' in filter) {
    return filter.in.some((value) => {
      const place = placeOf(value, type);
      return place === undefined || (place >= lowest && place <= highest);
    });
  }
  const from = placeOf(filter.from, type) ?? -Infinity;
  const to = placeOf(filter.to, type) ?? Infinity;
  // statistics may pass over NaN, which only an upper limit keeps out
  const mayBeNan = type === 'double' && filter.to === undefined;
  return to >= lowest && (from <= highest || mayBeNan);
}

/**
 * A value as a place on a line, in the order of its column's type; undefined for types without one here and for values that
 * are none. Rounding to a double and cutting a time to the millisecond below it, as writers of statistics do too, both keep
 * the order: what is compared coarsely is never taken for being outside.
 */
function placeOf(value: unknown, type: DeltaType): number | undefined {
  const place =
    typeof value === 'number' ? numberPlace(value, type) : typeof value === 'string' ? timePlace(value, type) : NaN;
  return Number.isFinite(place) ? place : undefined;
}

/** The types whose values are places as they are; decimals are besides. */
export const lineTypes = new Set<DeltaType>(['byte', 'short', 'integer', 'long', 'double']);

function numberPlace(value: number, type: DeltaType): number {
  return lineTypes.has(type) || decimalDigits(type) ? value : NaN;
}

function timePlace(value: string, type: DeltaType): number {
  if (type === 'date' && /^\d{4}-\d\d-\d\d$/.test(value)) return Date.parse(`${value}T00:00:00Z`);
  const isTime = type === 'timestamp' || type === 'timestamp_ntz';
  const isInstant = isTime && /^\d{4}-\d\d-\d\dT[\d:.]+Z?$/.test(value);
  return isInstant ? Date.parse(value.replace(/Z?$/, 'Z')) : NaN;
}
