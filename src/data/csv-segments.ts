import { isUtf8 } from 'node:buffer';
import type { Delimiter } from './contract/contract.ts';
import { type CsvFile, CsvRecords } from './csv.ts';
import { type CsvLimits, Scanner, carriageReturn, csvLimits, lineFeed, readHeader } from './csv-scanner.ts';
import { refuseBinary } from './plain-text.ts';
import { type FieldBlock, type FieldReader, blockRecords, blockStride, newBlock } from './field-readers.ts';
import { quotationMark } from './text-column.ts';

/**
 * A run of whole records. Most are clean: as many fields as the header, each field either without quotation marks or quoted by
 * the book and on one line, and none that its reader finds odd. All others were read by the strict scanner.
 */
export type CsvSegment = {
  /** How many clean records the readers have kept, and of each its line and its first byte in the file; valid until the next. */
  rows: number;
  lines: Int32Array;
  byteOffsets: Int32Array;
  odd: Omit<CsvFile, 'blankLines'>;
  /** Where the next one begins; undefined at the end of the file. */
  next: Place | undefined;
};

/** Where a record begins. */
export type Place = { byteOffset: number; line: number };

/** Reads from the file into `buffer`, from `position` on; gives how many bytes, 0 at the end of the file. */
export type ReadBytes = (
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
) => number | Promise<number>;

export type SegmentOptions = {
  /** For messages. */
  file: string;
  delimiter: Delimiter;
  limits?: Partial<CsvLimits>;
  /** How much of the file is in memory at once, beside one record's longest. @default - `segmentBytes` */
  segmentBytes?: number;
};

export const segmentBytes = 16 * 2 ** 20;

/** A file of any size up to so much: line numbers and byte offsets are 32-bit integers. */
export const mostStreamedBytes = 2 ** 31 - 1;

/**
 * Reads a CSV file by segments, with the guarantees of `readCsv`, in memory that does not grow with the file. Where a segment begins
 * says, with the file, all that is in it: segments can be read in any order, by whoever knows that a record begins there.
 */
export class CsvSegments {
  readonly #read: ReadBytes;
  readonly #options: SegmentOptions;
  readonly #limits: CsvLimits;
  readonly #segmentBytes: number;
  /** What one record may need to be judged: its own bytes and a line end. */
  readonly #lookahead: number;
  readonly #ordinary: Uint8Array;
  readonly #window: Buffer;
  #lines = new Int32Array(1 << 16);
  #byteOffsets = new Int32Array(1 << 16);
  /** The window holds the file's bytes from `#base` on, `#filled` of them. */
  #base = 0;
  #filled = 0;
  /** So many of them are known to be text. */
  #checked = 0;
  #atEnd = false;
  #position = 0;
  #line = 1;
  header: string[];

  constructor(read: ReadBytes, header: string[], options: SegmentOptions) {
    this.#read = read;
    this.header = header;
    this.#options = options;
    this.#limits = { ...csvLimits, ...options.limits };
    this.#segmentBytes = options.segmentBytes ?? segmentBytes;
    this.#lookahead = this.#limits.lineBytes + 2;
    this.#ordinary = ordinaryBytes(options.delimiter.charCodeAt(0));
    this.#window = Buffer.allocUnsafe(this.#segmentBytes + this.#lookahead + 2);
  }

  /** Reads the header; `first` is where the first segment begins, which a file has also where it has only a header. Throws `FileRejected`. */
  static async open(read: ReadBytes, options: SegmentOptions): Promise<{ segments: CsvSegments; first: Place }> {
    const segments = new CsvSegments(read, [], options);
    await segments.#fill({ byteOffset: 0, line: 1 });
    segments.#check();
    const scanner = segments.#scanner(segments.#limits);
    segments.header = readHeader(scanner, options.file);
    return { segments, first: { byteOffset: scanner.position, line: scanner.nextLine } };
  }

  /** The segment that begins at a place; `readers` have its clean records. Throws `FileRejected` where the file cannot be read on from there. */
  async read(place: Place, readers: readonly FieldReader[]): Promise<CsvSegment> {
    await this.#fill(place);
    this.#check();
    return this.#segment(readers);
  }

  /**
   * Where, from some byte of the file on, a record seems to begin: behind the end of a line, where the next record is clean. It may
   * be in the middle of a field, if not often. Undefined where there is none for as long as a record may be.
   */
  async guess(byteOffset: number): Promise<number | undefined> {
    await this.#fill({ byteOffset: byteOffset - 1, line: 1 });
    const block = newBlock(this.#window, this.header.length);
    const last = Math.min(this.#filled, this.#lookahead);
    for (let at = 0; at < last; at++) {
      const byte = this.#window[at];
      if (byte !== lineFeed && byte !== carriageReturn) continue;
      if (byte === carriageReturn && this.#window[at + 1] === lineFeed) continue;
      block.records = 0;
      this.#position = at + 1;
      this.#scan(block, at + 2, this.#lines, this.#byteOffsets, 0);
      if (block.records === 1) return this.#base + at + 1;
    }
    return undefined;
  }

  /** Moves what is there of the segment at a place to the window's front, and reads on until it is full. */
  async #fill({ byteOffset, line }: Place): Promise<void> {
    const window = this.#window;
    const from = byteOffset - this.#base;
    const isHere = from >= 0 && from <= this.#filled;
    if (isHere) window.copyWithin(0, from, this.#filled);
    this.#filled = isHere ? this.#filled - from : 0;
    this.#checked = isHere ? Math.max(0, this.#checked - from) : 0;
    this.#base = byteOffset;
    this.#position = 0;
    this.#line = line;
    this.#atEnd = false;
    const most = this.#segmentBytes + this.#lookahead;
    while (!this.#atEnd && this.#filled < most) {
      const bytesRead = await this.#read(window, this.#filled, most - this.#filled, this.#base + this.#filled);
      this.#atEnd = bytesRead === 0;
      this.#filled += bytesRead;
    }
    // a line end behind the last byte spares a look at the bounds for every byte
    window[this.#filled] = lineFeed;
    window[this.#filled + 1] = lineFeed;
  }

  /** Throws `FileRejected` unless what the window holds is text. */
  #check(): void {
    const window = this.#window;
    const whole = this.#atEnd ? this.#filled : wholeCharacters(window, this.#filled);
    const added = window.subarray(this.#checked, whole);
    if (added.indexOf(0) >= 0 || !isUtf8(added)) {
      refuseBinary(window.subarray(0, whole), this.#options.file, { byteOffset: this.#base, line: this.#line });
    }
    this.#checked = Math.max(this.#checked, whole);
  }

  #scanner(limits: CsvLimits): Scanner {
    const bytes = this.#window.subarray(0, this.#filled);
    return new Scanner(bytes, this.#options.delimiter, limits, this.#options.file);
  }

  #segment(readers: readonly FieldReader[]): CsvSegment {
    const bytes = this.#window;
    const base = this.#base;
    // a record that begins behind this may end behind the window
    const limit = this.#atEnd ? this.#filled : this.#filled - this.#lookahead;
    const scanner = this.#scanner({ ...this.#limits, columns: this.header.length });
    const strict = new CsvRecords(this.header);
    let [lines, byteOffsets] = [this.#lines, this.#byteOffsets];
    const block = newBlock(bytes, this.header.length);
    const strictly = (start: number, line: number): void => {
      scanner.seek(start, line);
      scanner.next();
      strict.add(bytes, scanner, { line, byteOffset: base + start });
    };

    let rows = 0;
    while (this.#position < limit && rows + blockRecords <= mostRecords) {
      if (rows + blockRecords > lines.length) {
        lines = this.#lines = twiceAsLong(lines);
        byteOffsets = this.#byteOffsets = twiceAsLong(byteOffsets);
      }
      block.records = 0;
      while (this.#position < limit && block.records < blockRecords) {
        this.#scan(block, limit, lines, byteOffsets, rows);
        if (this.#position >= limit || block.records === blockRecords) break;
        // what is odd about the next record is left to the strict scanner
        strictly(this.#position, this.#line);
        this.#position = scanner.position;
        this.#line = scanner.nextLine;
      }

      block.odds = 0;
      for (const reader of readers) reader.look(block);
      for (const reader of readers) reader.keep(block);
      const first = rows;
      for (let r = 0; r < block.records; r++) {
        if (block.odd[r] === 1) strictly(byteOffsets[first + r] - base, lines[first + r]);
        else {
          lines[rows] = lines[first + r];
          byteOffsets[rows++] = byteOffsets[first + r];
        }
      }
      if (block.odds > 0) block.odd.fill(0);
    }
    return {
      rows,
      lines: lines.subarray(0, rows),
      byteOffsets: byteOffsets.subarray(0, rows),
      odd: strict.finish(),
      next:
        this.#atEnd && this.#position >= limit ? undefined : { byteOffset: base + this.#position, line: this.#line },
    };
  }

  /** Adds records to the block up to the first that is not clean, or that begins at `limit` or behind it. */
  #scan(block: FieldBlock, limit: number, lines: Int32Array, byteOffsets: Int32Array, rows: number): void {
    const { bytes, from, to, doubled } = block;
    const base = this.#base;
    const filled = this.#filled;
    const { lineBytes } = this.#limits;
    const columns = this.header.length;
    const delimiter = this.#options.delimiter.charCodeAt(0);
    const ordinary = this.#ordinary;
    let [at, line, record] = [this.#position, this.#line, block.records];
    while (at < limit && record < blockRecords) {
      const start = at;
      let place = record;
      let column = 0;
      let marks = 0;
      let byte = 0;
      for (;;) {
        byte = bytes[at];
        if (byte === quotationMark) {
          const first = ++at;
          for (;;) {
            byte = bytes[at];
            if (byte === lineFeed || byte === carriageReturn) break;
            if (byte === quotationMark) {
              if (bytes[at + 1] !== quotationMark) break;
              marks = 1;
              at++;
            }
            at++;
          }
          if (byte !== quotationMark) {
            byte = quotationMark;
            break;
          }
          if (column < columns) {
            from[place] = first;
            to[place] = at;
          }
          byte = bytes[++at];
          if (byte !== delimiter && byte !== lineFeed && byte !== carriageReturn) byte = quotationMark;
        } else {
          const first = at;
          while (ordinary[byte] === 1) byte = bytes[++at];
          if (column < columns) {
            from[place] = first;
            to[place] = at;
          }
        }
        column++;
        place += blockStride;
        if (byte !== delimiter) break;
        at++;
      }

      const clean = byte === lineFeed || byte === carriageReturn;
      const isBlank = at === start && columns > 1;
      const isWhole = at < filled || this.#atEnd;
      if (!clean || !isWhole || at - start > lineBytes || (column !== columns && !isBlank)) {
        at = start;
        break;
      }
      at += byte === carriageReturn && bytes[at + 1] === lineFeed ? 2 : 1;
      if (!isBlank) {
        doubled[record] = marks;
        lines[rows + record] = line;
        byteOffsets[rows + record] = base + start;
        record++;
      }
      line++;
    }
    block.records = record;
    this.#position = at;
    this.#line = line;
  }
}

/** The most clean records of a segment: of short ones that many are in memory at once, and not all that there is room for as bytes. */
const mostRecords = 1 << 19;

function twiceAsLong(places: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(places.length * 2);
  larger.set(places);
  return larger;
}

/** 1 for the bytes that are part of a field, wherever they stand in it. */
function ordinaryBytes(delimiter: number): Uint8Array {
  const ordinary = new Uint8Array(256).fill(1);
  for (const byte of [delimiter, lineFeed, carriageReturn, quotationMark]) ordinary[byte] = 0;
  return ordinary;
}

/** Where the last character that is there as a whole ends; a lead byte that is none is left for the check to find. */
function wholeCharacters(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= 0 && at >= end - 3; at--) {
    if ((bytes[at] & 0xc0) === 0x80) continue;
    const length = bytes[at] < 0xc0 ? 1 : bytes[at] < 0xe0 ? 2 : bytes[at] < 0xf0 ? 3 : 4;
    return at + length > end ? at : end;
  }
  return end;
}

/** The text of each record that begins at one of the places, ascending, as `readCsv` would give it; valid until the next. */
export async function* rawTexts(
  read: ReadBytes,
  places: AsyncIterable<Place>,
  { delimiter, limits: given, file: name }: SegmentOptions,
): AsyncGenerator<{ line: number; raw: Uint8Array }> {
  const limits = { ...csvLimits, ...given };
  const lookahead = limits.lineBytes + 2;
  const window = Buffer.allocUnsafe(4 * lookahead);
  let [base, filled] = [0, 0];
  let scanner: Scanner | undefined;
  for await (const { line, byteOffset } of places) {
    if (scanner === undefined || byteOffset + lookahead > base + filled) {
      base = byteOffset;
      filled = 0;
      for (let bytes = -1; bytes !== 0 && filled < window.length; filled += bytes) {
        bytes = await read(window, filled, window.length - filled, base + filled);
      }
      scanner = new Scanner(window.subarray(0, filled), delimiter, limits, name);
    }
    scanner.seek(byteOffset - base, line);
    scanner.next();
    yield { line, raw: window.subarray(scanner.start, scanner.end) };
  }
}
