import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cents, decimalText, millionths } from '../../src/data/decimal-text.ts';
import { FileRejected } from '../../src/data/file-rejected.ts';
import { manifestDifferences, parseManifest } from '../../src/data/manifest.ts';

describe('amounts as texts', () => {
  test('add up exactly where doubles do not', () => {
    const sum = ['0.1', '0.2', '-0.3'].reduce((total, text) => total + millionths(text), 0n);
    expect(decimalText(sum)).toBe('0.00');
    expect(decimalText(millionths('90071992547409930.105'))).toBe('90071992547409930.105');
  });

  test('come back as they were, with two digits at least', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), (amount) => {
        expect(millionths(decimalText(amount))).toBe(amount);
        expect(decimalText(amount)).toMatch(/^-?\d+\.\d{2,6}$/);
      }),
    );
  });

  test.each([
    ['1.004', 100n],
    ['1.005', 101n],
    ['-1.005', -101n],
    ['-1.0049', -100n],
  ])('%s is %s cents', (text, whole) => {
    expect(cents(millionths(text))).toBe(whole);
  });
});

const sha256 = 'a'.repeat(64);
const parse = (document: unknown) =>
  parseManifest(new TextEncoder().encode(JSON.stringify(document)), 'm.manifest.json');
const total = { column: 'charges', dropped: '100.105', accepted: '100.105', quarantined: '0.00', unreadableRows: 0 };

describe('a manifest', () => {
  test.each([
    [{}, 'files is missing'],
    [{ files: [], rows: 1 }, 'files'],
    [{ files: [{ name: 'a.csv' }], row: 1 }, 'no key "row" here. Did you mean "rows"?'],
    [{ files: [{ name: '../a.csv' }], rows: 1 }, 'beside the manifest'],
    [{ files: [{ name: 'a.csv' }, { name: 'a.csv' }], rows: 1 }, 'names the file a.csv twice'],
    [{ files: [{ name: 'a.csv' }], rows: 1, totals: { charges: '1,5' } }, 'totals.charges must be an amount'],
  ])('%j is refused, and says why', (document, reason) => {
    expect(() => parse(document)).toThrow(FileRejected);
    expect(() => parse(document)).toThrow(reason);
  });

  test('agrees with the files to the cent', () => {
    const manifest = parse({
      files: [{ name: 'a.csv', sha256 }, { name: 'b.csv' }],
      rows: 3,
      totals: { charges: '100.11' },
    });
    expect(manifestDifferences(manifest, { files: [{ name: 'a.csv', sha256 }], rows: 3, totals: [total] })).toEqual([]);
  });

  test('disagrees with both figures', () => {
    const manifest = parse({
      files: [{ name: 'a.csv', sha256 }],
      rows: 4,
      totals: { charges: '100.12', premium: '1' },
    });
    const found = {
      files: [{ name: 'a.csv', sha256: 'b'.repeat(64) }],
      rows: 3,
      totals: [{ ...total, unreadableRows: 2 }],
    };
    expect(manifestDifferences(manifest, found)).toEqual([
      expect.stringContaining(`the SHA-256 ${sha256}, it has ${'b'.repeat(64)}`),
      'the manifest says 4 rows, the files have 3',
      'the manifest says that charges adds up to 100.12, in the files it is 100.105 (2 rows have no readable amount)',
      expect.stringContaining('premium, which the contract has not'),
    ]);
  });
});
