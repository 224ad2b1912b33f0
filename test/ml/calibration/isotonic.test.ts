import { readFileSync } from 'node:fs';
import { array, assert, integer, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { applyIsotonic, fitIsotonic } from '../../../src/ml/calibration/isotonic.ts';

const { isotonic: fixture } = JSON.parse(
  readFileSync(new URL('../../fixtures/calibration/calibration.json', import.meta.url), 'utf8'),
) as { isotonic: Record<'x' | 'y' | 'w' | 'grid' | 'plain' | 'weighted', number[]> };
const [x, y, w, grid] = [fixture.x, fixture.y, fixture.w, fixture.grid].map((values) => Float64Array.from(values));

test.each([
  ['plain', undefined],
  ['weighted', w],
] as const)('%s isotonic regression agrees with scikit-learn, ties and both outsides included', (name, weight) => {
  const fitted = applyIsotonic(fitIsotonic(x, y, weight), grid);
  fixture[name].forEach((value, i) => expect(fitted[i]).toBeCloseTo(value, 9));
});

test('the fit never falls, keeps the mean, and no other monotone step beats it', () => {
  assert(
    property(
      array(tuple(integer({ min: 0, max: 8 }), integer({ min: -20, max: 20 })), {
        minLength: 1,
        maxLength: 30,
      }),
      (rows) => {
        const score = Float64Array.from(rows, ([a]) => a);
        const label = Float64Array.from(rows, ([, b]) => b);
        const isotonic = fitIsotonic(score, label);
        const fitted = applyIsotonic(isotonic, score);
        for (let i = 1; i < isotonic.values.length; i++) {
          expect(isotonic.values[i]).toBeGreaterThanOrEqual(isotonic.values[i - 1]);
        }
        const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
        expect(sum(fitted)).toBeCloseTo(sum(label), 8);
        // optimality: the residuals are orthogonal to the fit and lean against no increasing step
        expect(sum(fitted.map((value, i) => value * (label[i] - value)))).toBeCloseTo(0, 6);
        for (let step = 0; step <= 8; step++) {
          expect(sum(fitted.map((value, i) => (score[i] >= step ? label[i] - value : 0)))).toBeLessThan(1e-9);
        }
      },
    ),
    { numRuns: 200, seed: 4 },
  );
});

test('survives JSON', () => {
  const fitted = fitIsotonic(x, y);
  expect(applyIsotonic(JSON.parse(JSON.stringify(fitted)) as typeof fitted, grid)).toEqual(applyIsotonic(fitted, grid));
});

test('weights that are all zero are refused', () => {
  expect(() => fitIsotonic(x, y, new Float64Array(x.length))).toThrow('row of positive weight');
});
