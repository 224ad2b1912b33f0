import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/data/json.ts';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';
import { checkLeakage } from '../../../src/ml/leakage/check.ts';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { takeRows } from '../../../src/ml/matrix.ts';
import { mae, r2 } from '../../../src/ml/metrics/regression.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { patients } from '../../../usecases/health-risk/generate.ts';
import { featuresOf, toSilver } from '../silver.ts';

type Row = Record<string, Json>;
const featuresSql = featuresOf('health-risk');

let sql: SqlEngine;
let silver: Row[];
let features: Row[];
beforeAll(async () => {
  sql = await openSql();
  await toSilver(sql, 'health-risk', patients({ rows: 4000 }));
  silver = await sql.rows('SELECT * FROM patients');
  features = await sql.rows(`SELECT * FROM (${featuresSql}) ORDER BY patient_natural_key`);
});
afterAll(() => sql.close());

const keyOf = (row: Row) => row['patient_natural_key'] as string;

/** Read off the description, independently of the SQL. */
function naiveFeatures(row: Row): Row {
  const [age, bmi, children] = [Number(row['age']), Number(row['bmi']), Number(row['children'])];
  const ageRisk = 1 + [25, 35, 50, 65].filter((bound) => age >= bound).length;
  const multiplier: { [region: string]: number } = { NORTHEAST: 1.2, NORTHWEST: 1.1, SOUTHEAST: 1, SOUTHWEST: 0.95 };
  const isSmoker = row['smoker'] === true;
  return {
    patient_natural_key: row['patient_natural_key'],
    effective_from: row['effective_from'],
    age_risk_score: ageRisk,
    smoking_impact: isSmoker ? age * 2.5 : age,
    regional_multiplier: multiplier[row['region'] as string],
    health_risk_composite: 20 * ageRisk + (isSmoker ? 50 : 0) + (bmi > 30 ? 30 : 0),
    bmi_category: ['underweight', 'normal', 'overweight', 'obese'][[18.5, 25, 30].filter((b) => bmi >= b).length],
    sex: row['sex'],
    region: row['region'],
    smoker: isSmoker,
    age,
    bmi,
    children,
    age_group: age < 30 ? 'young' : age < 50 ? 'middle' : 'senior',
    health_risk_score: row['health_risk_score'],
  };
}

test('every current record has its features, and each is what its description says', () => {
  const current = silver.filter((row) => row['is_current_record']).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  expect(silver.length - current.length).toBeGreaterThan(300);
  expect(features).toHaveLength(current.length);
  current.forEach((row, i) => {
    const { family_size_factor: factor, ...others } = features[i];
    expect(factor).toBeCloseTo(1 + 0.15 * Number(row['children']), 12);
    expect(others).toEqual(naiveFeatures(row));
  });
});

test('of a patient whose last version nobody has closed the newest counts', async () => {
  await sql.run(`CREATE OR REPLACE TEMP TABLE two AS SELECT * REPLACE ('P' AS patient_natural_key, v AS version, v * 10 AS health_risk_score)
    FROM (SELECT * FROM patients WHERE is_current_record LIMIT 1), (VALUES (1), (3), (2)) versions(v)`);
  const asked = featuresSql.replace('FROM patients', 'FROM two');
  expect(await sql.rows(`SELECT health_risk_score FROM (${asked})`)).toEqual([{ health_risk_score: 30 }]);
});

describe('the label', () => {
  const inputs = ['age_risk_score', 'smoking_impact', 'family_size_factor', 'regional_multiplier', 'health_risk_composite']; // prettier-ignore

  /** The inputs as numbers; the three categories as codes. */
  function matrixOf(rows: Row[]): Matrix {
    const categories = ['bmi_category', 'sex', 'region'];
    const names = [...inputs, ...categories];
    const levels = new Map(categories.map((name) => [name, [...new Set(rows.map((row) => row[name]))]]));
    const values = names.flatMap((name) =>
      rows.map((row) => levels.get(name)?.indexOf(row[name]) ?? Number(row[name])),
    );
    return {
      rows: rows.length,
      columns: names.length,
      names,
      values: Float64Array.from(values),
      categorical: [5, 6, 7],
    };
  }
  const labelOf = (rows: Row[]) => Float64Array.from(rows, (row) => Number(row['health_risk_score']));

  test('does not leak into the features', () => {
    expect(checkLeakage({ features: matrixOf(features), label: labelOf(features) })).toEqual([]);
  });

  test.each([
    ['in every row', 'health_risk_score'],
    [
      'in the seven rows of ten that an upstream system had assessed',
      'CASE WHEN hash(patient_natural_key) % 10 < 7 THEN health_risk_score END',
    ],
  ])(
    "stops training where it does %s, as the predecessor's composite did: coalesce(label, formula)",
    async (_, known) => {
      const formula = /20 \* age_risk \+ .* AS health_risk_composite/;
      expect(featuresSql).toMatch(formula);
      const leaking = featuresSql.replace(formula, (own) => `coalesce(${known}, ${own.replace(' AS', ') AS')}`);
      const rows = await sql.rows(`SELECT * FROM (${leaking}) ORDER BY patient_natural_key`);
      const findings = checkLeakage({ features: matrixOf(rows), label: labelOf(rows) });
      expect(findings.map(({ check, feature }) => [check, feature])).toEqual([
        ['label-derived', 'health_risk_composite'],
      ]);
    },
  );

  test('can be learnt: R² far above .70, error far below a constant, without the charges', () => {
    const matrix = matrixOf(features);
    const label = labelOf(features);
    const rows = Array.from({ length: matrix.rows }, (_, row) => row);
    const [train, held] = [rows.filter((row) => row % 5 > 0), rows.filter((row) => row % 5 === 0)];
    const take = (of: number[]) => Float64Array.from(of, (row) => label[row]);
    const model = trainBoosting(takeRows(matrix, train), take(train), { iterations: 60, maxDepth: 4 });
    const predicted = predict(model, takeRows(matrix, held));
    expect(r2(take(held), predicted)).toBeGreaterThan(0.9);
    expect(mae(take(held), predicted)).toBeLessThan(2);
  });
});
