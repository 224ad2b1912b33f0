import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeclarationInput } from '../../../src/usecase/declaration.ts';
import { demo } from '../../../usecases/health-risk/demo.ts';
import declaration from '../../../usecases/health-risk/usecase.ts';
import { type Told, tellDemo } from '../story.ts';
import { long } from '../../long.ts';

const useCase = 'health-risk';
const search = { space: {}, trials: 0, folds: 2, metric: 'mae', seed: 42 } as const;
/** Two candidates of few trees in place of the search; gates, bands and limits are the product's own. */
const small: DeclarationInput = {
  ...declaration,
  models: [
    { kind: 'random-forest', parameters: { trees: 15, maxDepth: 8, minChildSamples: 4, seed: 42 }, search },
    { kind: 'gradient-boosting', parameters: { iterations: 40, learningRate: 0.15, maxDepth: 4, seed: 42 }, search },
  ],
};

let told: Told;
beforeAll(async () => {
  told = await tellDemo(small, demo, { rows: 1500 });
}, 180_000);
afterAll(() => told.close());

test.runIf(long)('every machine of two months ends well, and every record of the first is accounted for', () => {
  expect(told.ended.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
  const { dropped, accepted, quarantined, rejected } = told.document.rows;
  expect(dropped).toBe(1500);
  expect(accepted + quarantined + rejected).toBe(dropped);
  expect(quarantined).toBe(30);
});

test.runIf(long)(
  'the first model passes every declared gate, skill over a constant and over the tariff among them',
  () => {
    const { champion, gates } = told.document;
    expect(champion?.version).toBe(1);
    expect(gates.filter(({ passed }) => !passed)).toEqual([]);
    const declared = Object.keys(declaration.gates).filter((name) => name !== 'beatsChampion');
    expect(gates.map(({ name }) => name)).toEqual(expect.arrayContaining(declared));
    expect(champion!.metrics['r2'].value).toBeGreaterThan(0.9);
  },
);

test.runIf(long)('only current records are scored, once each, and every band of the scale is reached', async () => {
  const scored = await told.rows(
    'gold',
    `predictions/${useCase}`,
    `SELECT category, count(*) AS n, count(DISTINCT patient_natural_key) AS patients, min(adjusted_prediction) AS least,
      max(adjusted_prediction) AS most FROM rows WHERE model_version = 1 GROUP BY category, run_id`,
  );
  expect(new Set(scored.map(({ category }) => category))).toEqual(new Set(['low', 'medium', 'high', 'critical']));
  expect(scored.every(({ n, patients }) => n === patients)).toBe(true);
  const [{ current }] = await told.rows(
    'silver',
    `tables/${useCase}/patients`,
    'SELECT count(DISTINCT patient_natural_key) AS current FROM rows WHERE is_current_record',
  );
  const [{ patients }] = await told.rows(
    'gold',
    `predictions/${useCase}`,
    'SELECT count(DISTINCT patient_natural_key) AS patients FROM rows',
  );
  expect(patients).toBe(current);
  const bands = { low: [0, 20], medium: [20, 40], high: [40, 60], critical: [60, 75] };
  for (const { category, least, most } of scored) {
    const [from, to] = bands[category as keyof typeof bands];
    expect(Number(least)).toBeGreaterThanOrEqual(from);
    expect(Number(most)).toBeLessThanOrEqual(to);
  }
});

test.runIf(long)(
  'the older second month is found to have drifted, in what depends on age, and a retraining is judged',
  () => {
    const { drift, challenger } = told.document;
    expect(drift.detected).toBe(true);
    expect(drift.features).toEqual(expect.arrayContaining(['age_risk_score', 'smoking_impact', 'age_group']));
    expect(drift.features).not.toContain('region');
    expect(challenger).toMatchObject({ version: 2, reason: expect.stringContaining('ean absolute error') as string });
  },
);
