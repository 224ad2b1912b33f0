import { type Data, DataType, type Vector } from 'apache-arrow';
import type { Cell } from '../../ml/encoders/columns.ts';

/**
 * An Arrow column as plain cells: numbers become a typed array with NaN for null, all others keep their nulls. Whole columns are read
 * from the bytes behind them: to ask for each value alone takes ten times as long.
 */
export function arrowCells(vector: Vector): ArrayLike<Cell> {
  const { type } = vector;
  if (DataType.isInt(type) || DataType.isFloat(type)) return numbersOf(vector);
  if (DataType.isTimestamp(type) || DataType.isDate(type)) {
    return Float64Array.from({ length: vector.length }, (_, row) => (vector.get(row) as number | null) ?? NaN);
  }
  const add = DataType.isUtf8(type) ? addTexts : DataType.isBool(type) ? addTruths : undefined;
  const cells: Cell[] = [];
  if (add) for (const data of vector.data) add(data, cells);
  else for (let row = 0; row < vector.length; row++) cells.push(vector.get(row) as Cell);
  return cells;
}

function numbersOf(vector: Vector): Float64Array {
  const numbers = new Float64Array(vector.length);
  let at = 0;
  for (const data of vector.data) {
    const values = data.values as Float64Array | BigInt64Array | BigUint64Array;
    const own = numbers.subarray(at, at + data.length);
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) setWhole(values, own);
    else own.set(values.subarray(0, data.length));
    if (data.nullCount > 0) for (let i = 0; i < data.length; i++) if (!data.getValid(i)) own[i] = NaN;
    at += data.length;
  }
  return numbers;
}

/** From the two halves of each integer, which are exact: rounded once, as `Number` rounds, and without a big integer for each. */
function setWhole(values: BigInt64Array | BigUint64Array, numbers: Float64Array): void {
  const low = new Uint32Array(values.buffer, values.byteOffset, 2 * numbers.length);
  const high = values instanceof BigInt64Array ? new Int32Array(low.buffer, low.byteOffset, low.length) : low;
  for (let i = 0; i < numbers.length; i++) numbers[i] = high[2 * i + 1] * 2 ** 32 + low[2 * i];
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function addTexts(data: Data, cells: Cell[]): void {
  const { valueOffsets, values, length, nullCount } = data as Data & { valueOffsets: Int32Array; values: Uint8Array };
  const start = valueOffsets[0];
  const bytes = values.subarray(start, valueOffsets[length]);
  // where a character is a byte, the texts are parts of one
  const all = decoder.decode(bytes);
  const isPlain = all.length === bytes.length;
  for (let i = 0; i < length; i++) {
    if (nullCount > 0 && !data.getValid(i)) cells.push(null);
    else if (isPlain) cells.push(all.slice(valueOffsets[i] - start, valueOffsets[i + 1] - start));
    else cells.push(decoder.decode(values.subarray(valueOffsets[i], valueOffsets[i + 1])));
  }
}

function addTruths(data: Data, cells: Cell[]): void {
  const bits = data.values as Uint8Array;
  for (let i = 0, bit = data.offset; i < data.length; i++, bit++) {
    cells.push(data.nullCount > 0 && !data.getValid(i) ? null : ((bits[bit >> 3] >> (bit & 7)) & 1) === 1);
  }
}
