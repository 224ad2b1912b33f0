import { FileRejected } from './file-rejected.ts';
import { lineAt } from './plain-text.ts';

/** What a contract may declare; UTF-8 is what everything else is turned into. */
export const encodings = ['utf-8', 'windows-1252', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];

/**
 * The text as UTF-8 bytes. Nothing is replaced: a byte that the encoding does not know is a `FileRejected` (`not-text`) with its
 * place. UTF-8 itself is returned as it is, for its reader checks it.
 */
export function toUtf8(bytes: Uint8Array, encoding: Encoding, file: string): Uint8Array {
  if (encoding === 'utf-8') return bytes;
  if (encoding === 'windows-1252') {
    const unknown = bytes.findIndex((byte) => unassigned.has(byte));
    if (unknown >= 0)
      throw notText(file, encoding, `byte ${unknown} (on line ${lineAt(bytes, unknown)}) has no character`);
  }
  try {
    return new TextEncoder().encode(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch {
    throw notText(file, encoding, 'it ends within a character, or has half of a surrogate pair');
  }
}

/** The Web's decoder turns these into control characters; the code page has nothing there. */
const unassigned = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

function notText(file: string, encoding: Encoding, reason: string): FileRejected {
  return new FileRejected(
    'not-text',
    file,
    `it is not ${encoding}, which the contract declares: ${reason}`,
    'Correct the encoding.',
  );
}
