import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvFile, type CsvOptions, readCsv } from '../../src/data/csv.ts';
import { FileRejected } from '../../src/data/file-rejected.ts';
import type { Texts } from '../../src/data/text-column.ts';

const read = (text: string | Uint8Array, options: Partial<CsvOptions> = {}): CsvFile =>
  readCsv(typeof text === 'string' ? new TextEncoder().encode(text) : text, {
    file: 'a.csv',
    delimiter: ',',
    ...options,
  });

// Arrow's own reader drops a byte-order mark at the beginning of a text
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const texts = (data: Texts): (string | null)[] =>
  Array.from({ length: data.length }, (_, row) =>
    ((data.nullBitmap[row >> 3] >> (row & 7)) & 1) === 1
      ? decoder.decode(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]))
      : null,
  );

type Row = Record<string, string>;

/** The well-formed records as arrays, missing values as ''. */
const records = (csv: CsvFile): string[][] => {
  const columns = csv.fields.map(texts);
  return Array.from(csv.lines, (_, row) => columns.map((column) => column[row] ?? ''));
};

const rejection = (text: string | Uint8Array, options: Partial<CsvOptions> = {}): FileRejected => {
  try {
    read(text, options);
  } catch (error) {
    if (error instanceof FileRejected) return error;
    throw error;
  }
  throw new Error('the file was not rejected');
};

describe('well-formed files', () => {
  test.each([
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['CR', 'a,b\r1,2\r3,4\r'],
    ['a mixture', 'a,b\r\n1,2\n3,4\r'],
    ['no end of the last line', 'a,b\n1,2\n3,4'],
    ['a byte-order mark', '\uFEFFa,b\n1,2\n3,4\n'],
    ['quoted fields', '"a","b"\n"1","2"\n"3",4'],
  ])('line ends: %s', (_, text) => {
    const csv = read(text);
    expect(csv.header).toEqual(['a', 'b']);
    expect(records(csv)).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
    expect([...csv.lines]).toEqual([2, 3]);
    expect([csv.malformed, csv.blankLines]).toEqual([[], 0]);
  });

  test('1. quoted delimiters, line ends and quotation marks are part of the value, and lines are lines of the file', () => {
    const csv = read('a,b\n"x,y","say ""hi"""\n"two\r\nlines\rthree",2\n5,6\n');
    expect(records(csv)).toEqual([
      ['x,y', 'say "hi"'],
      ['two\r\nlines\rthree', '2'],
      ['5', '6'],
    ]);
    expect([...csv.lines]).toEqual([2, 3, 6]);
    expect(texts(csv.raw)).toEqual(['"x,y","say ""hi"""', '"two\r\nlines\rthree",2', '5,6']);
  });

  test('in a field that is not quoted a quotation mark is a character', () => {
    expect(records(read('a,b\n5\'11",x"\n'))).toEqual([['5\'11"', 'x"']]);
  });

  test('an empty field is missing, quoted or not, and spaces stay', () => {
    const csv = read('a,b,c\n,"", \n');
    expect(csv.fields.map(texts)).toEqual([[null], [null], [' ']]);
  });

  test('1. a header alone is a file without rows', () => {
    expect(records(read('a,b\n'))).toEqual([]);
    expect(read('a,b').header).toEqual(['a', 'b']);
  });

  test('blank lines are counted and are no rows, except where there is one column', () => {
    const csv = read('\na,b\n1,2\n\n\r\n3,4\n\n');
    expect([records(csv).length, csv.blankLines]).toEqual([2, 3]);
    expect([...csv.lines]).toEqual([3, 6]);
    expect(records(read('a\n1\n\n2\n'))).toEqual([['1'], [''], ['2']]);
  });

  test('3. headers called __proto__ and constructor are ordinary names', () => {
    const csv = read('__proto__,constructor,toString\n1,2,3\n');
    expect(csv.header).toEqual(['__proto__', 'constructor', 'toString']);
    expect(records(csv)).toEqual([['1', '2', '3']]);
  });

  test('other delimiters', () => {
    expect(records(read('a;b\n1,5;2\n', { delimiter: ';' }))).toEqual([['1,5', '2']]);
    expect(records(read('a\tb\n"x\ty"\t\n', { delimiter: '\t' }))).toEqual([['x\ty', '']]);
  });
});

describe('malformed records cost themselves and no neighbour', () => {
  const malformed = (text: string) => {
    const csv = read(text);
    return {
      rows: records(csv).map((row) => row.join('|')),
      faults: csv.malformed.map(({ line, byteOffset, rule, raw }) => [line, byteOffset, rule, raw]),
    };
  };

  test('4. short and long rows', () => {
    expect(malformed('a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12,\n13,14,15\n')).toEqual({
      rows: ['1|2|3', '13|14|15'],
      faults: [
        [3, 12, 'csv.fields', '4,5'],
        [4, 16, 'csv.fields', '6,7,8,9'],
        [5, 24, 'csv.fields', '10,11,12,'],
      ],
    });
    expect(read('a,b\n1\n').malformed[0].reason).toBe('it has 1 fields, the header has 2');
  });

  test('4. a quotation mark that is never closed', () => {
    expect(malformed('a,b\n1,"2\n3,4\n5,6')).toEqual({
      rows: ['3|4', '5|6'],
      faults: [[2, 4, 'csv.unclosed-quote', '1,"2']],
    });
    expect(malformed('a,b\n1,2\n3,"4')).toEqual({ rows: ['1|2'], faults: [[3, 8, 'csv.unclosed-quote', '3,"4']] });
  });

  test('a quotation mark that the next quoted field seems to close', () => {
    expect(malformed('a,b\n1,"2\n"3",4\n5,6\n')).toEqual({
      rows: ['3|4', '5|6'],
      faults: [[2, 4, 'csv.text-after-quote', '1,"2']],
    });
  });

  test('text after a closing quotation mark', () => {
    expect(malformed('a,b\n"3"y,4\n"5" ,6\n7,8\n')).toEqual({
      rows: ['7|8'],
      faults: [
        [2, 4, 'csv.text-after-quote', '"3"y,4'],
        [3, 11, 'csv.text-after-quote', '"5" ,6'],
      ],
    });
  });

  test('4. lines after a fault keep their numbers', () => {
    const csv = read('a,b\n"x\ny",1\n2,"3\n4,5\n');
    expect([...csv.lines]).toEqual([2, 5]);
    expect(csv.malformed[0].line).toBe(4);
  });
});

describe('refused files', () => {
  test('1. empty ones', () => {
    for (const text of ['', '\uFEFF', '\n\n', '\r\n']) expect(rejection(text).code).toBe('empty');
  });

  test('2. what is not text, with the place of the first wrong byte', () => {
    const latin1 = Uint8Array.from(Buffer.from('a,b\n1,M\xfcller\n', 'latin1'));
    expect(rejection(latin1)).toMatchObject({
      code: 'not-text',
      message: expect.stringContaining('byte 7 (on line 2) is not UTF-8'),
    });
    expect(rejection('a,b\n1,x\0y\n').message).toContain('byte 7 (on line 2) is NUL');
    expect(rejection(Buffer.from('\uFEFFa,b\n', 'utf16le')).message).toContain('it seems to be UTF-16');
    expect(rejection(Uint8Array.of(0x1f, 0x8b, 8, 0)).message).toContain('gzip');
    expect(rejection(Uint8Array.of(0x61, 0x0a, 0xe2, 0x82)).message).toContain('byte 2 (on line 2)');
    expect(rejection(Uint8Array.of(0x61, 0xc3, 0xa4, 0xed, 0xa0, 0x80)).message).toContain('byte 3'); // a lone surrogate
  });

  test('headers that repeat, lack a name or are broken', () => {
    expect(rejection('a,b,A\n')).toMatchObject({ code: 'duplicate-columns', message: expect.stringContaining('"A"') });
    expect(rejection('a,,c\n')).toMatchObject({
      code: 'malformed-header',
      message: expect.stringContaining('column 2'),
    });
    expect(rejection('a,"b\n1,2\n').code).toBe('malformed-header');
  });

  test('6. files, lines and headers beyond the caps', () => {
    expect(rejection('a,b\n1,2\n', { limits: { fileBytes: 7 } }).code).toBe('too-large');
    expect(rejection('a,b,c\n', { limits: { columns: 2 } })).toMatchObject({
      code: 'too-many-columns',
      message: expect.stringContaining('3 columns'),
    });
    expect(rejection(`a,b\n1,${'x'.repeat(100)}\n`, { limits: { lineBytes: 64 } })).toMatchObject({
      code: 'line-too-long',
      message: expect.stringContaining('line 2'),
    });
    expect(rejection(`a,b\n1,"${'x'.repeat(100)}"\n`, { limits: { lineBytes: 64 } }).code).toBe('line-too-long');
  });

  test('a multi-line field beyond the cap is an unclosed quotation mark', () => {
    const csv = read(`a,b\n1,"${'x\n'.repeat(100)}"\n`, { limits: { lineBytes: 64 } });
    expect(csv.malformed[0]).toMatchObject({ rule: 'csv.unclosed-quote', line: 2, raw: '1,"x' });
  });

  test('a row of very many fields is one malformed row', () => {
    const csv = read(`a,b\n${','.repeat(5000)}\n1,2\n`, { limits: { columns: 10 } });
    expect(csv.malformed[0].reason).toBe('it has 5001 fields, the header has 2');
    expect(records(csv)).toEqual([['1', '2']]);
  });
});

describe('what others wrote', () => {
  const folder = new URL('../../../shared/data/csv_torture/', import.meta.url);
  const present = existsSync(folder);
  if (!present) console.warn('test/data/csv.test.ts: ../shared/data/csv_torture is absent, its tests are skipped');

  const names = present ? readdirSync(new URL('csvs/', folder)).map((name) => name.replace('.csv', '')) : [];
  test.skipIf(!present).each(names)('8. csv-spectrum %s (needs ../shared/data/csv_torture)', (name) => {
    const csv = read(readFileSync(new URL(`csvs/${name}.csv`, folder)));
    const expected = JSON.parse(readFileSync(new URL(`json/${name}.json`, folder), 'utf8')) as Row | Row[];
    const found = records(csv).map((row) => Object.fromEntries(csv.header.map((header, c) => [header, row[c]])));
    expect(csv.malformed).toEqual([]);
    // the expectation of location_coordinates is one object, and its telephone number is not the one of its CSV
    const rows = Array.isArray(expected) ? expected : [{ ...expected, 'Contact Phone Number': '2095257564' }];
    expect(found).toEqual(rows);
  });

  test.skipIf(!present)('8. every naughty string survives quoting (needs ../shared/data/csv_torture)', () => {
    const strings = JSON.parse(readFileSync(new URL('blns.json', folder), 'utf8')) as string[];
    const quoted = strings.map((text, i) => `"${text.replaceAll('"', '""')}",${i}`);
    const csv = read(`text,n\n${quoted.join('\n')}\n`);
    expect(records(csv).map(([text]) => text)).toEqual(strings.map((text) => text.toWellFormed()));
  });
});

describe('properties', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '😀', '0'), maxLength: 6 });
  const table = fc
    .integer({ min: 2, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 8 }));

  test('what is written by the rules is read back, whatever the values', () => {
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n', '\r'), (rows, lineEnd) => {
        const header = (rows[0] ?? ['', '']).map((_, c) => `c${c}`);
        const lines = [header, ...rows].map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(','));
        expect(records(read(lines.join(lineEnd)))).toEqual(rows);
      }),
    );
  });

  test('8. of any text every byte is in a record, a malformed record, a line end or a blank line', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '1', '"', '""', ',', '\n', '\r\n', '\r', '😀'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(text, (body) => {
        const csv = read(`x,y\n${body}`);
        const pieces = [
          ...texts(csv.raw).map((raw, row) => [csv.lines[row], raw ?? ''] as const),
          ...csv.malformed.map(({ line, raw }) => [line, raw] as const),
        ];
        const found = pieces
          .toSorted(([a], [b]) => a - b)
          .map(([, raw]) => raw)
          .join('\n');
        const plain = (value: string): string => value.replaceAll(/[\r\n]+/g, '\n').replace(/^\n|\n$/g, '');
        expect(plain(found)).toBe(plain(body));
      }),
    );
  });
});
