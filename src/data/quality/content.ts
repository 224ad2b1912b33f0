import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { csvLimits } from '../csv-scanner.ts';
import { mostStreamedBytes } from '../csv-segments.ts';
import { FileRejected } from '../file-rejected.ts';
import { formatOf, isGzip } from '../format.ts';
import { gunzipTo } from '../gunzip.ts';
import { type StreamInput, validateCsv } from './stream.ts';
import { type Validation, validateFile } from './validate.ts';

/**
 * As `validateFile` for a file on disk that may be large: CSV in UTF-8, also within gzip, is read by segments, in memory that
 * does not grow with it. What else it may be is read whole, and limited to what memory has room for.
 */
export async function validateContent(input: StreamInput): Promise<Validation> {
  const { content, fileName, contract } = input;
  const start = await bytesAt(content, 0, sniffedBytes);
  const { size } = await content.stat();
  if (isGzip(start)) return withinGzip(input, size);

  const format = contract.format ?? formatOf(start);
  if (format === 'csv' && (contract.encoding ?? 'utf-8') === 'utf-8') {
    refuseAbove(mostStreamedBytes, size, fileName);
    return validateCsv(input);
  }
  refuseAbove(csvLimits.fileBytes, size, fileName);
  return validateFile({ ...input, bytes: await bytesAt(content, 0, size) });
}

/** Enough to tell a format by. */
const sniffedBytes = 64 * 1024;

async function withinGzip(input: StreamInput, size: number): Promise<Validation> {
  const path = join(resolve(input.temporaryDirectory ?? tmpdir()), randomUUID());
  try {
    await gunzipTo(path, input.content, size, { file: input.fileName, mostBytes: mostStreamedBytes });
    const content = await open(path);
    try {
      if (isGzip(await bytesAt(content, 0, 2)))
        throw new FileRejected('damaged', input.fileName, 'it is gzip within gzip', 'Compress it once.');
      return await validateContent({ ...input, content });
    } finally {
      await content.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}

function refuseAbove(most: number, size: number, file: string): void {
  if (size <= most) return;
  throw new FileRejected('too-large', file, `it has ${size} bytes, the limit is ${most}`, 'Drop it in several parts.');
}

/** So many bytes from a position on, or those that there are. */
async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (let read = -1; read !== 0 && filled < length; filled += read) {
    read = (await file.read(bytes, filled, length - filled, position + filled)).bytesRead;
  }
  return bytes.subarray(0, filled);
}
