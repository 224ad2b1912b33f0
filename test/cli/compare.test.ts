import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openSql } from '../../src/data/sql.ts';
import { random } from '../../src/ml/random.ts';
import { csvOf, runCli, runJson, scratch, words } from './run-cli.ts';

type Column = {
  name: string;
  severity: string;
  psi: number;
  wasserstein: number | null;
  test: { name: string; statistic: number; pValue: number; adjustedPValue: number };
  shift: { direction: string; level: string | null; reference: number; analysis: number };
  minimumDetectableShift: number;
};
type Compared = { judged: boolean; drifted: string[]; columns: Column[]; prediction?: Column };

/** Seeded policies; `aged` moves the ages, `east` the share of one region. */
function policies(seed: string, { rows = 400, aged = 0, east = 0.2 } = {}) {
  const r = random(seed);
  const each = <T>(make: () => T) => Array.from({ length: rows }, make);
  return {
    id: each(() => `P${r.integer(1e9)}`),
    age: each(() => Math.round(10 * r.normal(40 + aged, 10)) / 10),
    bmi: each(() => Math.round(10 * r.normal(28, 5)) / 10),
    region: each(() => (r.uniform() < east ? 'east' : r.choice(['north', 'south']))),
    smoker: each(() => (r.uniform() < 0.2 ? 'true' : 'false')),
  };
}

describe('two files', () => {
  test('have the statistics of scipy and numpy', async () => {
    type Samples = { reference: number[]; current: number[] };
    const expected = JSON.parse(readFileSync(new URL('../fixtures/stats/expected.json', import.meta.url), 'utf8')) as {
      kolmogorov: { limit: (Samples & { statistic: number; pValue: number })[] };
      wasserstein: (Samples & { distance: number })[];
      chiSquare: { reference: number[]; current: number[]; statistic: number; pValue: number }[];
    };
    const compare = async (reference: (string | number)[], current: (string | number)[]) => {
      const file = scratch();
      const { columns } = await runJson<Compared>(
        'compare',
        file('a.csv', csvOf({ x: reference })),
        file('b.csv', csvOf({ x: current })),
      );
      return columns[0];
    };
    for (const { reference, current, statistic, pValue } of expected.kolmogorov.limit) {
      const { test: told } = await compare(reference, current);
      expect(told.name).toBe('kolmogorovSmirnov');
      expect(told.statistic).toBeCloseTo(statistic, 12);
      expect(told.pValue / pValue).toBeCloseTo(1, 8);
    }
    for (const { reference, current, distance } of expected.wasserstein) {
      const { wasserstein } = await compare(reference, current);
      expect(wasserstein).toBeCloseTo(distance, 10);
    }
    for (const { reference, current, statistic, pValue } of expected.chiSquare) {
      const spell = (counts: number[]) =>
        counts.flatMap((count, level) => Array.from({ length: count }, () => `level ${level}`));
      const { test: told } = await compare(spell(reference), spell(current));
      expect(told.name).toBe('chiSquare');
      expect(told.statistic).toBeCloseTo(statistic, 10);
      expect(told.pValue / pValue).toBeCloseTo(1, 8);
    }
  });

  test('of one population have not drifted: exit code 0, and what would have been overlooked', async () => {
    const file = scratch();
    const { code, out } = await runCli(
      'compare',
      file('a.csv', csvOf(policies('a'))),
      file('b.csv', csvOf(policies('b'))),
    );
    expect(code).toBe(0);
    expect(out).toContain('No drift that matters in 4 columns');
    expect(out).toContain('detectable');
  });

  test('that differ end with exit code 5: which column, which way, how far, and what chance says', async () => {
    const file = scratch();
    const [a, b] = [file('a.csv', csvOf(policies('a'))), file('b.csv', csvOf(policies('b', { aged: 8, east: 0.6 })))];
    expect((await runCli('compare', a, b)).code).toBe(5);
    const { drifted, columns } = await runJson<Compared>('compare', a, b);
    expect(drifted.toSorted()).toEqual(['age', 'region']);
    const [age, region] = ['age', 'region'].map((name) => columns.find((column) => column.name === name)!);
    expect(age.shift.direction).toBe('up');
    expect(age.shift.analysis - age.shift.reference).toBeGreaterThan(age.minimumDetectableShift);
    expect(age.test.adjustedPValue).toBeGreaterThanOrEqual(age.test.pValue);
    expect(region.shift).toMatchObject({ direction: 'changed', level: 'east' });
  });

  test('a report is one page that names files and columns', async () => {
    const file = scratch();
    const [a, b] = [file('january.csv', csvOf(policies('a'))), file('february.csv', csvOf(policies('b', { aged: 8 })))];
    const { out } = await runCli(...words`compare ${a} ${b} --report ${file('drift.html')}`);
    expect(out.trim().split('\n').at(-1)).toBe(file('drift.html'));
    const page = readFileSync(file('drift.html'), 'utf8');
    expect(page.length).toBeLessThan(300_000);
    for (const words of ['Has february.csv drifted from january.csv?', 'Kolmogorov–Smirnov', 'age'])
      expect(page).toContain(words);
    expect(page).not.toContain('<script');
  });

  test('as CSV and as Parquet the same table has no drift at all', async () => {
    const file = scratch();
    const csv = file('a.csv', csvOf(policies('a')));
    const sql = await openSql();
    const { bytes } = await sql.parquet(`SELECT * FROM read_csv('${csv}')`);
    await sql.close();
    const { columns, drifted } = await runJson<Compared>('compare', csv, file('a.parquet', bytes));
    expect(drifted).toEqual([]);
    expect(columns.map(({ psi }) => psi)).toEqual(columns.map(() => 0));
  });

  test('the model’s output is judged by its mean as well', async () => {
    const file = scratch();
    const [a, b] = [file('a.csv', csvOf(policies('a'))), file('b.csv', csvOf(policies('b', { aged: 12 })))];
    const told = await runJson<Compared>(...words`compare ${a} ${b} --columns bmi --prediction age`);
    expect(told.drifted).toEqual(['age']);
    expect(told.prediction).toMatchObject({ name: 'age', severity: 'HIGH' });
    expect(told.columns.map(({ name }) => name)).toEqual(['bmi']);
  });

  test('too few rows are shown and not judged', async () => {
    const file = scratch();
    const few = csvOf(policies('b', { rows: 20, aged: 30 }));
    const { code, out } = await runCli('compare', file('a.csv', csvOf(policies('a'))), file('b.csv', few));
    expect(code).toBe(0);
    expect(out).toContain('nothing is judged');
  });
});

describe('columns', () => {
  test('identifiers are left out unless they are asked for, and columns of one file are named', async () => {
    const file = scratch();
    const { id, age, ...rest } = policies('b');
    const [a, b] = [file('a.csv', csvOf(policies('a'))), file('b.csv', csvOf({ id, ages: age, ...rest }))];
    const { code, out, err } = await runCli('compare', a, b);
    expect(code).toBe(0);
    expect(out).not.toMatch(/^id /m);
    expect(err).toContain('most rows have a value of their own: id');
    expect(err).toMatch(/b\.csv lacks age Did you mean "ages"\?/);
    const asked = await runJson<Compared>(...words`compare ${a} ${b} --columns id`);
    expect(asked.columns.map(({ name }) => name)).toEqual(['id']);
  });

  test('an empty column is missing values of the kind that the other file has', async () => {
    const file = scratch();
    const table = policies('a');
    const none = Array.from({ length: 400 }, () => null);
    const [a, b] = [file('a.csv', csvOf(table)), file('b.csv', csvOf({ ...table, region: none, age: none }))];
    const { code, out } = await runCli(...words`compare ${a} ${b} --columns age,region,smoker`);
    expect([0, 5]).toContain(code);
    expect(out).toContain('n/a');
  });

  test.each([
    ['a column that one file lacks', 'age,size', '--columns', 'no column "size"'],
    ['numbers against texts', 'bmi', '--columns', 'and texts in'],
  ])('%s is refused by name', async (_, columns, option, message) => {
    const file = scratch();
    const table = policies('b');
    const [a, b] = [
      file('a.csv', csvOf(policies('a'))),
      file('b.csv', csvOf({ ...table, bmi: table.bmi.map(() => 'high') })),
    ];
    const { code, err } = await runCli(...words`compare ${a} ${b} ${option} ${columns}`);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
