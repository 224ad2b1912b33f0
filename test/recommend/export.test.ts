import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCsv } from '../../src/data/csv.ts';
import { csvText } from '../../src/recommend/csv-text.ts';
import { UnknownExport, exportCsv } from '../../src/recommend/export.ts';
import { sampleRecommend } from './sample.ts';

/** The cells below the header, read back by our own strict reader of RFC 4180. */
function readBack(text: string): string[][] {
  const { fields, malformed, header } = readCsv(new TextEncoder().encode(text), { file: 'export.csv', delimiter: ',' });
  expect(malformed).toEqual([]);
  const columns = fields.map((field) => {
    const { valueOffsets, values } = field;
    const bytes = (i: number) => values.subarray(valueOffsets[i], valueOffsets[i + 1]);
    return Array.from({ length: field.length }, (_, i) =>
      new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes(i)),
    );
  });
  expect(header).toHaveLength(columns.length);
  return Array.from({ length: columns[0].length }, (_, i) => columns.map((column) => column[i]));
}

describe('33. spreadsheet formulas are neutralised in human-facing exports only', () => {
  const formulas = [
    '=1+1',
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","a")',
    '+1',
    '-1+1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
  ];

  test.each(formulas)('%j gets an apostrophe for people', (formula) => {
    expect(readBack(csvText(['a', 'b'], [[formula, 'x']], 'people'))).toEqual([[`'${formula}`, 'x']]);
  });

  test.each(formulas)('%j stays as it is for machines', (formula) => {
    expect(readBack(csvText(['a', 'b'], [[formula, 'x']], 'machines'))).toEqual([[formula, 'x']]);
  });

  test('headers are cells too', () => {
    expect(csvText(['=A1', 'b'], [], 'people')).toBe("'=A1,b\r\n");
  });

  test('numbers, truth values and harmless texts are left alone', () => {
    const cells = [-3.5, 1e21, true, null, undefined, 'a=b', '1-2', "O'Neil", ''];
    expect(csvText(['a'], [cells], 'people')).toBe(`a\r\n-3.5,1e+21,true,,,a=b,1-2,O'Neil,\r\n`);
  });
});

test('whatever stands in cells is read back as it was written', () => {
  const nasty = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"', '""', ',', '\n', '\r\n', ' a ', '"=1",', '\u00a0', 'a"b,c\nd'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(nasty, nasty), { minLength: 1, maxLength: 8 }), (rows) => {
      // a file with a NUL is refused as binary, and half a surrogate pair is no text
      const clean = rows.map((row) => row.map((cell) => cell.replaceAll('\0', '').toWellFormed()));
      expect(readBack(csvText(['a', 'b'], clean, 'machines'))).toEqual(clean);
    }),
    { numRuns: 200 },
  );
});

describe('exports', () => {
  const recommend = sampleRecommend();
  const rows = [1, 2, 3].map((rank) => ({
    rank,
    entityKey: `5f-${rank}`,
    offerId: 'FIT_001',
    offerName: 'Gym, with "sauna"',
    channel: 'sms',
    weightedScore: 81.5,
    reason: '=It suits you.',
  }));

  const written = (name: string): string => {
    const { header, lines } = exportCsv(recommend, name);
    return header + lines(rows);
  };

  test('carry the declared columns in their order, and no more offers of a member than declared', () => {
    expect(written('campaign')).toBe(
      'Member,Offer,Rank,Channel\r\n5f-1,"Gym, with ""sauna""",1,sms\r\n5f-2,"Gym, with ""sauna""",2,sms\r\n',
    );
    expect(written('crm').split('\r\n').slice(0, 2)).toEqual([
      'CONTACT_ID,CAMPAIGN,PRIORITY,WHY',
      "5f-1,FIT_001,81.5,'=It suits you.",
    ]);
    expect(written('crm').split('\r\n')).toHaveLength(5);
  });

  test('are the same in pages as in one piece', () => {
    const { header, lines } = exportCsv(recommend, 'crm');
    expect(header + rows.map((row) => lines([row])).join('')).toBe(written('crm'));
    expect(lines([])).toBe('');
  });

  test('have names', () => {
    expect(() => exportCsv(recommend, 'cmr')).toThrow(UnknownExport);
    expect(() => exportCsv(recommend, 'cmr')).toThrow('Did you mean "crm"?');
  });
});
