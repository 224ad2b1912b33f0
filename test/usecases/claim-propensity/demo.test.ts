import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadEvaluation, loadVersion } from '../../../src/stages/common/version.ts';
import type { DeclarationInput } from '../../../src/usecase/declaration.ts';
import { demo } from '../../../usecases/claim-propensity/demo.ts';
import declaration from '../../../usecases/claim-propensity/usecase.ts';
import { type Told, tellDemo } from '../story.ts';
import { long } from '../../long.ts';

const useCase = 'claim-propensity';
const [model] = declaration.models;
/**
 * One candidate of fewer trees in place of the search, and nothing is retrained on drift, which takes as long again; gates,
 * decisions and limits are the product's own.
 */
const small = {
  ...declaration,
  models: [
    {
      ...model,
      parameters: { ...model.parameters, iterations: 150, learningRate: 0.15 },
      search: { ...model.search, space: {}, trials: 0, folds: 2 },
    },
  ],
  retrain: { ...declaration.retrain, onDrift: false },
} as DeclarationInput;

let told: Told;
beforeAll(async () => {
  told = await tellDemo(small, demo, { rows: 2500 });
}, 180_000);
afterAll(() => told.close());

test.runIf(long)('every machine of the story ends well, and every record of the first month is accounted for', () => {
  expect(told.ended.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
  const { dropped, accepted, quarantined, rejected } = told.document.rows;
  expect(dropped).toBe(2500);
  expect(accepted + quarantined + rejected).toBe(dropped);
});

test.runIf(long)('the first model passes every declared gate, without the two sparse columns', async () => {
  const { champion, gates } = told.document;
  expect(gates.filter(({ passed }) => !passed)).toEqual([]);
  expect(champion?.version).toBe(1);
  const { manifest } = await loadVersion(told.runtime.ports, useCase, 1);
  const { leftOut } = await loadEvaluation(told.runtime.ports, manifest);
  expect(leftOut).toEqual(['family_history_3', 'employment_type']);
  expect(manifest.lineage.features).toHaveLength(38);
});

test.runIf(long)(
  'each application is decided by cost: no claim, a person looks, or a claim, with three reasons',
  async () => {
    const scored = await told.rows(
      'gold',
      `predictions/${useCase}`,
      `SELECT category, min(prediction) AS least, max(prediction) AS most, 
      min(json_array_length(reasons)) AS reasons
      FROM rows GROUP BY category ORDER BY least`,
    );
    expect(scored.map(({ category }) => category)).toEqual(['no_claim', 'review', 'claim']);
    // 60 for a claim expected in vain, 240 for one that nobody expected, 15 for a look: a look pays from 1/16 to 3/4
    const [none, review, claim] = scored;
    expect(Number(none['most'])).toBeLessThan(15 / 240);
    expect(Number(review['least'])).toBeGreaterThanOrEqual(15 / 240);
    expect(Number(review['most'])).toBeLessThan(1 - 15 / 60);
    expect(Number(claim['least'])).toBeGreaterThanOrEqual(1 - 15 / 60);
    expect(scored.map(({ reasons }) => reasons)).toEqual([3, 3, 3]);
  },
);

test.runIf(long)(
  'applications without a known outcome are scored too, by the schedule at 19:00 in London',
  async () => {
    const [{ n }] = await told.rows(
      'gold',
      `predictions/${useCase}`,
      `SELECT count(*) AS n FROM rows WHERE run_id LIKE 'score-2026-03-%'`,
    );
    expect(Number(n)).toBeGreaterThan(290);
  },
);

test.runIf(long)(
  'the second month is found to have drifted, and the summary names the columns though nothing is retrained',
  () => {
    const { drift, challenger } = told.document;
    expect(drift.detected).toBe(true);
    expect(drift.features).toContain('age');
    expect(challenger).toBeNull();
  },
);

test.runIf(long)(
  'the first model scores in shadow, and what is seen of it makes it champion by nobody’s hand',
  async () => {
    const announced = told.ended.flatMap((ended) => ended.announced);
    const way = ['ModelTrained', 'ModelShadowed', 'ShadowObserved', 'ModelPromoted', 'ScoresPublished'];
    expect(announced.filter((event) => way.includes(event)).slice(0, way.length)).toEqual(way);
    expect(told.document.shadows).toEqual([{ version: 1, promoted: true }]);
    expect(told.document.predictions.rows).toBeGreaterThan(2000);
    const gates = told.document.gates.map(({ name }) => name);
    expect(gates).toEqual(expect.arrayContaining(['shadowSeen', 'shadowFailures', 'shadowPrediction']));
    const [{ n }] = await told.rows('gold', `shadows/${useCase}`, 'SELECT count(*) AS n FROM rows');
    expect(Number(n)).toBeGreaterThanOrEqual(200);
  },
);
