import type { Delimiter } from './contract/contract.ts';
import { type CsvLimits, Scanner, csvLimits, csvRules, readHeader } from './csv-scanner.ts';
import { FileRejected } from './file-rejected.ts';
import { refuseBinary } from './plain-text.ts';
import type { MalformedRecord } from './records.ts';
import { TextColumn, type Texts } from './text-column.ts';

export type CsvFile = {
  header: string[];
  /** Of each well-formed record: the line it begins on (the header's is 1 as a rule), its first byte, its text, its fields. */
  lines: Int32Array;
  byteOffsets: Int32Array;
  raw: Texts;
  fields: Texts[];
  malformed: MalformedRecord[];
  /** Lines without any byte between two line ends; they are no records where the header has more than one column. */
  blankLines: number;
};

export type CsvOptions = {
  /** For messages. */
  file: string;
  delimiter: Delimiter;
  limits?: Partial<CsvLimits>;
};

/**
 * Reads a CSV file strictly by RFC 4180, every byte accounted for: a record is well-formed, or malformed with its reason and
 * raw text, or the file is refused by `FileRejected`. Lines may end in LF, CRLF or CR, also mixed; a byte-order mark is
 * skipped. A field is quoted when its first byte is a quotation mark: then the mark is doubled inside and followed by a delimiter
 * or line end at its close. In a field that is not quoted the mark is a character like any other (`5'11"`).
 *
 * After a fault of quoting the reader goes on at the next line, so that an unclosed quotation mark costs its own line and
 * never its neighbours. The price: the later lines of a broken multi-line field are read as records of their own.
 *
 * Why not DuckDB's reader, which has a table of rejects? Measured with 1.5.5, strict mode: it gives accepted rows neither
 * line nor raw text; an unclosed quotation mark swallows the rest of the file without a reject; a file with mixed line ends
 * is refused whole; its line numbers count records, so they are wrong after a quoted line end; invalid bytes become `?`.
 */
export function readCsv(bytes: Uint8Array, options: CsvOptions): CsvFile {
  const { file } = options;
  const limits = { ...csvLimits, ...options.limits };
  if (bytes.length > limits.fileBytes) {
    throw new FileRejected(
      'too-large',
      file,
      `it has ${bytes.length} bytes, the limit is ${limits.fileBytes}`,
      'Drop it in several parts.',
    );
  }
  refuseBinary(bytes, file);

  const scanner = new Scanner(bytes, options.delimiter, limits, file);
  const header = readHeader(scanner, file);
  const records = new CsvRecords(header);
  let blankLines = 0;
  while (scanner.next()) {
    if (scanner.start === scanner.end && header.length > 1) blankLines++;
    else records.add(bytes, scanner, { line: scanner.line, byteOffset: scanner.start });
  }
  return { ...records.finish(), blankLines };
}

/** The text of one record, and where it stood in its file. */
export type RawRecord = { line: number; byteOffset: number; raw: string };

/**
 * Reads records that were taken out of their file, each by itself: nothing that is wrong with one reaches the next. A text that
 * goes on after its first record is malformed (`csv.fields`).
 */
export function readCsvRecords(
  header: readonly string[],
  raws: readonly RawRecord[],
  { file, delimiter, limits }: CsvOptions,
): Omit<CsvFile, 'blankLines'> {
  const records = new CsvRecords(header);
  for (const { raw, ...place } of raws) {
    const bytes = encoder.encode(raw);
    const scanner = new Scanner(bytes, delimiter, { ...csvLimits, ...limits, columns: header.length }, file);
    const whole = scanner.next() && (scanner.end === bytes.length || scanner.fault !== undefined);
    if (whole) records.add(bytes, scanner, place);
    else records.addMalformed({ ...place, rule: 'csv.fields', reason: 'it is no single record', raw });
  }
  return records.finish();
}

/** Collects the records that a scanner finds. */
export class CsvRecords {
  readonly #header: readonly string[];
  readonly #lines: number[] = [];
  readonly #byteOffsets: number[] = [];
  readonly #malformed: MalformedRecord[] = [];
  readonly #raw = new TextColumn();
  readonly #fields: TextColumn[];

  constructor(header: readonly string[]) {
    this.#header = header;
    this.#fields = header.map(() => new TextColumn());
  }

  /** Adds the record that the scanner has found in `bytes`. */
  add(bytes: Uint8Array, scanner: Scanner, place: { line: number; byteOffset: number }): void {
    const { start, end, fault, count } = scanner;
    const columns = this.#header.length;
    if (fault !== undefined || count !== columns) {
      const reason = fault ? `not met: ${csvRules[fault]}` : `it has ${count} fields, the header has ${columns}`;
      this.addMalformed({
        ...place,
        rule: fault ?? 'csv.fields',
        reason,
        raw: decoder.decode(bytes.subarray(start, end)),
      });
      return;
    }
    this.#lines.push(place.line);
    this.#byteOffsets.push(place.byteOffset);
    this.#raw.append(bytes, start, end, false);
    for (let c = 0; c < count; c++)
      this.#fields[c].append(bytes, scanner.from[c], scanner.to[c], scanner.escaped[c] === 1);
  }

  addMalformed(record: MalformedRecord): void {
    this.#malformed.push(record);
  }

  finish(): Omit<CsvFile, 'blankLines'> {
    return {
      header: [...this.#header],
      lines: Int32Array.from(this.#lines),
      byteOffsets: Int32Array.from(this.#byteOffsets),
      raw: this.#raw.finish(),
      fields: this.#fields.map((field) => field.finish()),
      malformed: this.#malformed,
    };
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
