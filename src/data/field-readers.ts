import type { ParseText } from './number-texts.ts';
import type { PlainColumn, PlainType } from './plain-parquet.ts';
import { quotationMark } from './text-column.ts';

/**
 * Some records of a file, as the places of their fields: that of column `c` in record `r` is `bytes[from … to)` of
 * `at = c * blockStride + r`, without the quotation marks around it.
 */
export type FieldBlock = {
  bytes: Uint8Array;
  records: number;
  from: Int32Array;
  to: Int32Array;
  /** 1 where a field of the record holds quotation marks, each of them doubled. */
  doubled: Uint8Array;
  /** 1 where a field says what its reader does not read. */
  odd: Uint8Array;
  odds: number;
};

export const blockRecords = 512;
/** Not a power of two: the columns of a record would compete for the same places in the processor's cache. */
export const blockStride = blockRecords + 20;

export function newBlock(bytes: Uint8Array, columns: number): FieldBlock {
  const [from, to] = [new Int32Array(columns * blockStride), new Int32Array(columns * blockStride)];
  const [doubled, odd] = [new Uint8Array(blockRecords), new Uint8Array(blockRecords)];
  return { bytes, records: 0, from, to, doubled, odd, odds: 0 };
}

/** Reads one column, block by block: all readers look at a block, then each keeps the records that none found odd. */
export interface FieldReader {
  /** Which field of a record it reads. */
  readonly position: number;
  look(block: FieldBlock): void;
  keep(block: FieldBlock): void;
  /** What was kept since the last time; valid until something is kept again. */
  take(): PlainColumn;
}

/** Which records have a value, in room that is used again. */
class Presence {
  #bits = new Uint8Array(1 << 13).fill(0xff);
  rows = 0;
  missing = 0;

  skip(): void {
    const at = this.rows >> 3;
    if (at >= this.#bits.length) this.#grow(at + 1);
    this.#bits[at] &= ~(1 << (this.rows & 7));
    this.rows++;
    this.missing++;
  }

  take(): { present: number; presence: Uint8Array } {
    const bytes = (this.rows + 7) >> 3;
    if (bytes > this.#bits.length) this.#grow(bytes);
    const taken = { present: this.rows - this.missing, presence: this.#bits.slice(0, bytes) };
    if (this.missing > 0) this.#bits.fill(0xff);
    this.rows = this.missing = 0;
    return taken;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#bits.length * 2)).fill(0xff);
    grown.set(this.#bits);
    this.#bits = grown;
  }
}

/**
 * A column of texts as they are written; an empty one is missing. While there are few different ones, each is kept once, and of each row
 * its number: whoever reads them looks at each once as well.
 */
export class TextReader implements FieldReader {
  readonly position: number;
  readonly #name: string;
  readonly #presence = new Presence();
  /** Texts, each behind its length in 32 bits: the different ones, or all. */
  #bytes = new Uint8Array(1 << 16);
  #end = 0;
  #areMany = false;
  #codes = new Uint8Array(1 << 13);
  #count = 0;
  /** Where each different text begins, and by a hash 1 + its number. */
  readonly #starts = new Int32Array(mostDifferent);
  readonly #slots = new Uint16Array(slotCount);
  #different = 0;

  constructor(name: string, position: number) {
    this.#name = name;
    this.position = position;
  }

  look(): void {
    // every text is one
  }

  keep(block: FieldBlock): void {
    const { bytes, records, from, to, doubled, odd } = block;
    const presence = this.#presence;
    const column = this.position * blockStride;
    for (let r = 0; r < records; r++) {
      if (odd[r] === 1) continue;
      const first = from[column + r];
      const last = to[column + r];
      if (first === last) {
        presence.skip();
        continue;
      }
      presence.rows++;
      const start = this.#end;
      const hash = this.#append(bytes, first, last, doubled[r] === 1);
      if (!this.#areMany) this.#encode(start, hash);
    }
  }

  /** Gives a hash of what it has appended. */
  #append(source: Uint8Array, from: number, to: number, doubled: boolean): number {
    const start = this.#end;
    if (start + 4 + to - from > this.#bytes.length) this.#bytes = longer(this.#bytes, start + 4 + to - from, start);
    const bytes = this.#bytes;
    let end = start + 4;
    let hash = 0;
    for (let at = from; at < to; at++) {
      const byte = source[at];
      bytes[end++] = byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
      if (doubled && byte === quotationMark) at++;
    }
    const length = end - start - 4;
    bytes[start] = length & 0xff;
    bytes[start + 1] = (length >> 8) & 0xff;
    bytes[start + 2] = (length >> 16) & 0xff;
    bytes[start + 3] = length >>> 24;
    this.#end = end;
    return hash;
  }

  /** Takes the number of the text that was appended at `start`, and the text away again if it was there before. */
  #encode(start: number, hash: number): void {
    const slots = this.#slots;
    let slot = (hash ^ (hash >>> 15)) & (slotCount - 1);
    while (slots[slot] !== 0 && !this.#isSame(this.#starts[slots[slot] - 1], start))
      slot = (slot + 1) & (slotCount - 1);
    if (slots[slot] !== 0) this.#end = start;
    else if (this.#different === mostDifferent) return this.#writeOut(start);
    else {
      this.#starts[this.#different++] = start;
      slots[slot] = this.#different;
    }
    if (this.#count === this.#codes.length) this.#codes = longer(this.#codes, this.#count + 1, this.#count);
    this.#codes[this.#count++] = slots[slot] - 1;
  }

  #isSame(one: number, other: number): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    while (other < end && bytes[one] === bytes[other]) {
      one++;
      other++;
    }
    return other === end;
  }

  /** Puts the text of each row in the place of the different ones, the one at `last` behind them. */
  #writeOut(last: number): void {
    const ends = [...this.#starts.subarray(1), last];
    const texts = Array.from(this.#starts, (start, code) => this.#bytes.slice(start, ends[code]));
    const own = this.#bytes.slice(last, this.#end);
    this.#end = 0;
    for (const text of [...Array.from(this.#codes.subarray(0, this.#count), (code) => texts[code]), own]) {
      if (this.#end + text.length > this.#bytes.length)
        this.#bytes = longer(this.#bytes, this.#end + text.length, this.#end);
      this.#bytes.set(text, this.#end);
      this.#end += text.length;
    }
    this.#areMany = true;
  }

  take(): PlainColumn {
    const texts = this.#bytes.subarray(0, this.#end);
    const dictionary = { entries: this.#different, values: texts };
    const isCoded = !this.#areMany && this.#different > 0;
    const values = isCoded ? { values: this.#codes.subarray(0, this.#count), dictionary } : { values: texts };
    this.#end = this.#count = this.#different = 0;
    this.#slots.fill(0);
    this.#areMany = false;
    return { name: this.#name, type: 'text', ...this.#presence.take(), ...values };
  }
}

/** Numbers of them have room in a byte. */
const mostDifferent = 256;
const slotCount = 1024;

/** At least so long, with the first `kept` bytes in it. */
function longer(bytes: Uint8Array, needed: number, kept: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(needed, bytes.length * 2));
  grown.set(bytes.subarray(0, kept));
  return grown;
}

/** A column of numbers, or of what is kept as one; a text that `parse` does not know makes its record odd. */
export class NumberReader implements FieldReader {
  readonly position: number;
  readonly #name: string;
  readonly #type: PlainType;
  readonly #parse: ParseText;
  readonly #looked = new Float64Array(blockRecords);
  #missing = 0;
  readonly #presence = new Presence();
  readonly #width: 4 | 8;
  #values: Int32Array | Float64Array;
  #count = 0;
  #least = Infinity;
  #greatest = -Infinity;

  constructor(name: string, position: number, type: PlainType, parse: ParseText) {
    this.#name = name;
    this.position = position;
    this.#type = type;
    this.#parse = parse;
    this.#width = type === 'double' || isLong(type) ? 8 : 4;
    this.#values = type === 'double' ? new Float64Array(1 << 13) : new Int32Array((1 << 11) * this.#width);
  }

  look(block: FieldBlock): void {
    const { bytes, records, from, to, odd } = block;
    const looked = this.#looked;
    const parse = this.#parse;
    const column = this.position * blockStride;
    let missing = 0;
    for (let r = 0; r < records; r++) {
      const first = from[column + r];
      const last = to[column + r];
      if (first === last) {
        looked[r] = NaN;
        missing++;
        continue;
      }
      const value = parse(bytes, first, last);
      looked[r] = value;
      if (value !== value && odd[r] === 0) {
        odd[r] = 1;
        block.odds++;
      }
    }
    this.#missing = missing;
  }

  keep({ records, odd, odds }: FieldBlock): void {
    const presence = this.#presence;
    const looked = this.#looked;
    let kept = 0;
    if (odds === 0 && this.#missing === 0) {
      kept = records;
      presence.rows += records;
    } else {
      for (let r = 0; r < records; r++) {
        if (odd[r] === 1) continue;
        const value = looked[r];
        if (value !== value) {
          presence.skip();
          continue;
        }
        presence.rows++;
        looked[kept++] = value;
      }
    }
    this.#append(kept);
  }

  #append(count: number): void {
    const looked = this.#looked;
    const slots = isLong(this.#type) ? 2 : 1;
    if ((this.#count + count) * slots > this.#values.length) this.#grow();
    let [least, greatest] = [this.#least, this.#greatest];
    for (let i = 0; i < count; i++) {
      const value = looked[i];
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
    [this.#least, this.#greatest] = [least, greatest];

    const values = this.#values;
    const start = this.#count * slots;
    if (slots === 2) {
      for (let i = 0; i < count; i++) {
        const value = looked[i];
        const high = Math.floor(value / 2 ** 32);
        values[start + 2 * i] = (value - high * 2 ** 32) | 0;
        values[start + 2 * i + 1] = high;
      }
    } else for (let i = 0; i < count; i++) values[start + i] = looked[i];
    this.#count += count;
  }

  /** A block has room in what is twice as large. */
  #grow(): void {
    const grown = new (this.#values.constructor as new (length: number) => Float64Array)(this.#values.length * 2);
    grown.set(this.#values);
    this.#values = grown;
  }

  take(): PlainColumn {
    const { buffer } = this.#values;
    const count = this.#count;
    this.#count = 0;
    const kept = new Uint8Array(buffer, 0, count * this.#width);
    const isBoolean = this.#type === 'boolean';
    const values = isBoolean ? bits(new Int32Array(buffer, 0, count)) : kept;
    const range = count > 0 && !isBoolean && { range: { least: this.#least, greatest: this.#greatest } };
    [this.#least, this.#greatest] = [Infinity, -Infinity];
    return { name: this.#name, type: this.#type, ...this.#presence.take(), values, ...range };
  }
}

const isLong = (type: PlainType): boolean =>
  type === 'int64' || type === 'instant' || (typeof type === 'object' && type.precision > 9);

function bits(values: Int32Array): Uint8Array {
  const packed = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) packed[i >> 3] |= values[i] << (i & 7);
  return packed;
}
