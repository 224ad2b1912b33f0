import {
  Field,
  Int32,
  RecordBatch,
  Schema,
  Struct,
  Table,
  Utf8,
  makeData,
  vectorFromArray,
  type Data,
} from 'apache-arrow';
import { arrowTexts } from '../arrow-texts.ts';
import type { Records } from '../records.ts';

/** The well-formed records as texts under the contract's names, with `_line`, `_byte_offset` and `_raw`. */
export function textTable(records: Records, positions: Map<string, number>): Table {
  return tableOf({
    _line: int32(records.lines),
    _byte_offset: records.byteOffsets ? int32(records.byteOffsets) : missing(records.lines.length),
    _raw: arrowTexts(records.raw),
    ...Object.fromEntries([...positions].map(([name, position]) => [name, arrowTexts(records.fields[position])])),
  });
}

/** The malformed records: `_line`, `_byte_offset`, `_raw`, `rule`, `reason`. */
export function malformedTable({ malformed }: Records): Table {
  const texts = (values: string[]): Data => vectorFromArray(values, new Utf8()).data[0];
  return tableOf({
    _line: int32(Int32Array.from(malformed, ({ line }) => line)),
    _byte_offset: int32(Int32Array.from(malformed, ({ byteOffset = -1 }) => byteOffset)),
    _raw: texts(malformed.map(({ raw }) => raw)),
    rule: texts(malformed.map(({ rule }) => rule)),
    reason: texts(malformed.map(({ reason }) => reason)),
  });
}

export function int32(data: Int32Array): Data {
  return makeData({ type: new Int32(), length: data.length, nullCount: 0, data });
}

function missing(length: number): Data {
  const nullBitmap = new Uint8Array((length + 7) >> 3);
  return makeData({ type: new Int32(), length, nullCount: length, nullBitmap, data: new Int32Array(length) });
}

/** Columns of one length as a table of one batch. */
export function tableOf(columns: { [name: string]: Data }): Table {
  const fields = Object.entries(columns).map(([name, { type }]) => new Field(name, type, true));
  const children = Object.values(columns);
  const data = makeData({ type: new Struct(fields), length: children[0].length, nullCount: 0, children });
  const schema = new Schema(fields);
  return new Table(schema, new RecordBatch(schema, data));
}
