import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { quantile } from 'd3-array';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { validateFile } from '../../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import { type GenerateOptions, generate } from '../../../usecases/insurance-cost/generate.ts';

const contract = parseContract(
  readFileSync(new URL('../../../usecases/insurance-cost/policies.odcs.yaml', import.meta.url), 'utf8'),
  'policies.odcs.yaml',
);
let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

type Policy = {
  id: number;
  age: number;
  bmi: number;
  children: number;
  smoker: boolean;
  region: string;
  charges: number;
  time: string;
  name: string;
  ssn: string;
  birthDate: string;
  zip: string;
  mrn: string;
};

/** The records of a clean file, read by splitting: nothing in it is quoted. */
function policies(options: GenerateOptions): Policy[] {
  const text = new TextDecoder().decode(generate({ dirtShare: 0, ...options })[0].bytes);
  const lines = text.trimEnd().split(/\r?\n/);
  return lines.slice(1).map((line) => {
    const [id, age, , bmi, children, smoker, region, charges, time, name, ssn, birthDate, zip, mrn] = line.split(',');
    return {
      id: +id,
      age: +age,
      bmi: +bmi,
      children: +children,
      smoker: smoker === 'True',
      region,
      charges: +charges,
      time,
      name,
      ssn,
      birthDate,
      zip,
      mrn,
    };
  });
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = (people: Policy[], condition: (policy: Policy) => boolean): number =>
  people.filter(condition).length / people.length;
/** What the charges would be without noise: SPEC §1.1. */
const expected = ({ age, bmi, children, smoker }: Policy): number =>
  3000 * (age / 40) ** 1.5 * (1 + Math.max(0, (bmi - 25) / 25)) * (smoker ? 2.5 : 1) * (1 + 0.1 * children);

describe('the population is the one that was measured of the predecessor', () => {
  // 40,000 rows: the standard error of the mean charge is 0.4 %, so 1.5 % is beyond three of them
  const people = policies({ rows: 40_000, sigma: 0.3 });

  test('charges at sigma 0.3: mean 6,340, median 4,900, p95 16,400', () => {
    const charges = people.map((policy) => policy.charges);
    expect(Math.abs(mean(charges) / 6340 - 1)).toBeLessThan(0.015);
    expect(Math.abs(quantile(charges, 0.5)! / 4900 - 1)).toBeLessThan(0.015);
    expect(Math.abs(quantile(charges, 0.95)! / 16_400 - 1)).toBeLessThan(0.03);
  });

  test('16.5 % smoke, more of the old than of the young', () => {
    expect(Math.abs(share(people, ({ smoker }) => smoker) - 0.165)).toBeLessThan(0.006);
    const [old, young] = [people.filter(({ age }) => age >= 60), people.filter(({ age }) => age < 30)];
    expect(share(old, ({ smoker }) => smoker)).toBeGreaterThan(share(young, ({ smoker }) => smoker));
  });

  test('ages 18–85, BMI 16–50 with one decimal, children Poisson(1.2), regions alike', () => {
    expect(people.every(({ age }) => Number.isInteger(age) && age >= 18 && age <= 85)).toBe(true);
    expect(people.every(({ bmi }) => bmi >= 16 && bmi <= 50 && Math.abs(bmi * 10 - Math.round(bmi * 10)) < 1e-9)).toBe(
      true,
    );
    expect(Math.abs(mean(people.map(({ children }) => children)) - 1.2)).toBeLessThan(0.03);
    expect(Math.abs(share(people, ({ children }) => children === 0) - Math.exp(-1.2))).toBeLessThan(0.01);
    for (const region of ['NORTHEAST', 'NORTHWEST', 'SOUTHEAST', 'SOUTHWEST']) {
      expect(Math.abs(share(people, (policy) => policy.region === region) - 0.25)).toBeLessThan(0.01);
    }
  });

  test.each([
    [0.3, 0.787],
    [0.25, 0.845],
    [0.15, 0.939],
  ])('no model can explain more than the noise leaves: sigma %d → R² %d', (sigma, ceiling) => {
    const people = policies({ rows: 40_000, sigma });
    const charges = people.map((policy) => policy.charges);
    const bias = Math.exp(sigma ** 2 / 2);
    const residual = mean(people.map((policy) => (policy.charges - expected(policy) * bias) ** 2));
    const centre = mean(charges);
    const r2 = 1 - residual / mean(charges.map((value) => (value - centre) ** 2));
    expect(Math.abs(r2 - ceiling)).toBeLessThan(0.02);
  });
});

describe('everybody has what the PHI zone keeps', () => {
  const people = policies({ rows: 3000, month: '2024-02' });

  test('a date of birth that fits the age when the row was recorded', () => {
    for (const { age, birthDate, time } of people) {
      const years = Number(time.slice(0, 4)) - Number(birthDate.slice(0, 4));
      expect(years - (time.slice(5, 10) < birthDate.slice(5) ? 1 : 0)).toBe(age);
      expect(new Date(birthDate).toISOString().slice(0, 10)).toBe(birthDate);
    }
  });

  test('a name, a social security number that is nobody’s, a ZIP code and a medical record number', () => {
    for (const { name, ssn, zip, mrn } of people) {
      expect(name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
      // an area from 900 on is no social security number, a group below 50 no taxpayer's number
      expect(ssn).toMatch(/^9\d\d-[1-4]\d-\d{4}$/);
      expect(zip).toMatch(/^\d{5}$/);
      expect(mrn).toMatch(/^MRN-\d{8}$/);
    }
    expect(new Set(people.map(({ ssn }) => ssn)).size).toBeGreaterThan(2900);
  });
});

describe('options', () => {
  const base = policies({ rows: 2000 });

  test('the same seed gives the same bytes, another seed or month other people', () => {
    expect(Buffer.compare(generate({ rows: 500 })[0].bytes, generate({ rows: 500 })[0].bytes)).toBe(0);
    for (const options of [{ seed: 43 }, { month: '2026-02' }]) {
      expect(policies({ rows: 2000, ...options }).filter(({ age }, i) => age === base[i].age).length).toBeLessThan(200);
    }
  });

  test('inflation and noise change the charges of the same people', () => {
    const inflated = policies({ rows: 2000, inflation: 1.2 });
    const noisy = policies({ rows: 2000, sigma: 0.5 });
    for (const [i, { charges, ...person }] of base.entries()) {
      expect(Math.abs(inflated[i].charges / charges - 1.2)).toBeLessThan(1e-4);
      expect(inflated[i]).toMatchObject(person);
      expect(noisy[i]).toMatchObject(person);
    }
  });

  test('an older population is older', () => {
    expect(
      mean(policies({ rows: 2000, agedBy: 8 }).map(({ age }) => age)) - mean(base.map(({ age }) => age)),
    ).toBeGreaterThan(6);
  });

  test('months do not meet: neither in their times nor in their numbers', () => {
    expect(base.every(({ time }) => /^2026-01-\d\dT\d\d:\d\d:\d\dZ$/.test(time))).toBe(true);
    expect([base[0].id, policies({ rows: 2, month: '2026-02' })[0].id]).toEqual([1_000_000, 2_000_000]);
    expect(policies({ rows: 3, firstId: 7 }).map(({ id }) => id)).toEqual([7, 8, 9]);
    expect(() => generate({ month: '2026-13' })).toThrow('A month is written like 2026-01');
  });

  test('a file may be empty of rows', () => {
    expect(new TextDecoder().decode(generate({ rows: 0 })[0].bytes).trim()).toMatch(
      /^customer_id,.*,timestamp,name,.*,mrn$/,
    );
  });
});

describe('the dirt is known', () => {
  test.each([
    { rows: 5000 },
    { rows: 1000, dirtShare: 0.15, seed: 'other', month: '2027-11' },
    { rows: 50, dirtShare: 0.02, seed: 3 },
  ])('what the contract quarantines of %o is exactly what was put in', async (options) => {
    const [{ bytes: csv, rows, dirt, fileName }] = generate(options);
    const digest = createHash('sha256').update(csv).digest('hex');
    const { counts, halts } = await validateFile({
      sql,
      bytes: csv,
      fileName,
      digest,
      contract,
      arrivedAtMs: 0,
      dropId: 'd',
    });
    const found = await sql.rows('SELECT rule, count(*) AS n FROM quarantined GROUP BY rule');
    expect(Object.fromEntries(found.map(({ rule, n }) => [rule, n]))).toEqual(dirt);
    const dirty = Object.values(dirt).reduce((sum, n) => sum + n, 0);
    expect(counts).toEqual({ rows, accepted: rows - dirty, quarantined: dirty });
    expect(dirty).toBe(Math.round(rows * (options.dirtShare ?? 0.02)));
    expect(halts).toEqual([]);
  });

  test('every kind occurs in an ordinary file', () => {
    expect(Object.keys(generate({ rows: 5000 })[0].dirt).sort()).toEqual([
      'age.maximum',
      'age.minimum',
      'age.type',
      'bmi.required',
      'charges.exclusiveMinimum',
      'charges.type',
      'csv.fields',
      'csv.unclosed-quote',
      'customer_id.unique',
      'recorded_at.type',
      'region_known',
      'smoker.values',
    ]);
  });
});
