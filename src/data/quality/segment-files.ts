import { writeFile } from 'node:fs/promises';
import type { CsvSegment, CsvSegments, Place } from '../csv-segments.ts';
import type { FieldReader } from '../field-readers.ts';
import { type PlainColumn, plainParquet } from '../plain-parquet.ts';
import type { SecondReader, TakenSegment } from './second-reader.ts';

/** A segment whose clean records, so many `rows`, lie in a Parquet file under the names of the contract, with `_line` and `_byte_offset`. */
export type SegmentFile = {
  path: string;
  rows: number;
  /** The sum of their lines in 32 bits. */
  lineSum: number;
  odd: CsvSegment['odd'];
};

export type SegmentsToWrite = {
  segments: CsvSegments;
  first: Place;
  readers: readonly FieldReader[];
  /** Reads every other segment at the same time, where there is one. */
  second: Pick<SecondReader, 'guess' | 'take'> | undefined;
  segmentBytes: number;
  /** Of the file of the segment at a position. */
  pathOf: (index: number) => string;
};

/**
 * Each segment once, in the file's order. Where a segment ends is known only when it has been read, so the second reader begins where
 * the next one should; what it has read is taken if it began exactly there, and else read again here.
 */
export async function* segmentFiles(input: SegmentsToWrite): AsyncGenerator<SegmentFile> {
  const { segments, first, readers, segmentBytes, pathOf } = input;
  let { second } = input;
  let [index, missed] = [0, 0];
  const readHere = async (place: Place, path: string): Promise<{ file: SegmentFile; next: Place | undefined }> => {
    const segment = await segments.read(place, readers);
    return { file: await writeSegment(path, segment, readers), next: segment.next };
  };
  let theirs: (() => Promise<SegmentFile>) | undefined;
  for (let place: Place | undefined = first; place !== undefined;) {
    second?.guess(place.byteOffset + segmentBytes);
    const own = await readHere(place, pathOf(index++));
    if (theirs) yield await theirs();
    yield own.file;
    const [begin, path]: [Place | undefined, string] = [own.next, pathOf(index)];
    const taken: TakenSegment | undefined = begin && (await second?.take(begin, path));
    theirs = taken && (async () => (await taken.written) ?? (await readHere(begin!, path)).file);
    place = taken ? taken.next : begin;
    if (taken) index++;
    missed = taken ? 0 : missed + 1;
    // records so short that their number ends a segment, or that every guess meets a quoted line end
    if (missed === mostMissed) second = undefined;
  }
  if (theirs) yield await theirs();
}

/** So many segments in a row that did not begin where they should: the second reader would go on in vain. */
const mostMissed = 5;

/** Writes what the readers have kept of a segment. */
export async function writeSegment(
  path: string,
  { rows, lines, byteOffsets, odd }: CsvSegment,
  readers: readonly FieldReader[],
): Promise<SegmentFile> {
  const places = [placeColumn('_line', lines), placeColumn('_byte_offset', byteOffsets)];
  await writeFile(path, plainParquet(rows, [...places, ...readers.map((reader) => reader.take())]));
  let lineSum = 0;
  for (let r = 0; r < rows; r++) lineSum = (lineSum + lines[r]) | 0;
  return { path, rows, lineSum, odd };
}

/** A column of ascending integers, one for each row. */
function placeColumn(name: string, values: Int32Array): PlainColumn {
  return {
    name,
    type: 'int32',
    present: values.length,
    presence: new Uint8Array(0),
    values: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    ...(values.length > 0 && { range: { least: values[0], greatest: values.at(-1)! } }),
  };
}
