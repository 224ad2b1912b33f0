import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brier, logLoss } from '../../src/ml/metrics/probability.ts';
import { r2 } from '../../src/ml/metrics/regression.ts';
import type { ReferenceProfile } from '../../src/monitoring/reference.ts';
import { factsOf } from '../../src/stages/common/facts.ts';
import { readFrozenSet } from '../../src/stages/common/frozen-sets.ts';
import { predictRows } from '../../src/stages/common/learning.ts';
import { loadEvaluation, loadVersion, readDocument } from '../../src/stages/common/version.ts';
import { useCaseOf } from '../../src/usecase/catalogue.ts';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, govern, ingest, openWorld, policies, score, train, useCase } from './world.ts';

/** The product's policies with another label, derived by labels.sql. */
function worldOf(declared: DeclarationInput, labels: string) {
  const folder = temporaryDirectory();
  const useCases = useCasesFolder(folder.path, declared);
  writeFileSync(join(useCases, useCase, 'labels.sql'), labels);
  return openWorld({ useCases }).then((world) => ({
    world,
    close: () => {
      world.close();
      folder.remove();
    },
  }));
}

async function settle(world: World) {
  await ingest(world, 'january.csv', policies());
  const version = await train(world, 'r1');
  const verdict = await govern(world, 'r1', version);
  return { version, verdict, scored: await score(world, 's1') };
}

async function published(world: World) {
  const { declaration } = useCaseOf(world.ports.catalogue, useCase);
  const version = await loadVersion(world.ports, useCase, 1);
  const evaluation = await loadEvaluation(world.ports, version.manifest);
  const rows = await readFrozenSet(world.ports, evaluation.snapshot, 'test', declaration);
  return { ...version, declaration, evaluation, rows };
}

const { beatsChampion: _, ...noGates } = smallSearch.gates;
const emptied = Object.fromEntries(Object.keys(noGates).map((name) => [name, undefined]));

/** Will the year cost more than $8,000? */
const event: DeclarationInput = {
  ...smallSearch,
  label: { column: 'costly', task: 'binary', maturity: 'P0D' },
  models: [
    {
      kind: 'gradient-boosting',
      parameters: {
        objective: 'binary',
        iterations: 200,
        learningRate: 0.1,
        maxDepth: 3,
        earlyStoppingRounds: 10,
        seed: 1,
      },
      search: { space: {}, trials: 0, folds: 3, metric: 'roc_auc', seed: 42 },
    },
  ],
  split: { ...smallSearch.split, validation: 0.25, stratify: true },
  gates: {
    ...emptied,
    roc_auc: { min: 0.85 },
    calibration_error: { max: 0.15 },
    beatsChampion: { metric: 'log_loss', confidence: 0.95, minimumEffect: 0 },
  },
  fairness: { over: ['sex'], selectionRatio: { min: 0.5 } },
  score: {
    at: '0 19 * * *',
    timeZone: 'Europe/London',
    decision: { negative: 'standard', positive: 'costly', costs: { falsePositive: 1, falseNegative: 3, review: 0.25 } },
    reasons: 3,
    flags: { looked_at: "category = 'review'" },
  },
  monitor: { ...smallSearch.monitor, performance: { roc_auc: { min: 0.8 } } },
};

describe('a label that is an event', () => {
  let world: World;
  let close: () => void;
  let settled: Awaited<ReturnType<typeof settle>>;
  beforeAll(async () => {
    ({ world, close } = await worldOf(
      event,
      'SELECT customer_id, recorded_at, charges > 8000 AS costly FROM policies',
    ));
    settled = await settle(world);
  });
  afterAll(() => close());

  test('is judged by its own metrics, and a good model is promoted', async () => {
    expect(settled.verdict).toMatchObject({ promote: true });
    const { evaluation, rows } = await published(world);
    expect(Object.keys(evaluation.metrics)).toEqual(expect.arrayContaining(['roc_auc', 'pr_auc', 'log_loss', 'brier']));
    expect(Object.keys(evaluation.metrics)).not.toContain('r2');
    expect(new Set(rows.label)).toEqual(new Set([0, 1]));
    expect(evaluation.coverage).toBeNull();
  });

  test('is held against the declared fairness between groups', async () => {
    const { evaluation } = await published(world);
    const [{ table }] = evaluation.fairness;
    expect(table.groups.map(({ group }) => group)).toEqual(['FEMALE', 'MALE']);
    const gates = (await factsOf(world.ports, { useCase, runId: 'r1' }, 'Govern'))?.gates ?? [];
    expect(gates).toContainEqual(expect.objectContaining({ name: 'selectionRatio_sex', passed: true }));
  });

  test('is predicted as a calibrated probability, the one that was evaluated', async () => {
    const { learnt, rows, evaluation } = await published(world);
    expect(learnt.calibrator).toMatchObject({ kind: 'beta' });
    const probability = predictRows(learnt, rows.columns);
    expect(probability.every((p) => p > 0 && p < 1)).toBe(true);
    expect(evaluation.metrics.log_loss!.value).toBeCloseTo(logLoss(rows.label, probability), 12);
    const raw = predictRows({ ...learnt, calibrator: undefined }, rows.columns);
    expect(raw).not.toEqual(probability);
  });

  test('is stopped early, on rows that are not trained on', async () => {
    const { learnt } = await published(world);
    expect('trees' in learnt.model && learnt.model.trees.length).toBeLessThan(200);
  });

  test('is decided by cost: below 1/12 standard, from 3/4 on costly, a person looks at the rest', async () => {
    const counted = await world.rows(
      'gold',
      `predictions/${useCase}`,
      `SELECT category, min(prediction) AS least, max(prediction) AS most, count(*) FILTER (looked_at) AS looked_at, count(*) AS rows
        FROM rows GROUP BY category ORDER BY least`,
    );
    expect(counted.map(({ category }) => category)).toEqual(['standard', 'review', 'costly']);
    const [standard, review, costly] = counted;
    expect(Number(standard['most'])).toBeLessThan(0.25 / 3);
    expect(Number(review['least'])).toBeGreaterThanOrEqual(0.25 / 3);
    expect(Number(review['most'])).toBeLessThan(0.75);
    expect(Number(costly['least'])).toBeGreaterThanOrEqual(0.75);
    expect(counted.map(({ looked_at: flagged }) => flagged)).toEqual([0, review['rows'], 0]);
  });

  test('has three reasons for each prediction, by feature and direction and without values', async () => {
    const rows = await world.rows(
      'gold',
      `predictions/${useCase}`,
      'SELECT prediction, reasons FROM rows ORDER BY prediction',
    );
    const reasons = rows.map((row) => JSON.parse(row['reasons'] as string) as { feature: string; effect: string }[]);
    expect(new Set(reasons.map((list) => list.length))).toEqual(new Set([3]));
    expect(reasons[0][0].effect).toBe('lowers');
    expect(reasons.at(-1)![0].effect).toBe('raises');
    expect(reasons.flat().every((reason) => Object.keys(reason).join() === 'feature,effect')).toBe(true);
  });

  test('is followed by the Brier score of the same rows', async () => {
    const verdict = await world.run('Monitor', settled.scored);
    expect(verdict).toMatchObject({ driftDetected: false });
    const { learnt, rows, manifest } = await published(world);
    const reference = await readDocument<ReferenceProfile>(world.ports, manifest, 'reference.json');
    expect(reference.errors.mean).toBeCloseTo(brier(rows.label, predictRows(learnt, rows.columns)), 9);
  });
});

/** Two amounts of one policy, ranked. */
const amounts: DeclarationInput = {
  ...smallSearch,
  label: { outputs: ['inpatient', 'outpatient'], name: 'costs', unit: 'USD', maturity: 'P0D' },
  features: {
    ...smallSearch.features,
    carried: [...smallSearch.features.carried!, 'rule_inpatient', 'rule_outpatient'],
  },
  ratingTable: undefined,
  rules: ['rule_inpatient', 'rule_outpatient'],
  models: [
    {
      kind: 'gradient-boosting',
      parameters: { iterations: 60, learningRate: 0.1, maxDepth: 3, minChildSamples: 10, seed: 1 },
      search: { space: {}, trials: 0, folds: 1, metric: 'rmse', seed: 42 },
    },
  ],
  gates: {
    ...emptied,
    r2: { min: 0.3 },
    skill_over_rules: { min: 0.05 },
    beatsChampion: { metric: 'rmse', confidence: 0.95, minimumEffect: 0 },
  },
  score: { at: '0 2 * * *', timeZone: 'UTC', bands: [{ name: 'any' }], flags: {} },
  monitor: { ...smallSearch.monitor, performance: { rmse: { max: 9000 } } },
};

describe('a label of several outputs', () => {
  let world: World;
  let close: () => void;
  let settled: Awaited<ReturnType<typeof settle>>;
  beforeAll(async () => {
    const folder = temporaryDirectory();
    const useCases = useCasesFolder(folder.path, amounts, {
      'features.sql': (text) =>
        text.replace(/charges\nFROM risks\s*$/, '2000.0 AS rule_inpatient, 3000.0 AS rule_outpatient\nFROM risks\n'),
    });
    writeFileSync(
      join(useCases, useCase, 'labels.sql'),
      'SELECT customer_id, recorded_at, 0.4 * p.charges AS inpatient, 0.6 * p.charges + 100 * f.children AS outpatient ' +
        'FROM policies p JOIN features f USING (customer_id, recorded_at)',
    );
    world = await openWorld({ useCases });
    close = () => {
      world.close();
      folder.remove();
    };
    settled = await settle(world);
  });
  afterAll(() => close());

  test('has one model for all, each output judged, and the mean over them gated', async () => {
    expect(settled.verdict).toMatchObject({ promote: true });
    const { learnt, rows, evaluation } = await published(world);
    expect('trees' in learnt.model && learnt.model.outputs).toBe(2);
    const predicted = predictRows(learnt, rows.columns);
    const of = (values: Float64Array, k: number) => values.filter((_value, i) => i % 2 === k);
    const each = [0, 1].map((k) => r2(of(rows.label, k), of(predicted, k)));
    expect(evaluation.outputs.map(({ name }) => name)).toEqual(['inpatient', 'outpatient']);
    evaluation.outputs.forEach(({ metrics }, k) => expect(metrics.r2).toBeCloseTo(each[k], 12));
    expect(evaluation.metrics.r2!.value).toBeCloseTo((each[0] + each[1]) / 2, 12);
    expect(evaluation.metrics.skill_over_rules!.value).toBeGreaterThan(0.05);
  });

  test('is predicted output by output, with their mean', async () => {
    const [sum] = await world.rows(
      'gold',
      `predictions/${useCase}`,
      'SELECT count(*) AS rows, max(abs(prediction - (prediction_inpatient + prediction_outpatient) / 2)) AS off FROM rows',
    );
    expect(Number(sum['rows'])).toBeGreaterThan(1000);
    expect(Number(sum['off'])).toBeLessThan(1e-9);
  });

  test('is watched output by output', async () => {
    await world.run('Monitor', settled.scored);
    const watched = await world.rows('gold', `drift/${useCase}`, 'SELECT column_name FROM rows');
    expect(watched.map((row) => row['column_name'])).toEqual(
      expect.arrayContaining(['prediction', 'prediction_inpatient', 'prediction_outpatient']),
    );
  });

  test('is judged against the champion on all outputs together', async () => {
    await ingest(world, 'more.csv', policies({ month: '2026-02' }));
    const version = await train(world, 'r2');
    const verdict = await govern(world, 'r2', version);
    expect(verdict.reason).toMatch(/root mean squared error/i);
  });
});
