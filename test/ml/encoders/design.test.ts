import { describe, expect, test } from 'vitest';
import { applyDesign, fitDesign, trainingMatrix, type Design } from '../../../src/ml/encoders/design.ts';
import { column } from '../../../src/ml/matrix.ts';

const columns = {
  age: [25, 40, 61, null],
  smoker: [true, false, false, true],
  region: ['SE', 'NW', 'SE', 'SW'],
  sex: ['MALE', 'FEMALE', null, 'FEMALE'],
  plan: ['HMO', 'PPO', 'HMO', 'PPO'],
  charges: [16000, 5000, 14000, 21000],
};
const target = Float64Array.from(columns.charges);
const spec = [
  { column: 'sex', as: 'ordinal', unseen: { level: 'FEMALE' } },
  { column: 'age', as: 'number', impute: 'median', indicator: true },
  { column: 'smoker', as: 'number' },
  { column: 'region', as: 'oneHot' },
  { column: 'plan', as: 'target', smoothing: 2 },
] as const;
const design = fitDesign(columns, spec, { target });

describe('a fitted design', () => {
  test('fixes names, order and categorical columns', () => {
    const matrix = applyDesign(design, columns);
    expect(matrix.names).toEqual([
      'sex',
      'age',
      'age=missing',
      'smoker',
      'region=NW',
      'region=SE',
      'region=SW',
      'plan',
    ]);
    expect(matrix.categorical).toEqual([0]);
    expect([matrix.rows, matrix.columns]).toEqual([4, 8]);
  });

  test('encodes every kind of column', () => {
    const matrix = applyDesign(design, columns);
    const values = Array.from({ length: 8 }, (_, i) => Array.from(column(matrix, i)));
    expect(values.slice(0, 7)).toEqual([
      [1, 0, NaN, 0],
      [25, 40, 61, 40],
      [0, 0, 0, 1],
      [1, 0, 0, 1],
      [0, 1, 0, 0],
      [1, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    // plan HMO: (16000 + 14000 + 2 · 14000) / 4
    expect(values[7]).toEqual([14500, 13500, 14500, 13500]);
  });

  test('gives new rows the codes of training, whatever their order and whatever else they hold', () => {
    const later = { extra: ['x'], plan: ['EPO'], region: ['NE'], smoker: [false], age: [70], sex: ['OTHER'] };
    const matrix = applyDesign(design, later);
    expect(Array.from(matrix.values)).toEqual([0, 70, 0, 0, 0, 0, 0, 14000]);
  });

  test('is plain JSON', () => {
    const loaded = JSON.parse(JSON.stringify(design)) as Design;
    expect(loaded).toEqual(design);
    expect(applyDesign(loaded, columns)).toEqual(applyDesign(design, columns));
  });

  test('gives training rows their target encodings out of fold, and all else as scoring does', () => {
    const training = trainingMatrix(design, columns, { target }, [0, 0, 1, 1]);
    const scoring = applyDesign(design, columns);
    for (let i = 0; i < 7; i++) expect(column(training, i)).toEqual(column(scoring, i));
    // fold 0 learns from rows 2 and 3: prior 17500, HMO (14000 + 2 · 17500) / 3
    expect(column(training, 7)[0]).toBeCloseTo((14000 + 35000) / 3, 9);
    expect(column(training, 7)[1]).toBeCloseTo((21000 + 35000) / 3, 9);
  });

  test('scales numbers and codes; scaled codes are not categorical', () => {
    const scaled = fitDesign(columns, [
      { column: 'charges', as: 'number', scale: 'standard' },
      { column: 'region', as: 'ordinal', scale: 'standard' },
    ]);
    const matrix = applyDesign(scaled, columns);
    expect(matrix.categorical).toBeUndefined();
    for (let i = 0; i < 2; i++) {
      const values = Array.from(column(matrix, i));
      expect(values.reduce((a, b) => a + b)).toBeCloseTo(0, 12);
      expect(values.reduce((a, b) => a + b * b, 0) / 4).toBeCloseTo(1, 12);
    }
  });
});

describe('columns that do not fit', () => {
  test('a missing column is named, with those that are there', () => {
    const { region: _, ...without } = columns;
    expect(() => applyDesign(design, without)).toThrow(
      'Column "region" is missing; the columns given are age, charges, plan, sex, smoker.',
    );
    expect(() => fitDesign({}, [{ column: 'age', as: 'number' }])).toThrow('Column "age" is missing');
  });

  test('text in a numeric column is refused by row, without its value', () => {
    const error = (() => {
      try {
        applyDesign(design, { ...columns, age: [25, 'secret', 1, 1] });
      } catch (caught) {
        return caught as Error;
      }
      throw new Error('nothing was refused');
    })();
    expect(error.name).toBe('EncodingError');
    expect(error.message).toContain('Column "age" is text in row 1');
    expect(error.message).not.toContain('secret');
  });

  test('columns of different length are refused', () => {
    expect(() => applyDesign(design, { ...columns, region: ['SE'] })).toThrow('"region" has 1 rows, "sex" has 4');
  });

  test('a feature made twice is refused', () => {
    const twice = [
      { column: 'age', as: 'number' },
      { column: 'age', as: 'number' },
    ] as const;
    expect(() => fitDesign(columns, twice)).toThrow('makes the feature "age" twice');
  });

  test('what an encoder complains about names its column', () => {
    expect(() => fitDesign({ empty: [null] }, [{ column: 'empty', as: 'number', impute: 'mean' }])).toThrow(
      'Column "empty": A mean imputer needs',
    );
    expect(() => fitDesign(columns, spec)).toThrow('Column "plan": target encoding needs the label');
  });
});
