import { csvLimits } from '../csv-scanner.ts';
import { toUtf8 } from '../encoding.ts';
import { FileRejected } from '../file-rejected.ts';
import { formatOf, isGzip } from '../format.ts';
import { gunzip } from '../gunzip.ts';
import { type Dialect, sniffDialect, sniffEncoding } from './sniff.ts';

export type CleanOptions = {
  /** For messages. */
  file: string;
  /** The names of the columns, where the file has no header line. */
  header?: readonly string[];
};

/**
 * A CSV file as ingestion takes it, which never trims and needs a header line: in UTF-8, out of gzip, without the blanks beside
 * its delimiters and line ends, below `header` where one is given. What stands between quotation marks is not touched, and
 * neither is the count of records. Throws `FileRejected` for what is no CSV.
 */
export function cleanCsv(given: Uint8Array, { file, header }: CleanOptions): Uint8Array {
  const bytes = isGzip(given) ? gunzip(given, file, csvLimits.fileBytes) : given;
  const format = formatOf(bytes);
  if (format !== 'csv') {
    throw new FileRejected(
      'wrong-format',
      file,
      `it is ${format} and no CSV`,
      'Give it as it is: it needs no cleaning.',
    );
  }
  const text = toUtf8(bytes, sniffEncoding(bytes).encoding, file);
  const { delimiter, byteOrderMark } = sniffDialect(text);
  const trimmed = withoutBlanks(byteOrderMark ? text.subarray(3) : text, delimiter.charCodeAt(0));
  return header ? Buffer.concat([Buffer.from(`${header.map(quoted).join(delimiter)}\n`), trimmed]) : trimmed;
}

/** Whether ingestion would take every field of such a file with its blanks. */
export const isPadded = ({ paddedShare }: Dialect): boolean => paddedShare > 0.5;

const quotationMark = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const blank = 0x20;

/** Copies field by field. A quotation mark opens a field where only blanks stand before it. */
function withoutBlanks(bytes: Uint8Array, delimiter: number): Uint8Array {
  const clean = new Uint8Array(bytes.length);
  let out = 0;
  let at = 0;
  while (at < bytes.length) {
    while (bytes[at] === blank) at++;
    const fieldStart = out;
    let kept = out;
    if (bytes[at] === quotationMark) {
      // doubled marks close and open again, which copies them as they are
      do {
        do clean[out++] = bytes[at++];
        while (at < bytes.length && bytes[at] !== quotationMark);
        if (at < bytes.length) clean[out++] = bytes[at++];
      } while (bytes[at] === quotationMark);
      kept = out;
    }
    for (
      ;
      at < bytes.length && bytes[at] !== delimiter && bytes[at] !== lineFeed && bytes[at] !== carriageReturn;
      at++
    ) {
      clean[out++] = bytes[at];
      if (bytes[at] !== blank) kept = out;
    }
    out = Math.max(fieldStart, kept);
    if (at < bytes.length) clean[out++] = bytes[at++];
  }
  return clean.subarray(0, out);
}

const quoted = (name: string): string => (/[",;|\t\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
