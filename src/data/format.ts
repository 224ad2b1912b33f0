/** How a file's rows are written. Gzip may lie around each of them. */
export const formats = ['csv', 'jsonl', 'parquet'] as const;
export type Format = (typeof formats)[number];

/** By content: Parquet by its magic number, JSON lines where the first character is `{`, else CSV. */
export function formatOf(bytes: Uint8Array): Format {
  if (startsWith(bytes, 0x50, 0x41, 0x52, 0x31)) return 'parquet';
  const first = bytes.find((byte, i) => !blanks.has(byte) && !(i < 3 && byteOrderMark[i] === byte));
  return first === openingBrace ? 'jsonl' : 'csv';
}

export const isGzip = (bytes: Uint8Array): boolean => startsWith(bytes, 0x1f, 0x8b);

const startsWith = (bytes: Uint8Array, ...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
const byteOrderMark = [0xef, 0xbb, 0xbf];
const blanks = new Set([0x20, 0x09, 0x0a, 0x0d]);
const openingBrace = 0x7b;
