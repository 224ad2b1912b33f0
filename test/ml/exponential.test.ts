import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ceilLog2, exp, log1p } from '../../src/ml/exponential.ts';
import { random } from '../../src/ml/random.ts';

const root = new URL('../../', import.meta.url).pathname;
const draw = random('exponential');

/** Distance in units of the last place of the expected number. */
const unitsOff = (found: number, expected: number) =>
  Math.abs(found - expected) / (Math.abs(expected) * Number.EPSILON);

describe('the same on every processor', () => {
  test('exp lies within one unit of the last place of the platform’s', () => {
    for (let i = 0; i < 200_000; i++) {
      const x = draw.uniform() * 1400 - 700;
      expect(unitsOff(exp(x), Math.exp(x))).toBeLessThan(1);
    }
  });

  test.each([
    [0, 1],
    [-0, 1],
    [NaN, NaN],
    [Infinity, Infinity],
    [-Infinity, 0],
    [709.782712893384, Math.exp(709.782712893384)],
    [709.79, Infinity],
    [-745.1, 5e-324],
    [-746, 0],
  ])('exp(%d) is %d', (x, expected) => {
    expect(unitsOff(exp(x), expected) < 4 || Object.is(exp(x), expected)).toBe(true);
  });

  test('log1p is as accurate, for small arguments too', () => {
    for (let i = 0; i < 50_000; i++) {
      const x = 10 ** (draw.uniform() * 20 - 18);
      expect(unitsOff(log1p(x), Math.log1p(x))).toBeLessThan(2);
      const below = -Math.min(x, 0.999);
      expect(unitsOff(log1p(below), Math.log1p(below))).toBeLessThan(4);
    }
    expect([log1p(0), log1p(-1), log1p(Infinity), log1p(-2)]).toEqual([0, -Infinity, Infinity, NaN]);
  });

  test('ceilLog2 is exact at powers of two and beside them', () => {
    for (let e = -300; e <= 300; e++) {
      const power = 2 ** e;
      expect(ceilLog2(power)).toBe(e);
      expect(ceilLog2(power * (1 + Number.EPSILON))).toBe(e + 1);
      expect(ceilLog2(power * (1 - Number.EPSILON / 2))).toBe(e);
    }
  });

  test('what a model’s bytes depend on uses none of the functions that processors round otherwise', () => {
    const files = globSync('src/ml/{trees,glm,dense,calibration,encoders,baselines}/**/*.ts', { cwd: root });
    const offenders = [...files, 'src/ml/random.ts'].filter((file) =>
      /^(?!\s*(\*|\/\/)).*Math\.(exp|expm1|log1p|log2|sin|cos|tan|tanh|sinh|cosh)\(/m.test(
        readFileSync(`${root}${file}`, 'utf8'),
      ),
    );
    expect(offenders).toEqual([]);
  });
});
