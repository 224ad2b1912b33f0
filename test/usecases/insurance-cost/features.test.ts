import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Validation, validateFile } from '../../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import { type UseCase, catalogueFromFolder, contractOf, useCaseOf } from '../../../src/usecase/catalogue.ts';

let sql: SqlEngine;
let useCase: UseCase;
beforeAll(async () => {
  sql = await openSql();
  useCase = useCaseOf(
    await catalogueFromFolder(fileURLToPath(new URL('../../../usecases/', import.meta.url))),
    'insurance-cost',
  );
});
afterAll(() => sql.close());

async function ingest(url: URL): Promise<Validation> {
  const bytes = readFileSync(url);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const contract = contractOf(useCase, 'policies');
  const validation = await validateFile({
    sql,
    bytes,
    fileName: 'policies.csv',
    digest,
    contract,
    arrivedAtMs: Date.UTC(2026, 0, 31),
    dropId: 'd',
  });
  await sql.run('CREATE OR REPLACE TEMP VIEW policies AS FROM accepted');
  return validation;
}

type Policy = { age: number; bmi: number; children: number; smoker: boolean; region: string };

/** SPEC §1.2, read line by line. */
function naiveFeatures({ age, bmi, children, smoker, region }: Policy) {
  let ageRisk = 5;
  if (age < 25) ageRisk = 1;
  else if (age < 35) ageRisk = 2;
  else if (age < 50) ageRisk = 3;
  else if (age < 65) ageRisk = 4;
  const regional: Record<string, number> = { NORTHEAST: 1.2, NORTHWEST: 1.1, SOUTHEAST: 1.0 };
  return {
    age_risk_score: ageRisk,
    smoking_impact: smoker ? age * 2.5 : age * 1.0,
    family_size_factor: 1 + 0.15 * children,
    regional_multiplier: regional[region] ?? 0.95,
    health_risk_composite: 20 * ageRisk + 50 * Number(smoker) + 30 * Number(bmi > 30),
    age_group: age < 30 ? 'young' : age < 50 ? 'middle' : 'senior',
    bmi_category: bmi < 18.5 ? 'underweight' : bmi < 25 ? 'normal' : bmi < 30 ? 'overweight' : 'obese',
  };
}

test('features.sql agrees with its naive twin on every row, and passes key, time and label on', async () => {
  await ingest(new URL('../../fixtures/insurance-cost/policies.csv', import.meta.url));
  const silver = await sql.rows('SELECT * FROM policies ORDER BY customer_id');
  const features = await sql.rows(`SELECT * FROM (${useCase.features}) ORDER BY customer_id`);
  expect(features).toHaveLength(silver.length);
  for (const [i, policy] of silver.entries()) {
    const { customer_id, recorded_at, age, bmi, children, sex, region, smoker, charges, ...derived } = features[i];
    const passed = { customer_id, recorded_at, age, bmi, children, sex, region, smoker, charges };
    expect(policy).toMatchObject(passed);
    const naive = naiveFeatures(policy as Policy);
    expect(Object.keys(derived).sort()).toEqual(Object.keys(naive).sort());
    // DuckDB computes 0.15 · children in exact decimals, JavaScript in doubles
    const { family_size_factor: factor, ...others } = naive;
    expect(derived['family_size_factor']).toBeCloseTo(factor, 12);
    expect(derived).toMatchObject(others);
  }
});

test('the composite stays between 20 and 180, and the class limits belong to the upper class', async () => {
  await sql.run(`CREATE OR REPLACE TEMP TABLE edges AS SELECT 'c' || age || bmi AS customer_id, NOW()::TIMESTAMP AS recorded_at, age, bmi, 0 AS children,
    smoker, 'MALE' AS sex, 'NORTHEAST' AS region, 1.0 AS charges
    FROM (VALUES (18), (24), (25), (29), (30), (34), (35), (49), (50), (64), (65), (100)) a(age),
      (VALUES (10.0::DOUBLE), (18.4), (18.5), (24.9), (25), (29.9), (30), (30.1), (60)) b(bmi), (VALUES (true), (false)) s(smoker)`);
  await sql.run('CREATE OR REPLACE TEMP VIEW policies AS FROM edges');
  const rows = await sql.rows(`SELECT * FROM (${useCase.features})`);
  expect(rows).toHaveLength(12 * 9 * 2);
  for (const row of rows) expect(row).toMatchObject(naiveFeatures(row as unknown as Policy));
  const composites = rows.map((row) => Number(row['health_risk_composite']));
  expect([Math.min(...composites), Math.max(...composites)]).toEqual([20, 180]);
});

describe('a real, foreign file', () => {
  const foreign = new URL('../../../../shared/data/A_medical_cost/insurance.csv', import.meta.url);
  const present = existsSync(foreign);
  if (!present)
    console.warn('test/usecases/insurance-cost: ../shared/data/A_medical_cost is absent, its tests are skipped');

  test.skipIf(!present)(
    'passes the same contract whole, with a warning for its one repeated row (needs ../shared/data/A_medical_cost)',
    async () => {
      const { counts, rules, halts } = await ingest(foreign);
      expect(counts).toEqual({ rows: 1338, accepted: 1338, quarantined: 0 });
      expect(rules.filter(({ broken }) => broken).map(({ name, outcome, rows }) => [name, outcome, rows])).toEqual([
        ['rows_not_repeated', 'warn', 1],
      ]);
      expect(halts).toEqual([]);
    },
  );

  test.skipIf(!present)(
    'keeps its published figures through silver (needs ../shared/data/A_medical_cost)',
    async () => {
      await ingest(foreign);
      const [figures] =
        await sql.rows(`SELECT count(DISTINCT customer_id) AS ids, avg(charges) AS mean, stddev_samp(charges) AS deviation,
      min(charges) AS least, max(charges) AS most, count(*) FILTER (smoker) AS smokers, count(*) FILTER (sex = 'MALE') AS men,
      count(*) FILTER (region = 'SOUTHEAST') AS southeast, min(recorded_at) AS earliest, max(recorded_at) AS latest FROM policies`);
      // as pandas describes the data set: 13270.42 ± 12110.01, 274 smokers, 676 men, 364 of the southeast
      expect(figures).toMatchObject({
        ids: 1338,
        least: 1121.8739,
        most: 63770.42801,
        smokers: 274,
        men: 676,
        southeast: 364,
      });
      expect(Number(figures['mean'])).toBeCloseTo(13270.422265, 6);
      expect(Number(figures['deviation'])).toBeCloseTo(12110.011237, 6);
      expect([figures['earliest'], figures['latest']]).toEqual([
        '2026-01-31T00:00:00.000Z',
        '2026-01-31T00:00:00.000Z',
      ]);
      expect(await sql.rows(`SELECT count(*) AS n FROM (${useCase.features})`)).toEqual([{ n: 1338 }]);
    },
  );
});
