import type { Column } from '../contract/contract.ts';
import { type FieldReader, NumberReader, TextReader } from '../field-readers.ts';
import { type ParseText, boolean, date, double, instant, scaled } from '../number-texts.ts';
import type { PlainType } from '../plain-parquet.ts';

/**
 * What reads a column of a CSV file into its stored value by bytes, which costs a fraction of SQL's pattern and cast. Undefined where
 * the text is changed before it is read, and for more digits than 64 bits hold. What these readers find odd, SQL judges.
 */
export function readerOf(column: Column, position: number): FieldReader | undefined {
  const { name, type, sqlType, letterCase, values } = column;
  if (letterCase !== undefined || values !== undefined) return undefined;
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(sqlType) ?? [];
  if (precision !== undefined) {
    const digits = { precision: Number(precision), scale: Number(scale) };
    if (digits.precision > mostDigits) return undefined;
    const most = 10 ** digits.precision - 1;
    return new NumberReader(name, position, digits, scaled(digits.scale, -most, most));
  }
  if (type === 'string') return new TextReader(name, position);
  if (type !== 'integer') return new NumberReader(name, position, ...bytewise[type]);
  const bits = integerBits[sqlType];
  const parse = scaled(0, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
  return new NumberReader(name, position, bits === 64 ? 'int64' : 'int32', parse);
}

/** A column of the contract and which field of a record it is; `asText` where its text is needed. */
export type ColumnToRead = { column: Column; position: number; asText: boolean };

/** What reads them, and those as text that no other reader reads. */
export function readersOf(columns: readonly ColumnToRead[]): FieldReader[] {
  return columns.map(({ column, position, asText }) => {
    const reader = asText ? undefined : readerOf(column, position);
    return reader ?? new TextReader(column.name, position);
  });
}

const bytewise: { [type in 'number' | 'boolean' | 'date' | 'timestamp']: [PlainType, ParseText] } = {
  number: ['double', double],
  boolean: ['boolean', boolean],
  date: ['date', date],
  timestamp: ['instant', instant],
};

/** Of a decimal in 64 bits. */
const mostDigits = 18;

const integerBits: { [sqlType: string]: number } = { SMALLINT: 16, INTEGER: 32, BIGINT: 64 };
