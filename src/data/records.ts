import { type RawRecord, readCsv, readCsvRecords } from './csv.ts';
import { type CsvLimits, csvLimits, csvRules } from './csv-scanner.ts';
import type { Delimiter } from './contract/contract.ts';
import { type Encoding, toUtf8 } from './encoding.ts';
import { FileRejected } from './file-rejected.ts';
import { type Format, formatOf, isGzip } from './format.ts';
import { gunzip } from './gunzip.ts';
import { JsonRecords, jsonRules, readJsonLines } from './json-lines.ts';
import { readParquet } from './parquet.ts';
import type { Texts } from './text-column.ts';

/** The records of a file, whatever its format: texts, as they were written or would be in CSV, and where each stands. */
export type Records = {
  header: string[];
  /** Of each well-formed record: the line it begins on, or its row's number in Parquet, from 1. */
  lines: Int32Array;
  /** Its first byte, in the text that lay in the gzip stream; Parquet's rows have none. */
  byteOffsets?: Int32Array;
  /** As it was written; a Parquet row as a JSON object of its texts. */
  raw: Texts;
  /** By column of the header; null is missing. */
  fields: Texts[];
  malformed: MalformedRecord[];
  /** Columns of types that are no single value; their fields are all missing. */
  unreadable?: { name: string; type: string }[];
};

/** `rule` is a name in `formRules`. */
export type MalformedRecord = { line: number; byteOffset?: number; rule: string; reason: string; raw: string };

export type ReadOptions = {
  /** For messages. */
  file: string;
  /** @default - told by the content */
  format?: Format;
  delimiter: Delimiter;
  encoding: Encoding;
  limits?: Partial<CsvLimits>;
  /** Where a Parquet file is put while it is read. @default - the system's */
  temporaryDirectory?: string;
};

/** What the form of a record must keep to, by format; Parquet has no form that one row alone could break. */
export const formRules: { [format in Format]: { [rule: string]: string } } = {
  csv: csvRules,
  jsonl: jsonRules,
  parquet: {},
};

/** Reads a file's records strictly, every byte accounted for. Throws `FileRejected` where the file as a whole cannot be read. */
export async function readRecords(given: Uint8Array, options: ReadOptions): Promise<Records & { format: Format }> {
  const { file, encoding } = options;
  const limits = { ...csvLimits, ...options.limits };
  const bytes = isGzip(given) ? gunzip(given, file, limits.fileBytes) : given;
  const format = options.format ?? formatOf(bytes);
  if (format === 'parquet') {
    if (formatOf(bytes) !== 'parquet') {
      throw new FileRejected(
        'wrong-format',
        file,
        'it does not begin as Parquet, which the contract declares',
        'Export it as Parquet.',
      );
    }
    return { format, ...(await readParquet(bytes, { file, limits, temporaryDirectory: options.temporaryDirectory })) };
  }
  const text = toUtf8(bytes, encoding, file);
  if (format === 'jsonl') return { format, ...readJsonLines(text, { file, limits }) };
  return { format, ...readCsv(text, { file, delimiter: options.delimiter, limits }) };
}

/** The records of raw texts that were kept; the header is that of their CSV file, the other formats have names in each. */
export function rereadRecords(
  raws: readonly RawRecord[],
  {
    format,
    header,
    file,
    delimiter,
  }: { format: Format; header: readonly string[]; file: string; delimiter: Delimiter },
): Records & { format: Format } {
  if (format === 'csv') return { format, ...readCsvRecords(header, raws, { file, delimiter }) };
  const records = new JsonRecords(file, csvLimits.columns);
  for (const { raw, line, byteOffset } of raws) records.add(raw, line, byteOffset);
  return { format, ...records.finish() };
}
