/** Texts as Arrow lays them out, a bit each and where they end; nothing of a class, so that threads can hand them over. */
export type Texts = {
  length: number;
  nullCount: number;
  nullBitmap: Uint8Array;
  valueOffsets: Int32Array;
  values: Uint8Array;
};

/** A column of texts that grows by copying UTF-8 bytes; an empty text is a missing value. */
export class TextColumn {
  #bytes = new Uint8Array(1024);
  #ends = new Int32Array(256);
  #rows = 0;

  /** Appends `source[from … to)`; where `unescape` is set, each doubled quotation mark becomes one. */
  append(source: Uint8Array, from: number, to: number, unescape: boolean): void {
    let end = this.#rows === 0 ? 0 : this.#ends[this.#rows - 1];
    if (end + to - from > this.#bytes.length) this.#bytes = grown(this.#bytes, end + to - from);
    if (this.#rows === this.#ends.length) this.#ends = grown(this.#ends, this.#rows + 1);

    const bytes = this.#bytes;
    for (let i = from; i < to; i++) {
      bytes[end++] = source[i];
      if (unescape && source[i] === quotationMark) i++;
    }
    this.#ends[this.#rows++] = end;
  }

  appendText(text: string): void {
    const bytes = encoder.encode(text);
    this.append(bytes, 0, bytes.length, false);
  }

  /** Appends missing values until there are so many rows. */
  skipTo(rows: number): void {
    while (this.#rows < rows) this.append(nothing, 0, 0, false);
  }

  finish(): Texts {
    const rows = this.#rows;
    const valueOffsets = new Int32Array(rows + 1);
    const nullBitmap = new Uint8Array((rows + 7) >> 3);
    let nullCount = 0;
    for (let row = 0; row < rows; row++) {
      valueOffsets[row + 1] = this.#ends[row];
      if (this.#ends[row] === valueOffsets[row]) nullCount++;
      else nullBitmap[row >> 3] |= 1 << (row & 7);
    }
    const values = this.#bytes.subarray(0, valueOffsets[rows]);
    return { length: rows, nullCount, nullBitmap, valueOffsets, values };
  }
}

export const quotationMark = 0x22;
const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

function grown<Items extends Uint8Array | Int32Array>(items: Items, needed: number): Items {
  const larger = new (items.constructor as new (length: number) => Items)(Math.max(needed, items.length * 2));
  larger.set(items);
  return larger;
}
