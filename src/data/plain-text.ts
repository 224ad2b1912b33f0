import { isUtf8 } from 'node:buffer';
import { FileRejected } from './file-rejected.ts';

/**
 * Throws `FileRejected` (`not-text`) unless all bytes are UTF-8 without NUL, naming the first byte that is not and what the
 * file seems to be. Nothing is ever replaced by U+FFFD: a wrong guess of the encoding would change names silently.
 * `place` is where in the file the bytes begin.
 */
export function refuseBinary(bytes: Uint8Array, file: string, place = { byteOffset: 0, line: 1 }): void {
  const nul = bytes.indexOf(0);
  if (nul < 0 && isUtf8(bytes)) return;
  const wrong = nul >= 0 && isUtf8(bytes.subarray(0, nul)) ? nul : firstInvalidByte(bytes);
  const line = place.line - 1 + lineAt(bytes, wrong);
  const seems =
    place.byteOffset > 0 ? undefined : kinds.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte))?.name;
  const reason = `byte ${place.byteOffset + wrong} (on line ${line}) is ${wrong === nul ? 'NUL' : 'not UTF-8'}${seems ? `; it seems to be ${seems}` : ''}`;
  throw new FileRejected('not-text', file, reason, 'Export it as plain CSV in UTF-8.');
}

const kinds: readonly { name: string; magic: readonly number[] }[] = [
  { name: 'UTF-16', magic: [0xff, 0xfe] },
  { name: 'UTF-16', magic: [0xfe, 0xff] },
  { name: 'compressed by gzip', magic: [0x1f, 0x8b] },
  { name: 'a ZIP archive or Excel workbook', magic: [0x50, 0x4b, 0x03, 0x04] },
  { name: 'an old Excel workbook', magic: [0xd0, 0xcf, 0x11, 0xe0] },
  { name: 'Parquet', magic: [0x50, 0x41, 0x52, 0x31] },
  { name: 'PDF', magic: [0x25, 0x50, 0x44, 0x46] },
];

/** The offset of the first byte that begins no UTF-8 character. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) break;
    at += length;
  }
  return at;
}

/** The line, from 1, on which the byte at `end` stands. */
export function lineAt(bytes: Uint8Array, end: number): number {
  let line = 1;
  for (let i = 0; i < end; i++) {
    if (bytes[i] === 0x0a || (bytes[i] === 0x0d && bytes[i + 1] !== 0x0a)) line++;
  }
  return line;
}
