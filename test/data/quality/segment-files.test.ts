import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Column } from '../../../src/data/contract/contract.ts';
import { CsvSegments } from '../../../src/data/csv-segments.ts';
import { readersOf } from '../../../src/data/quality/readers.ts';
import { SecondReader } from '../../../src/data/quality/second-reader.ts';
import { segmentFiles } from '../../../src/data/quality/segment-files.ts';
import { random } from '../../../src/ml/random.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segments-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const column = (name: string, type: Column['type'], sqlType: string): Column => ({
  name,
  headers: [name],
  type,
  sqlType,
  required: false,
  unique: false,
  primaryKey: false,
});
const columns = [
  column('id', 'integer', 'INTEGER'),
  column('amount', 'number', 'DECIMAL(12,2)'),
  column('note', 'string', 'VARCHAR'),
];
const segmentBytes = 4000;

/** The digests of all files' bytes and what else is said of each segment, read with the help of a second reader on `file`, or without. */
async function read(text: string, second: 'none' | 'thread' | 'broken' | 'forgetful'): Promise<unknown[]> {
  const path = join(folder, 'a.csv');
  await writeFile(path, text);
  const content = await open(path);
  const options = { file: 'a.csv', delimiter: ',' as const, limits: { lineBytes: 300 }, segmentBytes };
  const readAt = async (...place: [Uint8Array, number, number, number]) => (await content.read(...place)).bytesRead;
  const { segments, first } = await CsvSegments.open(readAt, options);
  const toRead = columns.map((described, position) => ({ column: described, position, asText: false }));
  const file = second === 'broken' ? 1_000_000 : content.fd;
  const reading = { file, header: segments.header, columns: toRead, options };
  const reader = second === 'none' ? undefined : SecondReader.start(reading);
  const found = [];
  try {
    const readers = readersOf(toRead);
    const pathOf = (index: number): string => join(folder, `${index}`);
    const forgetful = {
      guess: (byteOffset: number) => reader!.guess(byteOffset),
      take: async (...place: Parameters<SecondReader['take']>) => {
        const taken = await reader!.take(...place);
        await taken?.written;
        return taken && { ...taken, written: Promise.resolve(undefined) };
      },
    };
    const input = { segments, first, readers, second: second === 'forgetful' ? forgetful : reader };
    for await (const staged of segmentFiles({ ...input, segmentBytes, pathOf })) {
      const digest = createHash('sha256')
        .update(await readFile(staged.path))
        .digest('hex');
      found.push({ ...staged, digest });
    }
  } finally {
    await reader?.end();
    await content.close();
  }
  return found;
}

/** Rows some of which go over several lines, one of those looking like a row itself, are blank, malformed or odd. */
function written(rows: number): string {
  const chance = random(20_261_120);
  const notes = [
    'plain',
    '"quoted, twice"',
    '"over\ntwo lines"',
    '"x\n7,1.00,like a row\n8,2.00,"',
    '"with ""marks"""',
    'é€😀',
    '',
  ];
  const odd = ['', ',,,', '1,"unclosed', '1,2.00,x,y', '"1"x,2,3', '+1,1e5,z', '007,-0.001,'];
  const lineEnds = ['\n', '\n', '\r\n', '\r'];
  const lines = Array.from({ length: rows }, (_, i) => {
    const row = `${i},${(chance.uniform() * 1e4).toFixed(2)},${notes[chance.integer(notes.length)]}`;
    return (
      (chance.integer(20) === 0 ? odd[chance.integer(odd.length)] : row) + lineEnds[chance.integer(lineEnds.length)]
    );
  });
  return `id,amount,note\n${lines.join('')}`;
}

describe('two readers give the bytes of one', () => {
  test('what the second has read is taken where a segment begins there, and only there', async () => {
    const text = written(6000);
    const alone = await read(text, 'none');
    expect(alone.length).toBeGreaterThan(25);
    const take = vi.spyOn(SecondReader.prototype, 'take');
    expect(await read(text, 'thread')).toEqual(alone);
    const taken = await Promise.all(take.mock.results.map(async ({ value }) => (await value) !== undefined));
    take.mockRestore();
    expect(taken.filter((was) => was).length).toBeGreaterThan(5);
    expect(taken.filter((was) => !was).length).toBeGreaterThan(1);
  });

  test('a thread that cannot read the file, or not write what it has read, leaves it to the first', async () => {
    const text = written(500);
    expect(await read(text, 'forgetful')).toEqual(await read(text, 'none'));
    expect(await read(text, 'broken')).toEqual(await read(text, 'none'));
  });

  test.each(['', '1,2.00,x', '1,2.00,x\n'])('a file of the header and %j is one segment', async (rows) => {
    const text = `id,amount,note\n${rows}`;
    expect(await read(text, 'thread')).toEqual(await read(text, 'none'));
    expect(await read(text, 'none')).toHaveLength(1);
  });

  test('a file that is no text further on is rejected with the place that one reader names', async () => {
    const text = `${written(1000)}\0`;
    const alone = await read(text, 'none').catch((error: Error) => error.message);
    expect(alone).toContain(`byte ${Buffer.byteLength(text) - 1}`);
    expect(await read(text, 'thread').catch((error: Error) => error.message)).toBe(alone);
  });
});

test('a segment of short records ends before there is no room for more', async () => {
  const bytes = Buffer.from(`n\n${'7\n'.repeat(600_000)}`);
  const readAt = (buffer: Uint8Array, offset: number, length: number, position: number) =>
    bytes.copy(buffer, offset, position, position + length);
  const { segments, first } = await CsvSegments.open(readAt, { file: 'n.csv', delimiter: ',' });
  const readers = readersOf([{ column: column('n', 'integer', 'INTEGER'), position: 0, asText: false }]);
  const one = await segments.read(first, readers);
  expect(readers[0].take().present).toBe(one.rows);
  expect(one.next).toEqual({ byteOffset: 2 + 2 * one.rows, line: 2 + one.rows });
  const other = await segments.read(one.next!, readers);
  expect(one.rows + other.rows).toBe(600_000);
  expect(other).toMatchObject({ next: undefined, odd: { lines: new Int32Array(0) } });
});
