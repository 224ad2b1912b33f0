import { createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
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
  const limit = limitFor(bytes.length, mostBytes);
  try {
    const { buffer, engine } = gunzipSync(bytes, { maxOutputLength: limit, info: true }) as unknown as Inflated;
    refuseRest(bytes.length - engine.bytesWritten, file);
    return buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytes.length, limit, file);
    throw refusal(error, file);
  }
}

/** The same from one file to a new one at `path`, a little at a time; `sizeBytes` is how many the first one has. */
export async function gunzipTo(
  path: string,
  source: FileHandle,
  sizeBytes: number,
  { file, mostBytes }: { file: string; mostBytes: number },
): Promise<void> {
  const limit = limitFor(sizeBytes, mostBytes);
  const inflated = createGunzip();
  let size = 0;
  try {
    await pipeline(
      source.createReadStream({ start: 0, autoClose: false }),
      inflated,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          size += chunk.length;
          if (size > limit) throw tooLarge(sizeBytes, limit, file);
          yield chunk;
        }
      },
      createWriteStream(path, { flags: 'wx' }),
    );
  } catch (error) {
    throw refusal(error, file);
  }
  refuseRest(sizeBytes - inflated.bytesWritten, file);
}

function limitFor(sizeBytes: number, mostBytes: number): number {
  return Math.min(mostBytes, Math.max(harmlessBytes, largestRatio * sizeBytes));
}

function tooLarge(sizeBytes: number, limit: number, file: string): FileRejected {
  const reason = `its ${sizeBytes} bytes of gzip hold more than ${limit} bytes, the limit for its size`;
  return new FileRejected('too-large', file, reason, 'Drop it in several parts.');
}

function refuseRest(bytes: number, file: string): void {
  if (bytes === 0) return;
  throw new FileRejected('damaged', file, `${bytes} bytes follow the end of its gzip stream`, 'Compress it again.');
}

/** What zlib says of a stream is about the file; what the disk says is not. */
function refusal(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !(error as NodeJS.ErrnoException).code?.startsWith('Z_')) return error;
  return new FileRejected('damaged', file, `its gzip stream is broken: ${error.message}`, 'Send it again.');
}

/** With `info`, Node gives the inflater too, which knows how many bytes it has taken. */
type Inflated = { buffer: Uint8Array; engine: { bytesWritten: number } };
