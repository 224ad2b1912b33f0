import { checkColumnNames } from './column-names.ts';
import { FileRejected } from './file-rejected.ts';
import { quotationMark } from './text-column.ts';

export type CsvLimits = { fileBytes: number; lineBytes: number; columns: number };
/** What a file may have where its reader is told nothing else. */
export const csvLimits: CsvLimits = { fileBytes: 512 * 2 ** 20, lineBytes: 2 ** 20, columns: 1000 };

export type CsvRule = 'csv.fields' | 'csv.unclosed-quote' | 'csv.text-after-quote';

/** What each rule of form asks for. */
export const csvRules: { [rule in CsvRule]: string } = {
  'csv.fields': 'a record has as many fields as the header',
  'csv.unclosed-quote': 'a quotation mark that opens a field is closed',
  'csv.text-after-quote': 'a delimiter or line end follows the closing quotation mark of a field',
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;

/** Reads the first record as the names of the columns. Throws `FileRejected`. */
export function readHeader(scanner: Scanner, file: string): string[] {
  do {
    if (!scanner.next())
      throw new FileRejected('empty', file, 'there is nothing in it', 'Drop a file with a header line.');
  } while (scanner.start === scanner.end);
  if (scanner.fault) {
    throw new FileRejected(
      'malformed-header',
      file,
      `its header does not meet: ${csvRules[scanner.fault]}`,
      'Correct the first line.',
    );
  }
  const most = scanner.from.length - 1;
  if (scanner.count > most) {
    throw new FileRejected(
      'too-many-columns',
      file,
      `its header has ${scanner.count} columns, the limit is ${most}`,
      'Check its line ends.',
    );
  }
  const header = Array.from({ length: scanner.count }, (_, c) => scanner.field(c));
  checkColumnNames(header, file);
  return header;
}

/** Walks over the records of `bytes` by RFC 4180; after `next()` its fields describe the record found. */
export class Scanner {
  readonly #bytes: Uint8Array;
  readonly #delimiter: number;
  readonly #limits: CsvLimits;
  readonly #file: string;
  #position: number;
  #nextLine = 1;

  line = 0;
  start = 0;
  /** The record's text is `start … end`, without its line end; of a record with a fault, its first line. */
  end = 0;
  fault: Exclude<CsvRule, 'csv.fields'> | undefined;
  /** How many fields; `from … to` are their contents without the quotation marks around them. */
  count = 0;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 1 where a content holds doubled quotation marks. */
  readonly escaped: Uint8Array;

  constructor(bytes: Uint8Array, delimiter: string, limits: CsvLimits, file: string) {
    this.#bytes = bytes;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#limits = limits;
    this.#file = file;
    this.#position = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    // one more than allowed, so that a row of too many fields is seen to be one
    this.from = new Int32Array(limits.columns + 1);
    this.to = new Int32Array(limits.columns + 1);
    this.escaped = new Uint8Array(limits.columns + 1);
  }

  /** Where the next record begins, and its line. */
  get position(): number {
    return this.#position;
  }
  get nextLine(): number {
    return this.#nextLine;
  }

  /** Goes on at a record that begins there. */
  seek(position: number, line: number): void {
    this.#position = position;
    this.#nextLine = line;
  }

  field(c: number): string {
    const text = decoder.decode(this.#bytes.subarray(this.from[c], this.to[c]));
    return this.escaped[c] ? text.replaceAll('""', '"') : text;
  }

  /** Moves to the next record; false at the end of the file. */
  next(): boolean {
    if (this.#position >= this.#bytes.length) return false;
    this.start = this.#position;
    this.line = this.#nextLine;
    this.fault = undefined;
    this.count = 0;
    let at = this.#position;
    for (;;) {
      at = this.#field(at);
      if (this.fault !== undefined || this.#bytes[at] !== this.#delimiter) break;
      at++;
    }

    // after a fault only the first line is given up
    if (this.fault !== undefined) {
      at = this.#lineEnd(this.start);
      this.#nextLine = this.line;
    }
    this.end = at;
    this.#position = this.#afterLineEnd(at);
    this.#nextLine++;
    return true;
  }

  /** Reads the field that begins at `at`; gives the position after it: a delimiter, a line end, or the file's end. */
  #field(at: number): number {
    const bytes = this.#bytes;
    const delimiter = this.#delimiter;
    const c = this.#nextColumn();
    this.escaped[c] = 0;
    if (bytes[at] === quotationMark) return this.#quotedField(at, c);
    this.from[c] = at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === delimiter || byte === lineFeed || byte === carriageReturn) break;
    }
    this.#refuseLongLine(at);
    this.to[c] = at;
    return at;
  }

  #quotedField(at: number, c: number): number {
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, this.start + this.#limits.lineBytes);
    this.from[c] = ++at;
    for (; at < limit; at++) {
      const byte = bytes[at];
      if (byte === lineFeed || (byte === carriageReturn && bytes[at + 1] !== lineFeed)) this.#nextLine++;
      if (byte !== quotationMark) continue;
      if (bytes[at + 1] !== quotationMark) break;
      this.escaped[c] = 1;
      at++;
    }
    if (at >= limit) {
      this.fault = 'csv.unclosed-quote';
      return at;
    }
    this.to[c] = at++;
    const byte = bytes[at];
    const closed = at === bytes.length || byte === this.#delimiter || byte === lineFeed || byte === carriageReturn;
    if (!closed) this.fault = 'csv.text-after-quote';
    return at;
  }

  /** A row may have more fields than are kept: they are counted, in the last place. */
  #nextColumn(): number {
    return Math.min(this.count++, this.#limits.columns);
  }

  #lineEnd(at: number): number {
    while (at < this.#bytes.length && this.#bytes[at] !== lineFeed && this.#bytes[at] !== carriageReturn) at++;
    this.#refuseLongLine(at);
    return at;
  }

  #afterLineEnd(at: number): number {
    return this.#bytes[at] === carriageReturn && this.#bytes[at + 1] === lineFeed ? at + 2 : at + 1;
  }

  #refuseLongLine(at: number): void {
    if (at - this.start <= this.#limits.lineBytes) return;
    const reason = `its record on line ${this.line} has more than ${this.#limits.lineBytes} bytes`;
    throw new FileRejected('line-too-long', this.#file, reason, 'Check its line ends and quotation marks.');
  }
}
