import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DOUBLE,
  DuckDBBlobValue,
  DuckDBDataChunk,
  DuckDBTypeId as Id,
  FLOAT,
  INTEGER,
  SMALLINT,
  TIMESTAMP,
  TIMESTAMPTZ,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  TIMESTAMP_S,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
  type DuckDBAppender,
  type DuckDBResult,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
} from '@duckdb/node-api';
import * as arrow from 'apache-arrow';
import { quoteName } from './quote.ts';

/*
 * How columns cross between DuckDB and Arrow. Fixed-width values have the same bytes on both sides and are copied whole;
 * validity is one bit per row, least significant bit first, 1 = present, on both sides.
 *
 *   DuckDB                      Arrow                       in between
 *   TINYINT … UBIGINT           Int8 … Uint64               the same bytes
 *   FLOAT, DOUBLE               Float32, Float64            the same bytes
 *   DATE                        Date32                      days since 1970
 *   TIMESTAMP[_S|_MS|_NS]       Timestamp of that unit      ticks since 1970; TIMESTAMPTZ is Timestamp(us, UTC)
 *   BOOLEAN                     Bool                        a byte → a bit
 *   VARCHAR, ENUM, UUID         Utf8                        UTF-8 bytes; an Arrow dictionary enters as VARCHAR
 *   BLOB                        Binary                      bytes
 *   DECIMAL                     Float64                     nearest double (SQL literals such as 0.5 are DECIMAL)
 *   HUGEINT (sums of integers)  Int64                       refused beyond 64 bits
 * Nested and other types are refused by name.
 */

type Items =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;
type ItemsConstructor = new (length: number) => Items;
type FixedWidth = { duckdb: DuckDBType; arrow: arrow.DataType; items: ItemsConstructor };

const fixedWidths: readonly FixedWidth[] = [
  { duckdb: TINYINT, arrow: new arrow.Int8(), items: Int8Array },
  { duckdb: SMALLINT, arrow: new arrow.Int16(), items: Int16Array },
  { duckdb: INTEGER, arrow: new arrow.Int32(), items: Int32Array },
  { duckdb: BIGINT, arrow: new arrow.Int64(), items: BigInt64Array },
  { duckdb: UTINYINT, arrow: new arrow.Uint8(), items: Uint8Array },
  { duckdb: USMALLINT, arrow: new arrow.Uint16(), items: Uint16Array },
  { duckdb: UINTEGER, arrow: new arrow.Uint32(), items: Uint32Array },
  { duckdb: UBIGINT, arrow: new arrow.Uint64(), items: BigUint64Array },
  { duckdb: FLOAT, arrow: new arrow.Float32(), items: Float32Array },
  { duckdb: DOUBLE, arrow: new arrow.Float64(), items: Float64Array },
  { duckdb: DATE, arrow: new arrow.DateDay(), items: Int32Array },
  { duckdb: TIMESTAMP_S, arrow: new arrow.TimestampSecond(), items: BigInt64Array },
  { duckdb: TIMESTAMP_MS, arrow: new arrow.TimestampMillisecond(), items: BigInt64Array },
  { duckdb: TIMESTAMP, arrow: new arrow.TimestampMicrosecond(), items: BigInt64Array },
  { duckdb: TIMESTAMP_NS, arrow: new arrow.TimestampNanosecond(), items: BigInt64Array },
  { duckdb: TIMESTAMPTZ, arrow: new arrow.TimestampMicrosecond('UTC'), items: BigInt64Array },
];

/** The whole result as an Arrow table of one record batch, so that a column's `toArray()` copies nothing. */
export async function tableFromResult(result: DuckDBResult): Promise<arrow.Table> {
  const names = result.deduplicatedColumnNames();
  const columns = result.columnTypes().map((type, c) => columnFor(type, names[c]));
  let rows = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const [c, column] of columns.entries()) column.add(chunk.getColumnVector(c), rows, chunk.rowCount);
    rows += chunk.rowCount;
  }

  const children = columns.map((column) => column.finish(rows));
  const fields = names.map((name, c) => new arrow.Field(name, children[c].type, true));
  const schema = new arrow.Schema(fields);
  const batch = arrow.makeData({ type: new arrow.Struct(fields), length: rows, nullCount: 0, children });
  return new arrow.Table(schema, new arrow.RecordBatch(schema, batch));
}

/** The column list of a CREATE TABLE that takes such an Arrow table. */
export function tableDefinition(schema: arrow.Schema): string {
  return schema.fields.map((field) => `${quoteName(field.name)} ${duckdbType(field).toString()}`).join(', ');
}

/** Appends every row, in data chunks of at most 2,048 rows; the target's columns stand in the table's order. */
export function appendTable(appender: DuckDBAppender, table: arrow.Table): void {
  const types = table.schema.fields.map(duckdbType);
  for (const batch of table.batches) {
    for (let start = 0; start < batch.numRows; start += chunkRows) {
      const rows = Math.min(chunkRows, batch.numRows - start);
      const chunk = DuckDBDataChunk.create(types, rows);
      for (const [c, data] of batch.data.children.entries()) {
        fill(chunk.getColumnVector(c), data, start, rows);
      }
      appender.appendDataChunk(chunk);
    }
  }
}

/** DuckDB's vector size: the most that a data chunk holds. */
const chunkRows = 2048;

// --- out of DuckDB

/** Grows one Arrow column, chunk by chunk; `start` is the row at which the chunk begins. */
interface Column {
  add(vector: DuckDBVector, start: number, rows: number): void;
  finish(rows: number): arrow.Data;
}

function columnFor(type: DuckDBType, name: string): Column {
  const fixed = fixedWidths.find((row) => row.duckdb.typeId === type.typeId);
  if (fixed) return new ValuesColumn(fixed.arrow, fixed.items);
  switch (type.typeId) {
    case Id.BOOLEAN:
    case Id.SQLNULL:
      return new ValuesColumn(new arrow.Bool(), Uint8Array, (vector, row) => (vector.getItem(row) === true ? 1 : 0));
    case Id.DECIMAL:
      return new ValuesColumn(new arrow.Float64(), Float64Array, (vector, row) =>
        Number(vector.getItem(row)?.toString()),
      );
    case Id.HUGEINT:
      return new ValuesColumn(new arrow.Int64(), BigInt64Array, (vector, row) => int64(vector.getItem(row), name));
    case Id.VARCHAR:
    case Id.ENUM:
    case Id.UUID:
      return new BytesColumn(new arrow.Utf8());
    case Id.BLOB:
      return new BytesColumn(new arrow.Binary());
    default:
      throw new TypeError(
        `Column ${quoteName(name)} is of type ${type.toString()}, which has no Arrow column here: cast it in SQL.`,
      );
  }
}

/** Values of one width; without `read` the bytes are copied whole. */
class ValuesColumn implements Column {
  readonly #type: arrow.DataType;
  readonly #items: ItemsConstructor;
  readonly #read: ReadValue | undefined;
  readonly #validity = new Validity();
  #values: Items;

  constructor(type: arrow.DataType, items: ItemsConstructor, read?: ReadValue) {
    this.#type = type;
    this.#items = items;
    this.#read = read;
    this.#values = new items(chunkRows);
  }

  add(vector: DuckDBVector, start: number, rows: number): void {
    if (start + rows > this.#values.length) {
      const grown = new this.#items(Math.max(start + rows, this.#values.length * 2)) as Float64Array;
      grown.set(this.#values as Float64Array);
      this.#values = grown;
    }
    if (this.#read === undefined) (this.#values as Float64Array).set(itemsOf(vector), start);
    else for (let i = 0; i < rows; i++) this.#values[start + i] = this.#read(vector, i);
    this.#validity.add(vector, start, rows);
  }

  finish(rows: number): arrow.Data {
    const values = this.#values.subarray(0, rows);
    const data = arrow.DataType.isBool(this.#type) ? packBits(values as Uint8Array) : values;
    return arrow.makeData({ type: this.#type, length: rows, data, ...this.#validity.finish(rows) } as never);
  }
}

type ReadValue = (vector: DuckDBVector, row: number) => number | bigint;

class BytesColumn implements Column {
  readonly #type: arrow.DataType;
  readonly #validity = new Validity();
  #bytes = new Uint8Array(16 * chunkRows);
  #offsets = new Int32Array(chunkRows + 1);

  constructor(type: arrow.Utf8 | arrow.Binary) {
    this.#type = type;
  }

  add(vector: DuckDBVector, start: number, rows: number): void {
    if (start + rows >= this.#offsets.length) {
      const grown = new Int32Array(Math.max(start + rows + 1, this.#offsets.length * 2));
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    let end = this.#offsets[start];
    for (let i = 0; i < rows; i++) {
      const value = vector.getItem(i);
      if (value instanceof DuckDBBlobValue) {
        this.#reach(end + value.bytes.length, end);
        this.#bytes.set(value.bytes, end);
        end += value.bytes.length;
      } else if (value !== null) {
        const text = value.toString();
        // no character of a text takes more than three bytes
        this.#reach(end + 3 * text.length, end);
        end += encoder.encodeInto(text, this.#bytes.subarray(end)).written;
      }
      this.#offsets[start + i + 1] = end;
    }
    this.#validity.add(vector, start, rows);
  }

  #reach(length: number, used: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, used));
    this.#bytes = grown;
  }

  finish(rows: number): arrow.Data {
    const valueOffsets = this.#offsets.subarray(0, rows + 1);
    const data = this.#bytes.subarray(0, valueOffsets[rows]);
    return arrow.makeData({
      type: this.#type,
      length: rows,
      valueOffsets,
      data,
      ...this.#validity.finish(rows),
    } as never);
  }
}

/** An Arrow validity bitmap that comes into being with the first null. */
class Validity {
  #bits = new Uint8Array(0);
  #nulls = 0;

  add(vector: DuckDBVector, start: number, rows: number): void {
    const present = validityOf(vector);
    if (present === null) return;
    for (let i = 0; i < rows; i++) {
      if ((present[i >> 3] >> (i & 7)) & 1) continue;
      const row = start + i;
      this.#reach(row + 1);
      this.#bits[row >> 3] &= ~(1 << (row & 7));
      this.#nulls++;
    }
  }

  finish(rows: number): { nullCount: number; nullBitmap?: Uint8Array } {
    if (this.#nulls === 0) return { nullCount: 0 };
    this.#reach(rows);
    return { nullCount: this.#nulls, nullBitmap: this.#bits.subarray(0, (rows + 7) >> 3) };
  }

  /** Rows that nobody has marked are present. */
  #reach(rows: number): void {
    const bytes = (rows + 7) >> 3;
    if (bytes <= this.#bits.length) return;
    const grown = new Uint8Array(Math.max(bytes, this.#bits.length * 2)).fill(0xff);
    grown.set(this.#bits);
    this.#bits = grown;
  }
}

const encoder = new TextEncoder();

function int64(value: unknown, name: string): bigint {
  const integer = (value ?? 0n) as bigint;
  if (BigInt.asIntN(64, integer) !== integer) {
    throw new RangeError(`Column ${quoteName(name)} holds an integer beyond 64 bits: cast it to DOUBLE in SQL.`);
  }
  return integer;
}

function packBits(values: Uint8Array): Uint8Array {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) bits[i >> 3] |= values[i] << (i & 7);
  return bits;
}

/** The values of a fixed-width vector, nulls unmarked; the bindings' vector classes share the field, not an interface. */
function itemsOf(vector: DuckDBVector): Float64Array {
  return (vector as unknown as { items: Float64Array }).items;
}

/**
 * One bit per row, or null when all are present. The bindings' own `itemValid` makes two big integers per call, which
 * costs more than all the rest together, so this reads the words behind it (the version is pinned, a test would tell).
 */
function validityOf(vector: DuckDBVector): Uint8Array | null {
  const words = (vector as unknown as { validity: { data: BigUint64Array | null } }).validity.data;
  return words && new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

// --- into DuckDB

function duckdbType(field: arrow.Field): DuckDBType {
  const type = arrow.DataType.isDictionary(field.type) ? field.type.dictionary : field.type;
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isLargeUtf8(type)) return VARCHAR;
  if (arrow.DataType.isBinary(type)) return BLOB;
  if (arrow.DataType.isBool(type)) return BOOLEAN;
  if (arrow.DataType.isTimestamp(type) && type.timezone) return TIMESTAMPTZ;
  const fixed = fixedWidths.find((row) => nameOf(row.arrow) === nameOf(type));
  if (fixed) return fixed.duckdb;
  throw new TypeError(
    `Arrow column ${quoteName(field.name)} is of type ${nameOf(type)}, which the SQL engine does not take in.`,
  );
}

/** `Int32`, `Timestamp<MICROSECOND>` …; a type read from an Arrow file is of a more general class than the one written. */
function nameOf(type: arrow.DataType): string {
  return (type as { toString(): string }).toString();
}

/** Copies rows `start` … `start + rows` of an Arrow column into a fresh vector of that many rows. */
function fill(vector: DuckDBVector, column: arrow.Data, start: number, rows: number): void {
  const read = readerOf(column);
  if (read) {
    for (let i = 0; i < rows; i++) vector.setItem(i, column.getValid(start + i) ? read(start + i) : null);
  } else {
    itemsOf(vector).set((column.values as Float64Array).subarray(start, start + rows));
    for (let i = 0; i < rows && column.nullCount > 0; i++) if (!column.getValid(start + i)) vector.setItem(i, null);
  }
  vector.flush();
}

/** How to read one value of a column that is not copied whole. */
function readerOf(column: arrow.Data): ((row: number) => DuckDBValue) | undefined {
  const { type, valueOffsets, values } = column as arrow.Data<arrow.Utf8>;
  if (arrow.DataType.isUtf8(type))
    return (row) => decoder.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1]));
  const vector = new arrow.Vector([column]);
  if (arrow.DataType.isBinary(type)) return (row) => new DuckDBBlobValue(vector.get(row) as Uint8Array);
  if (arrow.DataType.isBool(type) || arrow.DataType.isDictionary(type) || arrow.DataType.isLargeUtf8(type)) {
    return (row) => vector.get(row) as DuckDBValue;
  }
  return undefined;
}

/** Arrow's own decoder drops a byte-order mark at the beginning of each text. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
