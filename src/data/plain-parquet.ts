/**
 * The least of Parquet that hands many columns to DuckDB by the local disk: one row group, one page per column, plain values or numbers of
 * a dictionary's, no compression. A file of it is read four times as fast as its texts in CSV. It is never kept: tables are written by DuckDB.
 *
 *   "PAR1" │ page header, who is present, values │ … one per column … │ footer │ its length │ "PAR1"
 *
 * After apache/parquet-format (parquet.thrift; Thrift's compact protocol). Integers are little-endian, as on all machines we run on.
 */
export type PlainColumn = {
  name: string;
  type: PlainType;
  /** How many rows have a value, and the values, each behind the one before it; bytes of a text follow its length in 32 bits. */
  present: number;
  values: Uint8Array;
  /** Where it is there, up to 256 values, so many `entries`, and `values` are the number of each row's in a byte. */
  dictionary?: { entries: number; values: Uint8Array };
  /** A bit per row, least significant first, 1 where it has a value; not looked at where all have. */
  presence: Uint8Array;
  /** The least and the greatest value, where it has one: a reader leaves out what they rule out. Not of texts. */
  range?: { least: number; greatest: number };
};

export type PlainType =
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  | 'text'
  /** Days since 1970 in 32 bits. */
  | 'date'
  /** Microseconds since 1970 in 64 bits. */
  | 'instant'
  /** An integer, the value's digits without the point: in 32 bits up to 9 digits, else in 64. */
  | { precision: number; scale: number };

/** The file's bytes, in pieces to be written one after the other. */
export function plainParquet(rows: number, columns: readonly PlainColumn[]): Uint8Array[] {
  const pieces: Uint8Array[] = [magic];
  let at = magic.length;
  const chunks = columns.map((column) => {
    const begin = at;
    const add = (piece: Uint8Array): void => {
      pieces.push(piece);
      at += piece.length;
    };
    if (column.dictionary) dictionaryPage(column.dictionary).forEach(add);
    const data = at;
    dataPage(rows, column).forEach(add);
    return { begin, data, size: at - begin };
  });
  const footer = struct({
    1: int32(1),
    2: list(structType, [struct({ 4: text('rows'), 5: int32(columns.length) }), ...columns.map(schemaElement)]),
    3: int64(rows),
    4: list(structType, rows === 0 ? [] : [rowGroup(rows, columns, chunks)]),
  });
  const bytes = Uint8Array.from(footer.bytes);
  pieces.push(bytes, littleEndian(bytes.length), magic);
  return pieces;
}

const magic = new TextEncoder().encode('PAR1');
const uncompressed = 0;
const plain = 0;
const runLength = 3;
const coded = 8;

const physical = { boolean: 0, int32: 1, int64: 2, double: 5, text: 6, date: 1, instant: 2 };

function physicalType(type: PlainType): number {
  return typeof type === 'string' ? physical[type] : type.precision <= 9 ? physical.int32 : physical.int64;
}

function dictionaryPage({ entries, values }: NonNullable<PlainColumn['dictionary']>): Uint8Array[] {
  const page = struct({ 1: int32(entries), 2: int32(plain) });
  const header = struct({ 1: int32(2), 2: int32(values.length), 3: int32(values.length), 7: page });
  return [Uint8Array.from(header.bytes), values];
}

function dataPage(rows: number, column: PlainColumn): Uint8Array[] {
  const { dictionary } = column;
  const levels = definitionLevels(rows, column);
  const values = dictionary ? codes(column.values) : [column.values];
  const size = [levels, ...values].reduce((sum, { length }) => sum + length, 0);
  const encoding = dictionary ? coded : plain;
  const page = struct({ 1: int32(rows), 2: int32(encoding), 3: int32(runLength), 4: int32(runLength) });
  const header = struct({ 1: int32(0), 2: int32(size), 3: int32(size), 5: page });
  return [Uint8Array.from(header.bytes), levels, ...values];
}

/** Numbers of 8 bits, in groups of eight: those are their bytes. */
function codes(values: Uint8Array): Uint8Array[] {
  const groups = (values.length + 7) >> 3;
  return [Uint8Array.from([8, ...unsigned(groups * 2 + 1)]), values, new Uint8Array(groups * 8 - values.length)];
}

/** Who is present, one bit each: as one run where all are, else as they stand. */
function definitionLevels(rows: number, { present, presence }: PlainColumn): Uint8Array {
  const bytes = (rows + 7) >> 3;
  const run = present === rows ? [...unsigned(rows * 2), 1] : unsigned(bytes * 2 + 1);
  const bits = present === rows ? new Uint8Array(0) : presence.subarray(0, bytes);
  return Buffer.concat([littleEndian(run.length + bits.length), Uint8Array.from(run), bits]);
}

function schemaElement({ name, type }: PlainColumn): Thrift {
  const optional = 1;
  const annotation: { [id: number]: Thrift } =
    typeof type === 'object'
      ? { 6: int32(5), 7: int32(type.scale), 8: int32(type.precision) }
      : type === 'text'
        ? { 6: int32(0) }
        : type === 'date'
          ? { 6: int32(6) }
          : type === 'instant'
            ? { 10: struct({ 8: struct({ 1: yes, 2: struct({ 2: struct({}) }) }) }) }
            : {};
  return struct({ 1: int32(physicalType(type)), 3: int32(optional), 4: text(name), ...annotation });
}

function rowGroup(
  rows: number,
  columns: readonly PlainColumn[],
  chunks: readonly { begin: number; data: number; size: number }[],
): Thrift {
  const described = columns.map(({ name, type, present, range, dictionary }, c) => {
    const { begin, data, size } = chunks[c];
    const extremes: { [id: number]: Thrift } = range
      ? { 5: binary(plainValue(type, range.greatest)), 6: binary(plainValue(type, range.least)) }
      : {};
    const behind: { [id: number]: Thrift } = dictionary ? { 11: int64(begin) } : {};
    const metadata = struct({
      1: int32(physicalType(type)),
      2: list(int32Type, [int32(dictionary ? coded : plain), int32(runLength)]),
      3: list(binaryType, [text(name)]),
      4: int32(uncompressed),
      5: int64(rows),
      6: int64(size),
      7: int64(size),
      9: int64(data),
      ...behind,
      12: struct({ 3: int64(rows - present), ...extremes }),
    });
    return struct({ 2: int64(begin), 3: metadata });
  });
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
  return struct({ 1: list(structType, described), 2: int64(size), 3: int64(rows) });
}

/** One value as it would stand in the column. */
function plainValue(type: PlainType, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  const kind = physicalType(type);
  if (kind === physical.double) bytes.setFloat64(0, value, true);
  else if (kind === physical.int64) bytes.setBigInt64(0, BigInt(value), true);
  else return littleEndian(value);
  return new Uint8Array(bytes.buffer);
}

// --- Thrift's compact protocol

type Thrift = { type: number; bytes: number[] };

const int32Type = 5;
const int64Type = 6;
const binaryType = 8;
const listType = 9;
const structType = 12;
const yes: Thrift = { type: 1, bytes: [] };

const int32 = (value: number): Thrift => ({ type: int32Type, bytes: unsigned(value * 2) });
const int64 = (value: number): Thrift => ({ type: int64Type, bytes: unsigned(value * 2) });
const binary = (value: Uint8Array): Thrift => ({ type: binaryType, bytes: [...unsigned(value.length), ...value] });
const text = (value: string): Thrift => binary(new TextEncoder().encode(value));

function list(type: number, items: readonly Thrift[]): Thrift {
  const head = items.length < 15 ? [(items.length << 4) | type] : [0xf0 | type, ...unsigned(items.length)];
  return { type: listType, bytes: [...head, ...items.flatMap(({ bytes }) => bytes)] };
}

/** Fields by their ids, which no two neighbours are more than 15 apart. */
function struct(fields: { [id: number]: Thrift }): Thrift {
  let last = 0;
  const bytes = Object.entries(fields).flatMap(([id, field]) => {
    const head = ((Number(id) - last) << 4) | field.type;
    last = Number(id);
    return [head, ...field.bytes];
  });
  return { type: structType, bytes: [...bytes, 0] };
}

/** Seven bits a byte, the least significant first. */
function unsigned(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
