import { isUtf8 } from 'node:buffer';
import { type Delimiter, delimiters } from '../contract/contract.ts';
import { readCsv } from '../csv.ts';
import type { Encoding } from '../encoding.ts';
import { FileRejected } from '../file-rejected.ts';

/** How a CSV file is written, as far as its bytes tell. */
export type Dialect = {
  delimiter: Delimiter;
  /** Whether any field is in quotation marks. */
  quoted: boolean;
  lineEnds: 'LF' | 'CRLF' | 'CR' | 'mixed' | 'none';
  byteOrderMark: boolean;
  /** The share of its delimiters that a blank follows: most of them where somebody writes `a, b`. */
  paddedShare: number;
};

/**
 * The encoding that the bytes are in. UTF-8 is certain where they are valid in it, UTF-16 where it is marked; windows-1252 is a
 * guess that fits any text of Western Europe and proves nothing.
 */
export function sniffEncoding(bytes: Uint8Array): { encoding: Encoding; certain: boolean } {
  const nul = bytes.indexOf(0);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', certain: true };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', certain: true };
  if (nul < 0)
    return isUtf8(bytes) ? { encoding: 'utf-8', certain: true } : { encoding: 'windows-1252', certain: false };
  // Western letters in UTF-16 have a NUL in every second byte
  const even = bytes.subarray(0, 1000).reduce((count, byte, i) => count + Number(byte === 0 && i % 2 === 0), 0);
  const odd = bytes.subarray(0, 1000).reduce((count, byte, i) => count + Number(byte === 0 && i % 2 === 1), 0);
  const half = Math.min(bytes.length, 1000) / 4;
  if (odd > half && even === 0) return { encoding: 'utf-16le', certain: false };
  if (even > half && odd === 0) return { encoding: 'utf-16be', certain: false };
  return { encoding: 'utf-8', certain: false };
}

/**
 * The dialect of a CSV file in UTF-8: the delimiter is the one by which most of the first records have as many fields as the
 * header, the more fields the better; a comma where there is but one column.
 */
export function sniffDialect(bytes: Uint8Array): Dialect {
  const sample = bytes.subarray(0, sampleEnd(bytes));
  const scores = delimiters.map((delimiter) => score(sample, delimiter));
  const best = scores.indexOf(Math.max(...scores));
  return {
    delimiter: delimiters[best],
    quoted: sample.includes(quotationMark),
    lineEnds: lineEndsOf(sample),
    byteOrderMark: bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf,
    paddedShare: paddedShareOf(sample, delimiters[best].charCodeAt(0)),
  };
}

const sampleBytes = 256 * 1024;
const quotationMark = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const blank = 0x20;

/** So many whole lines as the sample has room for. */
function sampleEnd(bytes: Uint8Array): number {
  if (bytes.length <= sampleBytes) return bytes.length;
  const last = Math.max(bytes.lastIndexOf(lineFeed, sampleBytes), bytes.lastIndexOf(carriageReturn, sampleBytes));
  return last < 0 ? sampleBytes : last + 1;
}

/** How many delimiters its header has, weighed by the share of records that have so many; a header with faults counts half. */
function score(sample: Uint8Array, delimiter: Delimiter): number {
  try {
    const { header, lines, malformed } = readCsv(sample, { file: '', delimiter });
    const records = lines.length + malformed.length;
    const share = records === 0 ? 1 : lines.length / records;
    return share < 0.5 ? 0 : (header.length - 1) * share;
  } catch (error) {
    if (error instanceof FileRejected) return inFirstLine(sample, delimiter) / 2;
    throw error;
  }
}

function inFirstLine(sample: Uint8Array, delimiter: Delimiter): number {
  const end = sample.findIndex((byte) => byte === lineFeed || byte === carriageReturn);
  const line = Buffer.from(sample.subarray(0, end < 0 ? sample.length : end)).toString('latin1');
  return line.replaceAll(/"[^"]*"/g, '').split(delimiter).length - 1;
}

function paddedShareOf(sample: Uint8Array, delimiter: number): number {
  let found = 0;
  let padded = 0;
  for (let i = 0; i < sample.length; i++) {
    if (sample[i] !== delimiter) continue;
    found++;
    if (sample[i + 1] === blank) padded++;
  }
  return found === 0 ? 0 : padded / found;
}

function lineEndsOf(sample: Uint8Array): Dialect['lineEnds'] {
  const found = new Set<'LF' | 'CRLF' | 'CR'>();
  for (let i = 0; i < sample.length; i++) {
    if (sample[i] === lineFeed) found.add(sample[i - 1] === carriageReturn ? 'CRLF' : 'LF');
    else if (sample[i] === carriageReturn && sample[i + 1] !== lineFeed) found.add('CR');
  }
  const [only = 'none'] = found;
  return found.size > 1 ? 'mixed' : only;
}
