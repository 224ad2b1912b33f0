import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/data/json.ts';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';
import { releasedContract } from '../../../src/privacy/de-identify.ts';
import { applications } from '../../../usecases/claim-propensity/generate.ts';
import { contractOf, featuresOf, toSilver } from '../silver.ts';

type Row = Record<string, Json>;
const contract = contractOf('claim-propensity', 'applications');

let sql: SqlEngine;
let silver: Row[];
let features: Row[];
beforeAll(async () => {
  sql = await openSql();
  await toSilver(sql, 'claim-propensity', applications({ rows: 2000, labelled: 0.9 }));
  silver = await sql.rows('SELECT * FROM applications ORDER BY application_id');
  features = await sql.rows(`SELECT * FROM (${featuresOf('claim-propensity')}) ORDER BY application_id`);
});
afterAll(() => sql.close());

/** Read off the description, independently of the SQL. */
function naiveFeatures(row: Row): Row {
  const text = (name: string) => (row[name] === null ? null : `${row[name] as number | boolean | string}`);
  const [age, income] = [Number(row['age']), Number(row['income'])];
  const sameNumbers = contract.columns
    .filter(({ name, type }) => (type === 'integer' || type === 'number') && !codes.includes(name))
    .map(({ name }) => [name, row[name]]);
  const sameTexts = ['gender', 'marital_status', 'occupation', 'location', 'product_var_3', 'employment_type'];
  const truths = contract.columns.filter(({ name, type }) => type === 'boolean' && name !== 'claim_status');
  return {
    application_id: row['application_id'],
    received_at: row['received_at'],
    ...Object.fromEntries(sameNumbers),
    ...Object.fromEntries(
      [...sameTexts, ...codes, ...truths.map(({ name }) => name)].map((name) => [name, text(name)]),
    ),
    bmi: Math.trunc((Number(row['weight_kg']) * 10_000) / Number(row['height_cm']) ** 2),
    income_level: String(Math.min(4, Math.floor(income / 50_000))),
    age_band: ['under 26', '26 to 40', '41 to 60', 'over 60'][[26, 41, 61].filter((bound) => age >= bound).length],
    claim_status: row['claim_status'] === null ? null : Number(row['claim_status']),
  };
}
const codes = ['health_status', 'driving_record', 'previous_claim_rate', 'education_level'];

test('every application has its features, and each is what its description says', () => {
  expect(features).toHaveLength(silver.length);
  silver.forEach((row, i) => expect(features[i]).toEqual(naiveFeatures(row)));
});

test('eighteen numbers and twenty-two categories are offered; less the two sparse ones they are the 38 inputs', () => {
  const inputs = Object.entries(features[0]).filter(
    ([name]) => !['application_id', 'received_at', 'age_band', 'claim_status'].includes(name),
  );
  const sparse = ['family_history_3', 'employment_type'];
  const missing = inputs.map(([name]) => ({
    name,
    share: features.filter((row) => row[name] === null).length / features.length,
  }));
  expect(missing.filter(({ share }) => share > 0.5).map(({ name }) => name)).toEqual(sparse);
  expect(inputs).toHaveLength(40);
  expect(inputs.filter(([, value]) => typeof value === 'number')).toHaveLength(18);
});

test('an application without an outcome keeps none', () => {
  const open = features.filter((row) => row['claim_status'] === null);
  expect(open.length / features.length).toBeGreaterThan(0.05);
  expect(open.length / features.length).toBeLessThan(0.15);
});

describe('what leaves the PHI zone', () => {
  test('has no name, no postcode, a year of birth and none of the oldest, and no age above 90', () => {
    const names = Object.keys(silver[0]);
    expect(names).not.toContain('full_name');
    expect(names).not.toContain('postcode');
    expect(Math.max(...silver.map(({ age }) => Number(age)))).toBeLessThanOrEqual(90);
    const [withYear, without] = [true, false].map((has) =>
      silver.filter((row) => (row['date_of_birth'] !== null) === has),
    );
    for (const { age } of without) expect(Number(age)).toBeGreaterThanOrEqual(89);
    for (const { age, date_of_birth: year } of withYear) {
      expect(Number(age)).toBeLessThan(90);
      expect(Math.abs(2026 - Number(year) - Number(age))).toBeLessThanOrEqual(1);
    }
    expect(names.filter((name) => !name.startsWith('_'))).toEqual(
      releasedContract(contract).columns.map(({ name }) => name),
    );
  });
});
