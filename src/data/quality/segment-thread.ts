/** The thread of a `SecondReader`: it answers each request once, in their order. */
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type CsvSegment, CsvSegments } from '../csv-segments.ts';
import { readersOf } from './readers.ts';
import type { Found, Request, SecondReading } from './second-reader.ts';
import { type SegmentFile, writeSegment } from './segment-files.ts';

const { file, header, columns, options } = workerData as SecondReading;
const segments = new CsvSegments((...place) => readSync(file, ...place), header, options);
const readers = readersOf(columns);
let segment: CsvSegment | undefined;
let before: Promise<void> = Promise.resolve();

parentPort!.on('message', (request: Request) => {
  before = before.then(async () => {
    // what fails the other thread does itself, and says what is wrong
    parentPort!.postMessage(await answer(request).catch(() => undefined));
  });
});

async function answer(request: Request): Promise<Found | SegmentFile | undefined> {
  if ('write' in request) return written(request.write, request.line);
  // nothing of a segment that nobody took may come into the next
  for (const reader of readers) reader.take();
  const from = await segments.guess(request.guess);
  if (from === undefined) return undefined;
  segment = await segments.read({ byteOffset: from, line: 1 }, readers);
  return { from, next: segment.next };
}

async function written(path: string, line: number): Promise<SegmentFile> {
  const { lines, odd, ...rest } = segment!;
  const more = line - 1;
  const shift = (places: Int32Array): Int32Array => places.map((place) => place + more);
  const malformed = odd.malformed.map((record) => ({ ...record, line: record.line + more }));
  const moved = { ...rest, lines: shift(lines), odd: { ...odd, lines: shift(odd.lines), malformed } };
  return writeSegment(path, moved, readers);
}
