import { describe, expect, test } from 'vitest';
import { calculateDrift } from '../../src/monitoring/drift.ts';
import { fitReference, type MonitoredRows } from '../../src/monitoring/reference.ts';
import { sayShift } from '../../src/monitoring/text.ts';
import { random } from '../../src/ml/random.ts';
import { policy, portfolio, reference, type World } from './portfolio.ts';

const look = (seed: string, world: World, importance = reference.importance) =>
  calculateDrift({ ...reference, importance }, portfolio(seed, world), policy);
const named = (table: ReturnType<typeof look>, name: string) => {
  const found = table.columns.find((column) => column.name === name);
  if (!found) throw new Error(`no column ${name}`);
  return found;
};
const numbers = (name: string, values: ArrayLike<number>): MonitoredRows => ({
  columns: [{ name, kind: 'number', values: Float64Array.from(values) }],
  predictions: Float64Array.from(values),
  flags: {},
});
const errors = Float64Array.of(0, 1);
const fit = (rows: MonitoredRows) => fitReference(rows, { dataVersion: 1, errors, importance: {} });

describe('without any drift', () => {
  test('at 100 v 100 rows PSI exceeds 0.1 most of the time and is not called drift', () => {
    const draw = random('tiny');
    const normals = () =>
      numbers(
        'x',
        Array.from({ length: 100 }, () => draw.normal()),
      );
    let beyond = 0;
    let called = 0;
    for (let run = 0; run < 200; run++) {
      const small = fit(normals());
      const [column] = calculateDrift(small, normals(), policy).columns;
      if (column.psi > policy.drift.psi.warn) beyond++;
      if (column.severity !== 'NONE') called++;
    }
    expect(beyond / 200).toBeGreaterThan(0.75);
    expect(called / 200).toBeLessThan(0.07);
  });

  test('the chance of any false alarm among all columns stays below the declared rate', () => {
    for (const rows of [80, 500]) {
      let alarms = 0;
      for (let run = 0; run < 150; run++) {
        const table = look(`no drift ${rows} ${run}`, { rows });
        if (table.columns.some(({ severity }) => severity !== 'NONE')) alarms++;
      }
      expect(alarms / 150, `${rows} rows`).toBeLessThan(0.08);
    }
  });

  test('the table says what chance alone gives and what would have been noticed', () => {
    const age = named(look('quiet', { rows: 400 }), 'age');
    expect(age.expectedPsi).toBeCloseTo(9 * (1 / 4000 + 1 / 400), 10);
    // z of 0.5 % (two-sided 5 % over five columns) and of 80 % power; the clamped ages have a spread of 14.4 years
    const wanted = (2.5758293 + 0.8416212) * 14.4 * Math.sqrt(1 / 4000 + 1 / 400);
    expect(Math.abs(age.minimumDetectableShift / wanted - 1)).toBeLessThan(0.02);
  });
});

describe('a population that has aged', () => {
  const table = look('older', { rows: 600, older: 10 });

  test('is found, with direction, size and unit, and is what ranks first', () => {
    const [first] = table.columns;
    expect(first.name).toBe('age');
    expect(['HIGH', 'CRITICAL']).toContain(first.severity);
    expect(first.shift.direction).toBe('up');
    expect(Math.abs(first.shift.difference - 9.5)).toBeLessThan(1.5);
    expect(sayShift(first, 'years')).toMatch(/^age is up by [\d.]+ years \(4\d\.\d+ to 5\d\.\d+\)$/);
    expect(first.test.adjustedPValue).toBeLessThan(1e-6);
  });

  test('is not found in the columns that have not moved', () => {
    for (const name of ['bmi', 'children', 'smoker', 'region']) expect(named(table, name).severity).toBe('NONE');
  });

  test('moves the predictions', () => {
    expect(table.prediction.relativeChange).toBeGreaterThan(0.2);
    expect(table.prediction.severity).toBe('HIGH');
  });

  test('ranks behind a feature that the model looks at more, once importance is given', () => {
    const weighed = look('older', { rows: 600, older: 10, bmiUnit: 1.3 }, { age: 0.01, bmi: 5 });
    expect(weighed.columns[0].name).toBe('bmi');
    expect(named(weighed, 'age').importance).toBeCloseTo(0.01 / 5.01, 10);
    expect(named(weighed, 'region').importance).toBeNull();
  });
});

describe('what is hard to compare', () => {
  test('below the declared volume everything is shown and nothing is concluded', () => {
    const table = look('few', { rows: 49, older: 30 });
    expect(table.judged).toBe(false);
    expect(named(table, 'age').psi).toBeGreaterThan(0.4);
    expect(table.columns.every(({ severity }) => severity === 'NONE')).toBe(true);
  });

  test('a column that was constant and no longer is', () => {
    const month = (rows: number, value: number) => numbers('month', new Float64Array(rows).fill(value));
    const constant = fit(month(500, 7));
    const same = calculateDrift(constant, month(100, 7), policy);
    const other = calculateDrift(constant, month(100, 8), policy);
    expect(same.columns[0].severity).toBe('NONE');
    expect(other.columns[0].severity).toBe('CRITICAL');
  });

  test('levels that the reference did not have', () => {
    const regions = (levels: readonly string[]): MonitoredRows => ({
      columns: [{ name: 'region', kind: 'category', values: Array.from({ length: 200 }, (_, i) => levels[i % 2]) }],
      predictions: new Float64Array(200),
      flags: {},
    });
    const known = fit(regions(['north', 'south']));
    const [column] = calculateDrift(known, regions(['north', 'abroad']), policy).columns;
    expect(column.bins).toEqual({
      edges: null,
      levels: ['north', 'south', '(other)'],
      reference: [100, 100, 0],
      analysis: [100, 0, 100],
    });
    expect(column.severity).toBe('CRITICAL');
  });

  test('a column that has lost all its values', () => {
    const table = look('lost', { rows: 200, missingBmi: 1 });
    expect(named(table, 'bmi').missingShare.analysis).toBe(1);
    expect(named(table, 'bmi').severity).toBe('NONE');
  });

  test('a share of a category goes from one to the other, by the level that people speak of', () => {
    const smokers = (every: number): MonitoredRows => ({
      columns: [
        { name: 'smoker', kind: 'category', values: Array.from({ length: 400 }, (_, i) => String(i % every === 0)) },
      ],
      predictions: new Float64Array(400),
      flags: {},
    });
    const [column] = calculateDrift(fit(smokers(5)), smokers(2), policy).columns;
    expect(sayShift(column)).toBe('smoker: true goes from 20.0 % to 50.0 %');
  });

  test('a column of another kind or none at all is an error that names it', () => {
    const text: MonitoredRows = {
      columns: [{ name: 'x', kind: 'category', values: ['a'] }],
      predictions: Float64Array.of(1),
      flags: {},
    };
    const fitted = fit(numbers('x', [1, 2, 3]));
    expect(() => calculateDrift(fitted, text, policy)).toThrow('Column x was a number');
    expect(() => calculateDrift(fitted, numbers('y', [1]), policy)).toThrow('Column x, on which the model was trained');
  });
});

describe('the reference', () => {
  test('is small, plain JSON and holds no rows', () => {
    const text = JSON.stringify(reference);
    expect(JSON.parse(text)).toEqual(reference);
    expect(text.length).toBeLessThan(40_000);
    const points = reference.columns.map((column) => (column.kind === 'number' ? column.ecdf.values.length : 0));
    expect(Math.max(...points)).toBeLessThanOrEqual(256);
  });

  test('gives a number of few values a bin per value', () => {
    const children = reference.columns.find(({ name }) => name === 'children');
    expect(children).toMatchObject({ discrete: true });
  });
});
