import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBArrayValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { Json } from './json.ts';

/**
 * One DuckDB value as plain JSON. Integers and decimals become numbers (an integer beyond ±2^53 is refused, never
 * rounded), dates `2026-02-01`, timestamps `2026-02-01T03:04:05.000Z` to the millisecond, blobs base64; NaN and
 * infinities, which JSON lacks, become null; intervals, times and UUIDs their usual text.
 */
export function plainValue(value: DuckDBValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return safeInteger(value);
  if (value instanceof DuckDBDecimalValue) return Number(value.toString());
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return iso(value.micros, 1000n);
  if (value instanceof DuckDBTimestampMillisecondsValue) return iso(value.millis, 1n);
  if (value instanceof DuckDBTimestampNanosecondsValue) return iso(value.nanos, 1_000_000n);
  if (value instanceof DuckDBTimestampSecondsValue) return iso(value.seconds * 1000n, 1n);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(plainValue);
  if (value instanceof DuckDBStructValue) return plainRecord(Object.entries(value.entries));
  if (value instanceof DuckDBMapValue) {
    return plainRecord(value.entries.map((entry) => [entry.key?.toString() ?? 'null', entry.value]));
  }
  return value.toString();
}

function plainRecord(entries: [string, DuckDBValue][]): Json {
  return Object.fromEntries(entries.map(([key, item]) => [key, plainValue(item)]));
}

function safeInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new RangeError('An integer beyond ±2^53 does not fit a JSON number: cast the column to VARCHAR in the SQL.');
  }
  return number;
}

/** `ticks` since 1970, `perMillisecond` of them in a millisecond; infinities of either sign become null. */
function iso(ticks: bigint, perMillisecond: bigint): Json {
  const milliseconds = Number(floorDivide(ticks, perMillisecond));
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : null;
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && dividend % divisor !== 0n ? quotient - 1n : quotient;
}
