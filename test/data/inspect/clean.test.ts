import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../../src/data/csv.ts';
import { cleanCsv, isPadded } from '../../../src/data/inspect/clean.ts';
import { sniffDialect } from '../../../src/data/inspect/sniff.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const clean = (text: string | Uint8Array, header?: string[]) =>
  new TextDecoder().decode(cleanCsv(typeof text === 'string' ? bytes(text) : text, { file: 'a.csv', header }));

describe('a cleaned file', () => {
  test.each([
    ['blanks beside delimiters and line ends go', 'a , b\n1,  2 \r\n3 ,4', 'a,b\n1,2\r\n3,4'],
    ['blanks within a text stay', 'a, b\nNew York, ny \n', 'a,b\nNew York,ny\n'],
    ['what is quoted stays as it is', 'a, b\n1, " x, ""y"" " \n2, ""\n', 'a,b\n1," x, ""y"" "\n2,""\n'],
    ['a line end within quotation marks is none', 'a, b\n1, "x \n y"\n', 'a,b\n1,"x \n y"\n'],
    ['a quotation mark that is never closed keeps its record broken', 'a, b\n1, "x\n2, y\n', 'a,b\n1,"x\n2, y\n'],
    ['a byte-order mark goes', '\uFEFFa; b\n1; 2\n', 'a;b\n1;2\n'],
    ['an empty field stays empty', 'a, b, c\n1, , \n', 'a,b,c\n1,,\n'],
  ])('%s', (_, given, wanted) => {
    expect(clean(given)).toBe(wanted);
  });

  test('has the header that it was given, out of gzip, and reads as that', () => {
    const text = clean(gzipSync('39, State-gov\n50, Private\n'), ['age', 'work, class']);
    expect(text).toBe('age,"work, class"\n39,State-gov\n50,Private\n');
    expect(readCsv(bytes(text), { file: 'a.csv', delimiter: ',' }).header).toEqual(['age', 'work, class']);
  });

  test('is of CSV alone', () => {
    expect(() => clean('{"a": 1}\n')).toThrow('it is jsonl and no CSV');
  });
});

test('a file is padded where blanks follow most delimiters, and not where some texts have commas', () => {
  const padded = (text: string) => isPadded(sniffDialect(bytes(text)));
  expect(padded('a, b, c\n1, 2, 3\n')).toBe(true);
  expect(padded('name,note,n\n"Doe, J","so, so",1\nx,y,2\n')).toBe(false);
  expect(padded('a\n1\n')).toBe(false);
});
