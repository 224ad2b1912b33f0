import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileRejected } from '../../src/data/file-rejected.ts';
import { formatOf } from '../../src/data/format.ts';
import { type ReadOptions, type Records, readRecords } from '../../src/data/records.ts';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import type { Texts } from '../../src/data/text-column.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (given: string | Uint8Array, options: Partial<ReadOptions> = {}) =>
  readRecords(typeof given === 'string' ? bytesOf(given) : given, {
    file: 'a',
    delimiter: ',',
    encoding: 'utf-8',
    ...options,
  });

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const texts = (data: Texts): (string | null)[] =>
  Array.from({ length: data.length }, (_, row) =>
    ((data.nullBitmap[row >> 3] >> (row & 7)) & 1) === 1
      ? decoder.decode(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]))
      : null,
  );
const rowsOf = ({ header, fields, lines }: Records) => {
  const columns = fields.map(texts);
  return Array.from(lines, (_, row) => Object.fromEntries(header.map((name, c) => [name, columns[c][row]])));
};
const broken = ({ malformed }: Records) => malformed.map(({ line, rule }) => [line, rule]);

async function codeOf(given: string | Uint8Array, options: Partial<ReadOptions> = {}): Promise<string> {
  const error = await read(given, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof FileRejected) return error.code;
  throw new Error('the file was not rejected', { cause: error });
}

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());
const parquet = async (query: string) => (await sql.parquet(query)).bytes;

describe('JSON lines', () => {
  test('are told from CSV by their first character, whatever stands before it', () => {
    expect(
      ['{"a":1}', '\uFEFF {"a":1}', '\n\n{"a":1}', 'a,b\n{"x":1},2'].map((text) => formatOf(bytesOf(text))),
    ).toEqual(['jsonl', 'jsonl', 'jsonl', 'csv']);
  });

  test('keep texts and digits as they are written; missing keys, null and empty texts are missing', async () => {
    const text =
      '{"id":"a","n":12345678901234567890,"ok":true}\r\n\n{ "n" : 1.50, "id":"b" , "late":"\\u00e9\\"x" }\n{"id":"","n":null,"late":"1e5","ok":1e5}';
    const records = await read(text);
    expect(records.format).toBe('jsonl');
    expect(rowsOf(records)).toEqual([
      { id: 'a', n: '12345678901234567890', ok: 'true', late: null },
      { id: 'b', n: '1.50', ok: null, late: 'é"x' },
      { id: null, n: null, ok: '100000', late: '1e5' },
    ]);
    expect([...records.lines]).toEqual([1, 3, 4]);
    expect([...records.byteOffsets!]).toEqual([0, text.indexOf('{ "n"'), text.indexOf('{"id":""')]);
    expect(texts(records.raw)[1]).toBe('{ "n" : 1.50, "id":"b" , "late":"\\u00e9\\"x" }');
  });

  test('a line that is no flat object is malformed, by its rule, and its neighbours are not', async () => {
    const records = await read(
      '{"a":1}\n{"a":1\n[1]\n3\n{"a":{"b":1}}\n{"a":[]}\n{"a":1,"a":2}\n{"a":{"b":1},"a":2}\n{"a":"\\ud800"}\n{"a":"\\u0000"}\n{}\n{"a":2}',
    );
    expect(broken(records)).toEqual([
      [2, 'jsonl.object'],
      [3, 'jsonl.object'],
      [4, 'jsonl.object'],
      [5, 'jsonl.flat'],
      [6, 'jsonl.flat'],
      [7, 'jsonl.keys'],
      [8, 'jsonl.flat'],
      [9, 'jsonl.text'],
      [10, 'jsonl.text'],
    ]);
    expect(rowsOf(records)).toEqual([{ a: '1' }, { a: null }, { a: '2' }]);
  });

  test('names of an object’s prototype are columns like others', async () => {
    expect(rowsOf(await read('{"__proto__":"x","constructor":"y"}'))).toEqual([
      Object.fromEntries([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    ]);
  });

  test.each([
    ['{"A":1,"a":2}', 'duplicate-columns', {}],
    ['{"":1}', 'malformed-header', {}],
    ['', 'empty', { format: 'jsonl' }],
    ['a,b\n1,2', 'wrong-format', { format: 'jsonl' }],
    ['{}\n{}', 'wrong-format', {}],
    ['{"a":1,"b":2,"c":3}', 'too-many-columns', { limits: { columns: 2 } }],
    [`{"a":"${'x'.repeat(100)}"}`, 'line-too-long', { limits: { lineBytes: 50 } }],
    ['{"a":1}', 'too-large', { limits: { fileBytes: 3 } }],
  ] as const)('%s is refused as %s', async (text, code, options) => {
    expect(await codeOf(text, options)).toBe(code);
  });

  test('what JSON.stringify writes of flat objects is read as it was', async () => {
    const scalar = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null));
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c d', 'é'), scalar, { minKeys: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 5 }), async (objects) => {
        const clean = objects.filter((one) => !JSON.stringify(one).includes('\\u0000'));
        fc.pre(clean.length > 0);
        const rows = rowsOf(await read(clean.map((one) => JSON.stringify(one)).join('\n')));
        expect(
          rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))),
        ).toEqual(
          clean.map((one) =>
            Object.fromEntries(
              Object.entries(one).flatMap(([key, value]) =>
                value === null || value === '' ? [] : [[key, String(value)]],
              ),
            ),
          ),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('gzip', () => {
  test('may lie around CSV, JSON lines and Parquet', async () => {
    expect(rowsOf(await read(gzipSync('a,b\n1,2\n')))).toEqual([{ a: '1', b: '2' }]);
    expect((await read(gzipSync('{"a":1}'))).format).toBe('jsonl');
    expect((await read(gzipSync(await parquet('SELECT 1 AS a')))).format).toBe('parquet');
  });

  test('of several members is one file', async () => {
    expect(rowsOf(await read(Buffer.concat([gzipSync('a\n1\n'), gzipSync('2\n')])))).toEqual([{ a: '1' }, { a: '2' }]);
  });

  const whole = gzipSync(`a,b\n${'1,2\n'.repeat(100)}`);
  test.each([
    ['cut off', whole.subarray(0, -10)],
    ['with a wrong checksum', Buffer.from(whole).fill(1, whole.length - 8, whole.length - 4)],
    ['with something behind it', Buffer.concat([whole, Buffer.from('x,y')])],
    ['with a broken middle', Buffer.from(whole).fill(255, 15, 20)],
  ])('%s is damaged', async (_, bytes) => {
    expect(await codeOf(bytes)).toBe('damaged');
  });

  test('6. a bomb is refused by its ratio before it is unpacked whole', async () => {
    const bomb = gzipSync(new Uint8Array(64 * 2 ** 20));
    expect(bomb.length).toBeLessThan(70_000);
    expect(await codeOf(bomb)).toBe('too-large');
    expect(await codeOf(whole, { limits: { fileBytes: 100 } })).toBe('too-large');
  });
});

describe('encodings', () => {
  test('2. a declared one is read as such, and nothing is guessed', async () => {
    const latin = Buffer.from('name\nJosé €\n', 'latin1');
    latin[latin.length - 2] = 0x80;
    expect(rowsOf(await read(latin, { encoding: 'windows-1252' }))).toEqual([{ name: 'José €' }]);
    expect(await codeOf(latin)).toBe('not-text');
    expect(rowsOf(await read(Buffer.from('\uFEFFname\nJosé\n', 'utf16le'), { encoding: 'utf-16le' }))).toEqual([
      { name: 'José' },
    ]);
  });

  test('2. bytes that it does not know are refused, never replaced', async () => {
    expect(await codeOf(Buffer.from([0x61, 0x0a, 0x81]), { encoding: 'windows-1252' })).toBe('not-text');
    expect(await codeOf(Buffer.from('a\n1', 'utf16le').subarray(0, 5), { encoding: 'utf-16le' })).toBe('not-text');
  });
});

describe('Parquet', () => {
  test('is read as the texts that CSV would have', async () => {
    const records = await read(
      await parquet(`SELECT * FROM (VALUES
        (1::BIGINT, 120.0::DOUBLE, 0.00001::DOUBLE, 12.50::DECIMAL(9,2), true, 'x,"y"', DATE '2026-02-01', TIMESTAMPTZ '2026-02-01 10:00:00.5+02', TIMESTAMP_NS '2026-02-01 10:00:00.000001'),
        (NULL, NULL, 'nan'::DOUBLE, NULL, NULL, '', NULL, NULL, NULL)) AS t(i, f, e, d, b, s, day, "at", ns)`),
    );
    expect(rowsOf(records)).toEqual([
      {
        i: '1',
        f: '120',
        e: '0.00001',
        d: '12.50',
        b: 'true',
        s: 'x,"y"',
        day: '2026-02-01',
        at: '2026-02-01 08:00:00.5Z',
        ns: '2026-02-01 10:00:00.000001',
      },
      { i: null, f: null, e: 'nan', d: null, b: null, s: null, day: null, at: null, ns: null },
    ]);
    expect([...records.lines]).toEqual([1, 2]);
    expect(records.byteOffsets).toBe(undefined);
    expect(JSON.parse(texts(records.raw)[1]!)).toEqual({
      i: null,
      f: null,
      e: 'nan',
      d: null,
      b: null,
      s: null,
      day: null,
      at: null,
      ns: null,
    });
  });

  test('columns that hold no single values are named', async () => {
    const records = await read(await parquet(`SELECT 1 AS a, [1, 2] AS list, 'x'::BLOB AS bin, {'k': 1} AS struct`));
    expect(records.unreadable!.map(({ name }) => name)).toEqual(['list', 'bin', 'struct']);
  });

  test('is refused where the contract asks for it and something else comes', async () => {
    expect(await codeOf('a\n1\n', { format: 'parquet' })).toBe('wrong-format');
    expect(await codeOf(await parquet('SELECT 1 AS a'), { format: 'csv' })).toBe('not-text');
  });

  test('6. limits hold for what is inside', async () => {
    const bytes = await parquet(`SELECT repeat('x', 1000) AS a FROM range(1000)`);
    expect(await codeOf(bytes, { limits: { fileBytes: 100_000 } })).toBe('too-large');
    expect(await codeOf(bytes, { limits: { columns: 0 } })).toBe('too-many-columns');
  });

  test('7. files with random bytes changed are read or refused by name, and end no process', async () => {
    const bytes = await parquet(`SELECT i AS a, 'text ' || (i % 7) AS b, i / 3 AS c FROM range(500) t(i)`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const damaged = Uint8Array.from(bytes);
          for (const [at, value] of changes) damaged[at] = value;
          const outcome = await read(damaged, { format: 'parquet' }).then(
            () => 'read',
            (error: unknown) => (error instanceof FileRejected ? error.code : error),
          );
          expect(['read', 'damaged', 'wrong-format', 'too-large']).toContain(outcome);
        },
      ),
      { numRuns: 40, seed: 7 },
    );
  });

  const damagedFolder = new URL('../../../shared/data/parquet_torture/bad_data/', import.meta.url);
  const present = existsSync(damagedFolder);
  if (!present) console.warn('skipped: ../shared/data/parquet_torture is not there');
  const files = present ? readdirSync(damagedFolder).filter((name) => name.endsWith('.parquet')) : [];

  test.skipIf(!present)(
    '7. damaged files of others: most are refused, the rest read whole (needs ../shared/data/parquet_torture)',
    async () => {
      const became: { [file: string]: string } = {};
      for (const name of files) {
        became[name] = await read(readFileSync(new URL(name, damagedFolder)), { file: name }).then(
          () => 'read',
          (error: unknown) => (error instanceof FileRejected ? error.code : String(error)),
        );
      }
      expect(files.length).toBeGreaterThan(5);
      expect(Object.values(became).filter((code) => code !== 'read' && code !== 'damaged')).toEqual([]);
      expect(Object.values(became).filter((code) => code === 'damaged').length).toBeGreaterThanOrEqual(4);
    },
  );
});
