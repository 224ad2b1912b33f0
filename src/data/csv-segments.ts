import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { Delimiter } from './contract/contract.ts';
import { type CsvFile, CsvRecords } from './csv.ts';
import { type CsvLimits, Scanner, carriageReturn, csvLimits, lineFeed, readHeader } from './csv-scanner.ts';
import { refuseBinary } from './plain-text.ts';
import { quotationMark } from './text-column.ts';

/** Whether the text `bytes[from … to)`, which is not empty, is written in a form that is known to be good. */
export type Form = (bytes: Uint8Array, from: number, to: number) => boolean;

/**
 * A run of whole records. Most are clean: as many fields as the header, each field either without quotation marks or quoted by
 * the book and on one line. Any CSV reader reads these alike. All others were read by the strict scanner.
 */
export type CsvSegment = {
  /**
   * The clean records as CSV: before the fields of each its line and its first byte in the file; every line ends in LF. Valid
   * until the next segment is asked for.
   */
  text: Uint8Array;
  rows: number;
  /** What the lines of the clean records add up to, in 32 bits: who has read them all can prove it. */
  lineSum: number;
  odd: Omit<CsvFile, 'blankLines'>;
  /** By column: whether all fields of the clean records that are not empty have the form that was asked for. */
  formed: boolean[];
};

export type SegmentOptions = {
  /** For messages. */
  file: string;
  delimiter: Delimiter;
  limits?: Partial<CsvLimits>;
  /** How much of the file is in memory at once, beside one record's longest. @default - 32 MiB */
  segmentBytes?: number;
};

/** A file of any size up to so much: line numbers and byte offsets are 32-bit integers. */
export const mostStreamedBytes = 2 ** 31 - 1;

/**
 * Reads a CSV file by segments, with the guarantees of `readCsv`, in memory that does not grow with the file. Throws
 * `FileRejected` where the file as a whole cannot be read, which may be after segments were given.
 */
export class CsvSegments {
  readonly #file: FileHandle;
  readonly #options: SegmentOptions;
  readonly #limits: CsvLimits;
  readonly #segmentBytes: number;
  /** What one record may need to be judged: its own bytes and a line end. */
  readonly #lookahead: number;
  readonly #window: Buffer;
  /** The window holds the file's bytes from `#base` on, `#filled` of them. */
  #base = 0;
  #filled = 0;
  #atEnd = false;
  #position = 0;
  #line = 1;
  header: string[] = [];

  private constructor(file: FileHandle, options: SegmentOptions) {
    this.#file = file;
    this.#options = options;
    this.#limits = { ...csvLimits, ...options.limits };
    this.#segmentBytes = options.segmentBytes ?? 32 * 2 ** 20;
    this.#lookahead = this.#limits.lineBytes + 2;
    this.#window = Buffer.allocUnsafe(this.#segmentBytes + this.#lookahead + 2);
  }

  /** Reads the header. Throws `FileRejected`. */
  static async open(file: FileHandle, options: SegmentOptions): Promise<CsvSegments> {
    const segments = new CsvSegments(file, options);
    await segments.#fill();
    const scanner = segments.#scanner(segments.#limits);
    segments.header = readHeader(scanner, options.file);
    segments.#position = scanner.position;
    segments.#line = scanner.nextLine;
    return segments;
  }

  /** Each segment once, in the file's order, and one where the file has only a header; `forms` by column of the header. */
  async *read(forms: readonly (Form | undefined)[]): AsyncGenerator<CsvSegment> {
    const text = Buffer.allocUnsafe(this.#segmentBytes + (this.#segmentBytes >> 1) + this.#lookahead + placeBytes);
    do {
      await this.#fill();
      yield this.#segment(text, forms);
    } while (!this.#atEnd || this.#position < this.#filled);
  }

  /** Moves what is left to the window's front and reads on until it is full. */
  async #fill(): Promise<void> {
    const window = this.#window;
    window.copyWithin(0, this.#position, this.#filled);
    this.#base += Math.min(this.#position, this.#filled);
    this.#filled = Math.max(0, this.#filled - this.#position);
    this.#position = 0;
    const most = this.#segmentBytes + this.#lookahead;
    while (!this.#atEnd && this.#filled < most) {
      const { bytesRead } = await this.#file.read(window, this.#filled, most - this.#filled, this.#base + this.#filled);
      this.#atEnd = bytesRead === 0;
      this.#filled += bytesRead;
    }
    // a line end behind the last byte spares a look at the bounds for every byte
    window[this.#filled] = lineFeed;
    window[this.#filled + 1] = lineFeed;
    const bytes = window.subarray(0, this.#atEnd ? this.#filled : wholeCharacters(window, this.#filled));
    if (bytes.indexOf(0) >= 0 || !isUtf8(bytes)) {
      refuseBinary(bytes, this.#options.file, { byteOffset: this.#base, line: this.#line });
    }
  }

  #scanner(limits: CsvLimits): Scanner {
    const bytes = this.#window.subarray(0, this.#filled);
    return new Scanner(bytes, this.#options.delimiter, limits, this.#options.file);
  }

  #segment(text: Buffer, forms: readonly (Form | undefined)[]): CsvSegment {
    const bytes = this.#window;
    const filled = this.#filled;
    const base = this.#base;
    // a record that begins behind this may end behind the window
    const limit = this.#atEnd ? filled : filled - this.#lookahead;
    const mostText = text.length - this.#lookahead - placeBytes;
    const { lineBytes } = this.#limits;
    const columns = this.header.length;
    const delimiter = this.#options.delimiter.charCodeAt(0);
    const ordinary = ordinaryBytes(delimiter);
    const open = [...forms];
    const formed = this.header.map(() => true);
    const scanner = this.#scanner({ ...this.#limits, columns });
    const strict = new CsvRecords(this.header);

    let [at, line, out, rows, lineSum] = [this.#position, this.#line, 0, 0, 0];
    while (at < limit && out < mostText) {
      // the place, then the fields as they are; whatever is odd about the record is left to the strict scanner
      const start = at;
      const began = out;
      out = writeNumber(text, out, line, delimiter);
      out = writeNumber(text, out, base + start, delimiter);
      let column = 0;
      let clean = true;
      let byte = 0;
      for (;;) {
        byte = bytes[at];
        let from = at;
        let to = at;
        if (byte === quotationMark) {
          text[out++] = byte;
          from = ++at;
          for (;;) {
            byte = bytes[at];
            if (byte === lineFeed || byte === carriageReturn) break;
            if (byte === quotationMark) {
              if (bytes[at + 1] !== quotationMark) break;
              text[out++] = byte;
              at++;
            }
            text[out++] = byte;
            at++;
          }
          to = at;
          clean = byte === quotationMark;
          if (!clean) break;
          text[out++] = byte;
          byte = bytes[++at];
          clean = byte === delimiter || byte === lineFeed || byte === carriageReturn;
        } else {
          while (ordinary[byte] === 1) {
            text[out++] = byte;
            byte = bytes[++at];
          }
          to = at;
          clean = byte !== quotationMark;
        }
        if (!clean) break;
        if (column < columns) {
          const form = open[column];
          if (form !== undefined && to > from && !form(bytes, from, to)) {
            formed[column] = false;
            open[column] = undefined;
          }
        }
        column++;
        if (byte !== delimiter) break;
        text[out++] = byte;
        at++;
      }

      const isBlank = at === start && columns > 1;
      const isWhole = at < filled || this.#atEnd;
      if (clean && isWhole && at - start <= lineBytes && (column === columns || isBlank)) {
        at += bytes[at] === carriageReturn && bytes[at + 1] === lineFeed ? 2 : 1;
        if (isBlank) out = began;
        else {
          text[out++] = lineFeed;
          rows++;
          lineSum = (lineSum + line) | 0;
        }
        line++;
      } else {
        out = began;
        scanner.seek(start, line);
        scanner.next();
        strict.add(bytes, scanner, { line, byteOffset: base + start });
        at = scanner.position;
        line = scanner.nextLine;
      }
    }
    this.#position = at;
    this.#line = line;
    return { text: text.subarray(0, out), rows, lineSum, odd: strict.finish(), formed };
  }
}

/** Two numbers of up to ten digits, and a delimiter behind each. */
const placeBytes = 22;

/** 1 for the bytes that are part of a field, wherever they stand in it. */
function ordinaryBytes(delimiter: number): Uint8Array {
  const ordinary = new Uint8Array(256).fill(1);
  for (const byte of [delimiter, lineFeed, carriageReturn, quotationMark]) ordinary[byte] = 0;
  return ordinary;
}

function writeNumber(text: Uint8Array, out: number, value: number, delimiter: number): number {
  let end = out + 1;
  for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) end++;
  let rest = value | 0;
  for (let at = end - 1; at >= out; at--) {
    const tenth = (rest / 10) | 0;
    text[at] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  text[end] = delimiter;
  return end + 1;
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
  file: FileHandle,
  places: AsyncIterable<{ line: number; byteOffset: number }>,
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
      for (let read = -1; read !== 0 && filled < window.length; filled += read) {
        read = (await file.read(window, filled, window.length - filled, base + filled)).bytesRead;
      }
      scanner = new Scanner(window.subarray(0, filled), delimiter, limits, name);
    }
    scanner.seek(byteOffset - base, line);
    scanner.next();
    yield { line, raw: window.subarray(scanner.start, scanner.end) };
  }
}
