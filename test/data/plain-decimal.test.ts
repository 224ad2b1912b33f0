import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainDecimal } from '../../src/data/plain-decimal.ts';

describe('numbers with an exponent', () => {
  test.each([
    ['1e5', '100000'],
    ['1.5e-05', '0.000015'],
    ['-1.25e+1', '-12.5'],
    ['12.345E2', '1234.5'],
    ['100e-2', '1'],
    ['0.00012e3', '0.12'],
    ['0e0', '0'],
  ])('%s is %s', (written, plain) => {
    expect(plainDecimal(written)).toBe(plain);
  });

  test.each(['120', '-0.5', '007', '1e', 'NaN', '1e401', '1,5e3', ''])('"%s" is left alone', (text) => {
    expect(plainDecimal(text)).toBe(text);
  });

  test('every double that a program writes is the same double without its exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const plain = plainDecimal(value.toExponential());
        expect(plain).toMatch(/^-?(0|[1-9]\d*)(\.\d+)?$/);
        expect(Number(plain)).toBe(value === 0 ? Number(plain) : value);
      }),
    );
  });
});
