import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';
import { demo } from '../../../usecases/health-risk/demo.ts';
import { type GenerateOptions, highestScore, patients, riskScore } from '../../../usecases/health-risk/generate.ts';
import { contractOf, toSilver } from '../silver.ts';

const contract = contractOf('health-risk', 'patients');
let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

/** The records of a clean file; only names are quoted. */
function records(options: GenerateOptions): { [column: string]: string }[] {
  const text = new TextDecoder().decode(patients({ dirtShare: 0, ...options }).bytes);
  const [header, ...lines] = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replaceAll(/"([^"]*)"/g, (_, quoted: string) => quoted.replace(',', ';')).split(','));
  return lines.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i]])));
}

type Row = ReturnType<typeof records>[number];
const shareOf = (rows: Row[], column: string, value: string) =>
  rows.filter((row) => row[column] === value).length / rows.length;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the population', () => {
  const rows = records({ rows: 20_000, changes: 0 });
  const scores = rows.map((row) => Number(row['health_risk_score']));

  test('has the scores that were simulated of the upstream system: mean 12.3, standard deviation 14.2, a constant off by 11', () => {
    const centre = mean(scores);
    const median = scores.toSorted((a, b) => a - b)[scores.length / 2];
    expect(Math.abs(centre - 12.3)).toBeLessThan(0.5);
    expect(Math.abs(Math.sqrt(mean(scores.map((score) => (score - centre) ** 2))) - 14.2)).toBeLessThan(0.5);
    expect(Math.abs(mean(scores.map((score) => Math.abs(score - median))) - 11)).toBeLessThan(0.7);
  });

  test('has the classes of normal and Poisson numbers: a sixth smoke, a third has no dependants, and a third is obese', () => {
    expect(Math.abs(shareOf(rows, 'smoker_flag', 'True') - 0.165)).toBeLessThan(0.013);
    expect(Math.abs(shareOf(rows, 'family_size_category', 'NO_DEPENDENTS') - Math.exp(-1.2))).toBeLessThan(0.017);
    // P(N(28, 6) ≥ 29.95)
    const obese = rows.filter((row) => row['bmi_category'].startsWith('OBESE')).length / rows.length;
    expect(Math.abs(obese - 0.3726)).toBeLessThan(0.017);
    for (const region of ['NORTHEAST', 'NORTHWEST', 'SOUTHEAST', 'SOUTHWEST'])
      expect(Math.abs(shareOf(rows, 'patient_region', region) - 0.25)).toBeLessThan(0.016);
  });

  test('reaches every band of the scale, which ends at 75', () => {
    expect(Math.max(...scores)).toBeLessThanOrEqual(highestScore);
    for (const [from, below] of [
      [0, 20],
      [20, 40],
      [40, 60],
      [60, 76],
    ])
      expect(scores.some((score) => score >= from && score < below)).toBe(true);
  });
});

test.each([
  [{ age: 65, isSmoker: false, bmi: 30, charges: 20_000 }, 0],
  [{ age: 66, isSmoker: false, bmi: 25, charges: 1 }, 20],
  [{ age: 40, isSmoker: true, bmi: 25, charges: 1 }, 25],
  [{ age: 40, isSmoker: false, bmi: 30.1, charges: 1 }, 15],
  [{ age: 40, isSmoker: false, bmi: 18.4, charges: 1 }, 10],
  [{ age: 40, isSmoker: false, bmi: 18.5, charges: 20_000.01 }, 15],
  [{ age: 80, isSmoker: true, bmi: 35, charges: 30_000 }, 75],
])('the score of %o is %d', (body, score) => {
  expect(riskScore(body)).toBe(score);
});

describe('a dimension of type 2', () => {
  const january = records({ rows: 3000, month: '2026-01' });
  const february = records({ rows: 3000, month: '2026-02' });

  test('versions of a patient follow each other without gap, and one of them is current', () => {
    const changed = Map.groupBy(february, (row) => row['patient_natural_key']);
    const pairs = [...changed.values()].filter((versions) => versions.length > 1);
    expect(pairs).toHaveLength(300);
    for (const versions of pairs) {
      const [ended, current] = versions.toSorted((a, b) => Number(a['version']) - Number(b['version']));
      expect([ended['version'], current['version']]).toEqual(['1', '2']);
      expect([ended['is_current_record'], current['is_current_record']]).toEqual(['false', 'true']);
      expect(ended['effective_to']).toBe(current['effective_from']);
      expect(current['effective_to']).toBe('9999-12-31T00:00:00Z');
    }
  });

  test('a version that ends is the one that the month before delivered, but for its end', () => {
    const before = new Map(january.map((row) => [row['patient_surrogate_key'], row]));
    const ended = february.filter((row) => row['is_current_record'] === 'false');
    expect(ended).toHaveLength(300);
    for (const row of ended) {
      const { effective_to: end, is_current_record: isCurrent, ...same } = row;
      expect(before.get(row['patient_surrogate_key'])).toMatchObject(same);
      expect([end.slice(0, 7), isCurrent]).toEqual(['2026-02', 'false']);
    }
  });
});

describe('options', () => {
  test('the same seed gives the same bytes, another seed or month other people', () => {
    const bytes = (options: GenerateOptions) => Buffer.from(patients({ rows: 200, ...options }).bytes);
    expect(bytes({}).equals(bytes({}))).toBe(true);
    expect(bytes({}).equals(bytes({ seed: 2 }))).toBe(false);
    expect(bytes({}).equals(bytes({ month: '2026-02' }))).toBe(false);
  });

  test('noise strays from the formula and changes nobody', () => {
    const [plain, noisy] = [0, 6].map((noise) => records({ rows: 2000, changes: 0, noise }));
    const strayed = plain.map((row, i) => Number(noisy[i]['health_risk_score']) - Number(row['health_risk_score']));
    expect(strayed.filter((points) => points !== 0).length).toBeGreaterThan(1000);
    plain.forEach((row, i) => {
      expect({ ...noisy[i], health_risk_score: '' }).toEqual({ ...row, health_risk_score: '' });
    });
  });

  test('an older and dearer month has more points', () => {
    const score = (options: GenerateOptions) =>
      mean(records({ rows: 2000, changes: 0, ...options }).map((row) => Number(row['health_risk_score'])));
    expect(score({ agedBy: 9, inflation: 1.3 })).toBeGreaterThan(score({}) + 2);
  });
});

describe('the dirt is known', () => {
  test.each([{}, { rows: 500, dirtShare: 0.15, seed: 'other', month: '2027-11' }])(
    'what the contract quarantines of %o is exactly what was put in',
    async (options) => {
      const file = patients(options);
      const { counts, halts } = await toSilver(sql, 'health-risk', file);
      const found = await sql.rows('SELECT rule, count(*) AS n FROM quarantined GROUP BY rule');
      expect(Object.fromEntries(found.map(({ rule, n }) => [rule, n]))).toEqual(file.dirt);
      const dirty = Object.values(file.dirt).reduce((sum, n) => sum + n, 0);
      expect(counts).toEqual({ rows: file.rows, accepted: file.rows - dirty, quarantined: dirty });
      expect(halts).toEqual([]);
    },
  );

  test('every kind occurs in an ordinary file', () => {
    expect(Object.keys(patients().dirt)).toHaveLength(15);
  });

  test("classes of the predecessor's own naming are quarantined: none of them becomes an age of 70 or four children", async () => {
    const file = patients({ rows: 40, dirtShare: 0, changes: 0 });
    const text = new TextDecoder().decode(file.bytes).replaceAll('\r\n', '\n').trimEnd().split('\n');
    const foreign = ['YOUNG', 'ADULT', 'ELDERLY', 'SINGLE', 'COUPLE', 'OBESE'];
    const known = [['YOUNG_ADULT', 'MIDDLE_AGED', 'MATURE_ADULT', 'SENIOR'], ['NO_DEPENDENTS', 'SMALL', 'MEDIUM'], ['NORMAL', 'OVERWEIGHT', 'OBESE_CLASS_1', 'OBESE_CLASS_2', 'UNDERWEIGHT']]; // prettier-ignore
    const kindOf = [0, 0, 0, 1, 1, 2];
    foreign.forEach((name, i) => {
      text[i + 1] = text[i + 1].replace(new RegExp(`,(${known[kindOf[i]].join('|')}),`), `,${name},`);
      expect(text[i + 1]).toContain(name);
    });
    const bytes = new TextEncoder().encode(text.join('\n'));
    const { counts } = await toSilver(sql, 'health-risk', { ...file, bytes });
    expect(counts).toEqual({ rows: 40, accepted: 34, quarantined: 6 });
    const rules = await sql.rows('SELECT line, rule FROM quarantined ORDER BY line');
    expect(rules.map(({ rule }) => rule)).toEqual([
      'age.values',
      'age.values',
      'age.values',
      'children.values',
      'children.values',
      'bmi.values',
    ]);
  });
});

describe('what leaves the PHI zone', () => {
  test('has nothing of names, numbers and records, three digits of the ZIP code, and a surrogate for the patient', async () => {
    await toSilver(sql, 'health-risk', patients({ rows: 1000 }));
    const released = await sql.rows('SELECT * FROM patients');
    const dropped = ['patient_name', 'ssn', 'medical_record_number'];
    expect(contract.columns.map(({ name }) => name).filter((name) => !Object.keys(released[0]).includes(name))).toEqual(
      dropped,
    );
    for (const row of released) {
      expect(row['patient_natural_key']).toMatch(/^surrogate of PAT-/);
      expect(row['zip']).toMatch(/^\d{3}$/);
    }
    const years = released.filter(({ age }) => age !== 90).map((row) => row['date_of_birth']);
    expect(years.every((year) => year === null || Number.isInteger(year))).toBe(true);
    const ofTheOldest = released.filter(({ age }) => age === 90).map((row) => row['date_of_birth']);
    expect(ofTheOldest.every((year) => year === null)).toBe(true);
    const text = JSON.stringify(released.map((row) => ({ ...row, patient_natural_key: '' })));
    expect(text).not.toMatch(/\d{3}-\d{2}-\d{4}(?!T)|MRN\d|PAT-/);
  });
});

test('the demo tells of a first month, and of a second one that drifted', async () => {
  const steps = demo.values({ rows: 300 });
  expect(Date.parse(demo.until)).toBeGreaterThan(Date.parse(steps.at(-1)!.at));
  const files = (await Promise.all(steps.map(async ({ files: make }) => make(async () => '')))).flat();
  expect(files.map(({ fileName, rows }) => [fileName, rows])).toEqual([
    ['patients_2026-01.csv', 300],
    ['patients_2026-02.csv', 300],
  ]);
});
