import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyImputer, fitImputer } from '../../../src/ml/encoders/impute.ts';
import { applyOneHot, fitOneHot } from '../../../src/ml/encoders/one-hot.ts';
import { applyOrdinal, fitOrdinal } from '../../../src/ml/encoders/ordinal.ts';
import { applyStandard, fitStandard } from '../../../src/ml/encoders/scale.ts';
import { applyTarget, crossFitTarget, fitTarget } from '../../../src/ml/encoders/target.ts';
import { correlation } from '../../../src/ml/leakage/correlation.ts';
import { random } from '../../../src/ml/random.ts';

type Fixture = {
  region: string[];
  charges: number[];
  bmi: (number | null)[];
  newRegion: string[];
  ordinal: number[];
  newOrdinal: number[];
  newOneHot: number[][];
  newTarget: number[];
  scaled: (number | null)[];
  imputed: Record<'mean' | 'median' | 'mode', number>;
};
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/encoders/encoders.json', import.meta.url), 'utf8'),
) as Fixture;
const bmi = Float64Array.from(fixture.bmi, (value) => value ?? NaN);
const charges = Float64Array.from(fixture.charges);

describe('ordinal', () => {
  test('codes are those of scikit-learn, and an unseen level is missing', () => {
    const encoder = fitOrdinal(fixture.region);
    expect(Array.from(applyOrdinal(encoder, fixture.region))).toEqual(fixture.ordinal);
    expect(Array.from(applyOrdinal(encoder, fixture.newRegion))).toEqual(
      fixture.newOrdinal.map((code) => (code === -1 ? NaN : code)),
    );
  });

  test('an unseen level takes the code of the declared fallback, a missing cell stays missing', () => {
    const encoder = fitOrdinal(['b', 'a', null], { unseen: { level: 'b' } });
    expect(Array.from(applyOrdinal(encoder, ['c', null, 'a', 'constructor']))).toEqual([1, NaN, 0, 1]);
  });

  test('declared levels keep their order', () => {
    const encoder = fitOrdinal(['high'], { levels: ['low', 'high', 'extreme'] });
    expect(Array.from(applyOrdinal(encoder, ['extreme', 'low', 'high']))).toEqual([2, 0, 1]);
  });

  test('booleans and numbers are levels too', () => {
    const encoder = fitOrdinal([true, false, 3]);
    expect(encoder.levels).toEqual(['3', 'false', 'true']);
    expect(Array.from(applyOrdinal(encoder, [true, 3]))).toEqual([2, 0]);
  });

  test('a fallback that is no level, and an identifier taken for a category, are refused', () => {
    expect(() => fitOrdinal(['a'], { unseen: { level: 'z' } })).toThrow('The fallback level "z" is not one of');
    const identifiers = Array.from({ length: 1001 }, (_, i) => `id-${i}`);
    expect(() => fitOrdinal(identifiers)).toThrow('1001 levels, more than the 1000 allowed');
    expect(() => fitOrdinal([], { levels: ['a', 'a'] })).toThrow('same level twice');
  });
});

describe('one-hot', () => {
  test('indicators are those of scikit-learn, an unseen level is all zeros', () => {
    const indicators = applyOneHot(fitOneHot(fixture.region), fixture.newRegion);
    fixture.newRegion.forEach((_, row) => {
      expect(indicators.map((column) => column[row])).toEqual(fixture.newOneHot[row]);
    });
  });

  test('without the first level the base level is all zeros', () => {
    const encoder = fitOneHot(['b', 'a', 'c'], { dropFirst: true });
    expect(encoder.levels).toEqual(['b', 'c']);
    expect(applyOneHot(encoder, ['a', 'c']).map((column) => Array.from(column))).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });
});

describe('target encoding', () => {
  test('of new rows agrees with scikit-learn, unseen levels get the mean', () => {
    const encoded = applyTarget(fitTarget(fixture.region, { target: charges }), fixture.newRegion);
    fixture.newTarget.forEach((value, i) => expect(encoded[i] / value).toBeCloseTo(1, 12));
  });

  test('of training rows never sees their own fold', () => {
    const foldOf = charges.map((_, i) => i % 4);
    const encoded = crossFitTarget(fixture.region, { target: charges }, foldOf, 5);
    encoded.forEach((value, row) => {
      const others = fixture.region.flatMap((region, i) =>
        foldOf[i] === foldOf[row] ? [] : [{ region, y: charges[i] }],
      );
      const prior = others.reduce((sum, { y }) => sum + y, 0) / others.length;
      const own = others.filter(({ region }) => region === fixture.region[row]);
      const expected = (own.reduce((sum, { y }) => sum + y, 0) + 5 * prior) / (own.length + 5);
      expect(value / expected).toBeCloseTo(1, 12);
    });
  });

  test('a category without meaning knows the label in fold and nothing of it out of fold', () => {
    const stream = random(5);
    const label = Float64Array.from({ length: 2000 }, () => stream.normal());
    // one level per two rows, each in its own fold
    const cells = Array.from(label, (_, i) => `level-${i >> 1}`);
    const folds = label.map((_, i) => i % 2);
    expect(correlation(applyTarget(fitTarget(cells, { target: label }, 1), cells), label)).toBeGreaterThan(0.6);
    expect(Math.abs(correlation(crossFitTarget(cells, { target: label }, folds, 1), label))).toBeLessThan(0.1);
  });

  test('exposure weighs the labels', () => {
    const supervision = { target: Float64Array.of(1, 3, 10), weight: Float64Array.of(3, 1, 1) };
    const encoder = fitTarget(['a', 'a', 'b'], supervision, 0);
    expect(encoder.levels).toEqual({ a: 1.5, b: 10 });
    expect(encoder.prior).toBeCloseTo(16 / 5, 14);
  });

  test('one fold is refused', () => {
    expect(() => crossFitTarget(['a', 'b'], { target: Float64Array.of(1, 2) }, [0, 0])).toThrow('at least two folds');
  });
});

describe('scaler and imputer', () => {
  test('scaled values are those of scikit-learn, missing stays missing', () => {
    const scaled = applyStandard(fitStandard(bmi), bmi);
    expect(Array.from(scaled, Number.isNaN)).toEqual(Array.from(bmi, Number.isNaN));
    const distance = fixture.scaled.map((value, i) => (value === null ? 0 : Math.abs(value - scaled[i])));
    expect(Math.max(...distance)).toBeLessThan(1e-12);
  });

  test('a constant column is centred, and a later value of it stays finite', () => {
    const scaler = fitStandard(Float64Array.of(0.1, 0.1, 0.1));
    expect(applyStandard(scaler, Float64Array.of(0.1, 1.1))[0]).toBeCloseTo(0, 12);
    expect(applyStandard(scaler, Float64Array.of(0.1, 1.1))[1]).toBeCloseTo(1, 12);
  });

  test.each(['mean', 'median', 'mode'] as const)('the %s fill is that of scikit-learn', (imputation) => {
    const imputer = fitImputer(bmi, imputation);
    expect(imputer.value).toBeCloseTo(fixture.imputed[imputation], 12);
    const filled = applyImputer(imputer, bmi);
    bmi.forEach((value, i) => expect(filled[i]).toBe(Number.isNaN(value) ? imputer.value : value));
  });

  test('a column without any value has no mean to fill with, but may have a constant', () => {
    const empty = Float64Array.of(NaN, NaN);
    expect(() => fitImputer(empty, 'mean')).toThrow('needs a value that is not missing');
    expect(() => fitStandard(empty)).toThrow('at least one value');
    expect(Array.from(applyImputer(fitImputer(empty, { constant: 365 }), empty))).toEqual([365, 365]);
  });
});
