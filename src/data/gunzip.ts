import { gunzipSync } from 'node:zlib';
import { FileRejected } from './file-rejected.ts';

/** Tables shrink to a third or a thirtieth; what shrinks more than this is made to fill a reader's memory (gzip reaches 1,032). */
const largestRatio = 200;
/** A small file of one repeated value may be any ratio: this much does no harm. */
const harmlessBytes = 16 * 2 ** 20;

/**
 * The bytes inside a gzip file (all of its members). Throws `FileRejected`: `too-large` above `mostBytes` or a ratio that no
 * table has, before that much is in memory; `damaged` where it is cut off, its checksum is wrong, or something follows it.
 */
export function gunzip(bytes: Uint8Array, file: string, mostBytes: number): Uint8Array {
  const limit = Math.min(mostBytes, Math.max(harmlessBytes, largestRatio * bytes.length));
  try {
    const { buffer, engine } = gunzipSync(bytes, { maxOutputLength: limit, info: true }) as unknown as Inflated;
    const rest = bytes.length - engine.bytesWritten;
    if (rest === 0) return buffer;
    throw new FileRejected('damaged', file, `${rest} bytes follow the end of its gzip stream`, 'Compress it again.');
  } catch (error) {
    if (error instanceof FileRejected) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      const reason = `its ${bytes.length} bytes of gzip hold more than ${limit} bytes, the limit for its size`;
      throw new FileRejected('too-large', file, reason, 'Drop it in several parts.');
    }
    throw new FileRejected('damaged', file, `its gzip stream is broken: ${(error as Error).message}`, 'Send it again.');
  }
}

/** With `info`, Node gives the inflater too, which knows how many bytes it has taken. */
type Inflated = { buffer: Uint8Array; engine: { bytesWritten: number } };
