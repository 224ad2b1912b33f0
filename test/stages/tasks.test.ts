import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyCalibrator } from '../../src/ml/calibration/calibrator.ts';
import { brier, logLoss } from '../../src/ml/metrics/probability.ts';
import { predictDense } from '../../src/ml/dense/network.ts';
import { type TfliteModel, precisionOf } from '../../src/ml/formats/tflite/model.ts';
import { networkOf } from '../../src/ml/formats/tflite/network.ts';
import { rocAuc } from '../../src/ml/metrics/roc.ts';
import { r2 } from '../../src/ml/metrics/regression.ts';
import type { ReferenceProfile } from '../../src/monitoring/reference.ts';
import { explainEntity } from '../../src/stages/common/explain-entity.ts';
import { factsOf } from '../../src/stages/common/facts.ts';
import { readFrozenSet, takeColumns } from '../../src/stages/common/frozen-sets.ts';
import { explainRows, isTflite, matrixOf, predictRows } from '../../src/stages/common/learning.ts';
import { loadEvaluation, loadVersion, readDocument } from '../../src/stages/common/version.ts';
import type { Json } from '../../src/data/json.ts';
import { fileKey } from '../../src/governance/registry.ts';
import { refreshLive } from '../../src/serving/live-versions.ts';
import { useCaseOf } from '../../src/usecase/catalogue.ts';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import { selectedFrom } from '../../src/usecase/label.ts';
import { amountsFolder, noLimits, toRecommend } from './ranking.ts';
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

/** What the first version says of somebody whom it has not learnt from. */
async function explainedCase(world: World) {
  const { rows, learnt } = await published(world);
  const explanation = await explainEntity(world.ports, { useCase, version: 1, entityKey: rows.keys[0], top: 5 });
  if (!explanation) throw new Error('The feature table does not know the entity.');
  const [{ expected, value, contributions }] = explanation.outputs;
  const sum = contributions.reduce((total, { contribution }) => total + contribution, expected);
  return { ...explanation, value, sum, learnt };
}

async function published(world: World) {
  const { declaration } = useCaseOf(world.ports.catalogue, useCase);
  const version = await loadVersion(world.ports, useCase, 1);
  const evaluation = await loadEvaluation(world.ports, version.manifest);
  const rows = await readFrozenSet(world.ports, evaluation.snapshot, 'test', declaration);
  return { ...version, declaration, evaluation, rows };
}

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
    ...noLimits,
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

  test('predicts and explains no rows without a word', async () => {
    const { declaration, learnt, rows } = await published(world);
    const none = takeColumns(rows.columns, new Uint32Array(0));
    expect(predictRows(learnt, none)).toHaveLength(0);
    expect(explainRows(declaration, learnt, none).shap).toHaveLength(0);
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
    // the rates of the decisions are watched like a category
    const watched = await world.rows('gold', `drift/${useCase}`, "SELECT * FROM rows WHERE column_name = 'category'");
    expect(watched).toHaveLength(1);
    const { learnt, rows, manifest } = await published(world);
    const reference = await readDocument<ReferenceProfile>(world.ports, manifest, 'reference.json');
    expect(reference.errors.mean).toBeCloseTo(brier(rows.label, predictRows(learnt, rows.columns)), 9);
  });

  test('is explained for one case: contributions in log-odds add up to the uncalibrated probability', async () => {
    const { scale, scored, value, sum, learnt, stored } = await explainedCase(world);
    expect(scale).toBe('log-odds');
    expect(sum).toBeCloseTo(value, 9);
    const calibrated = applyCalibrator(learnt.calibrator!, Float64Array.of(1 / (1 + Math.exp(-value))));
    expect(scored['adjusted_prediction']).toBeCloseTo(calibrated[0], 9);
    expect(['standard', 'review', 'costly']).toContain(scored['category']);
    expect(stored[0]).toMatchObject({ version: 1, prediction: scored['prediction'] });
  });
});

describe('a label of several outputs', () => {
  let world: World;
  let close: () => void;
  let settled: Awaited<ReturnType<typeof settle>>;
  beforeAll(async () => {
    const folder = temporaryDirectory();
    world = await openWorld({ useCases: amountsFolder(folder.path) });
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

  test('is recommended within the contact policy: every pair is sent, held back or removed by one rule', async () => {
    const input = await toRecommend(world, settled.scored);
    const { members } = await world.run('Recommend', input);
    const sent = await world.rows('gold', `recommendations/${useCase}`);
    const removed = await world.rows('gold', `recommendations/${useCase}-removed`);
    expect(sent.length + removed.length).toBe(2 * members);
    expect(sent.filter(({ status }) => status === 'sent').length).toBeGreaterThan(100);

    const features = new Map((await world.rows('gold', `features/${useCase}`)).map((row) => [row['customer_id'], row]));
    for (const row of sent) {
      const member = features.get(row['customer_id'])!;
      expect(member[row['channel'] === 'mail' ? 'smoker' : 'has_phone']).toBe(true);
      expect(row['offer_id'] !== 'inpatient' || Number(member['age']) >= 40).toBe(true);
      expect(row['weighted_score']).toBe(Number(row['score']) * Number(row['priority_weight']));
    }
    expect(new Set(removed.map((row) => row['removed_by']))).toEqual(
      new Set(['not-eligible', 'no-consent', 'below-minimum-score']),
    );
    // asked again, the run has been through already
    await world.run('Recommend', input);
    expect(await world.rows('gold', `recommendations/${useCase}`)).toHaveLength(sent.length);
  });

  test('has exact reasons for each pair that is sent, and a text without a number', async () => {
    const sent = (await world.rows('gold', `recommendations/${useCase}`)).filter(({ status }) => status === 'sent');
    const { learnt, declaration } = await published(world);
    const [row] = sent;
    const [member] = await world.rows(
      'gold',
      `features/${useCase}`,
      `SELECT * FROM rows WHERE customer_id = '${row['customer_id'] as string}'`,
    );
    const columns = Object.fromEntries(
      Object.entries(member).map(([name, cell]) => [name, [cell as string | number | boolean | null]]),
    );
    const { matrix, shap } = explainRows(declaration, learnt, columns);
    const run = matrix.columns + 1;
    const output = declaration.label.outputs!.indexOf(row['offer_id'] as string);
    for (const { feature, shap: told } of JSON.parse(row['factors'] as string) as { feature: string; shap: number }[]) {
      expect(told).toBeCloseTo(shap[output * run + matrix.names.indexOf(feature)], 3);
    }
    for (const { reason } of sent) expect(reason).toMatch(/^[^0-9]+$/);
  });

  test('is exported for people without those held back, one offer a member', async () => {
    const { runId } = settled.scored;
    const csv = new TextDecoder().decode(await world.ports.gold.get(`exports/${useCase}/${runId}/campaign.csv`));
    const [header, ...lines] = csv.trimEnd().split('\r\n');
    expect(header).toBe('member,offer,why');
    const sent = await world.rows(
      'gold',
      `recommendations/${useCase}`,
      "SELECT * FROM rows WHERE status = 'sent' AND rank = 1",
    );
    expect(lines).toHaveLength(sent.length);
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

  test('is not sent again while it cools down', async () => {
    const pairs = (condition: string) =>
      world.rows('gold', `recommendations/${useCase}`, `SELECT * FROM rows WHERE ${condition}`);
    const nameOf = (row: { [column: string]: Json }) =>
      JSON.stringify([row['customer_id'], row['offer_id'], row['channel']]);
    const before = new Set((await pairs("status = 'sent'")).map(nameOf));
    await ingest(world, 'again.csv', policies({ month: '2026-02', firstId: 1_000_000 }));
    await world.run('Recommend', await toRecommend(world, await score(world, 's2')));
    const after = await pairs("run_id = 's2' AND status = 'sent'");
    expect(after.filter((row) => before.has(nameOf(row)))).toEqual([]);
    const [{ rows }] = await world.rows(
      'gold',
      `recommendations/${useCase}-removed`,
      "SELECT count(*) AS rows FROM rows WHERE run_id = 's2' AND removed_by = 'cooldown'",
    );
    expect(Number(rows)).toBeGreaterThan(50);
  });
});

describe('a dense network among the candidates', () => {
  let world: World;
  let close: () => void;
  beforeAll(async () => {
    ({ world, close } = await worldOf(
      {
        ...event,
        // numbers alone, as single cases are decided by
        features: {
          ...smallSearch.features,
          categorical: [],
          carried: [...smallSearch.features.carried!, 'sex', 'region'],
        },
        models: [
          {
            kind: 'dense',
            parameters: { objective: 'binary', hidden: [8], epochs: 12, learningRate: 0.01, batchSize: 64, seed: 3 },
            quantise: { precision: 'int8', representativeRows: 200, maxMeanDifference: 0.05, maxFlipShare: 0.1 },
            search: { space: {}, trials: 0, folds: 2, metric: 'roc_auc', seed: 42 },
          },
        ],
        score: { ...event.score, calibration: 'none' },
        gates: { ...event.gates, calibration_error: { max: 0.3 } },
      },
      'SELECT customer_id, recorded_at, charges > 8000 AS costly FROM policies',
    ));
    await settle(world);
  });
  afterAll(() => close());

  test('is published as an int8 .tflite file with the float one beside it, and scores from it', async () => {
    const { manifest, learnt, rows } = await published(world);
    expect(manifest.files.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['model.tflite', 'model-float32.tflite']),
    );
    expect(isTflite(learnt.model) && precisionOf(learnt.model)).toBe('int8');
    const probability = predictRows(learnt, rows.columns);
    // an int8 output has 256 values
    expect(new Set(probability).size).toBeLessThanOrEqual(256);
    expect(rocAuc(rows.label, probability)).toBeGreaterThan(0.85);
  });

  test('as champion scores, explains and is watched from that file alone: the float one may be gone', async () => {
    const { manifest, declaration } = await published(world);
    expect(manifest.lineage.algorithm).toBe('dense');
    await world.ports.registry.delete(fileKey(manifest, 'model-float32.tflite'));
    const rows = await world.rows('gold', `predictions/${useCase}`, 'SELECT prediction, category, reasons FROM rows');
    expect(rows.length).toBeGreaterThan(1000);
    // 256 values of the int8 output, and nothing between them
    expect(new Set(rows.map((row) => row['prediction'])).size).toBeLessThanOrEqual(256);
    expect(rows.every((row) => (JSON.parse(row['reasons'] as string) as unknown[]).length === 3)).toBe(true);
    await ingest(world, 'february.csv', policies({ month: '2026-02' }));
    const scored = await score(world, 's2');
    expect(await world.run('Monitor', scored)).toMatchObject({ severity: expect.any(String) as string });

    // and the server, which loads whatever is champion, decides each case at once as the night did, to the last bit
    const names = declaration.features.numeric;
    const { control } = await refreshLive(world.ports, useCase, names);
    const stored = await world.rows('gold', `predictions/${useCase}`, "SELECT * FROM rows WHERE run_id = 's1'");
    const byKey = new Map(stored.map((row) => [row['customer_id'], Number(row['prediction'])]));
    const cases = await world.rows(
      'gold',
      `features/${useCase}`,
      "SELECT * FROM rows WHERE _batch = 'drop-january.csv'",
    );
    for (const row of cases) {
      const features = Float64Array.from(names, (name) => Number(row[name]));
      expect(control!.model.score(features, 1)[0]).toBe(byKey.get(row['customer_id']));
    }
  });

  test('is fair or not by its own released scores: each group is in the gates', async () => {
    const { evaluation, learnt, rows, declaration } = await published(world);
    const [{ table }] = evaluation.fairness;
    const released = predictRows(learnt, rows.columns);
    const from = selectedFrom(declaration);
    const men = Array.from(rows.columns['sex'], (sex, row) => ({ sex, row })).filter(({ sex }) => sex === 'MALE');
    const selected = men.filter(({ row }) => released[row] >= from).length / men.length;
    expect(table.groups.find(({ group }) => group === 'MALE')!.metrics['selectionRate'].value).toBeCloseTo(
      selected,
      12,
    );
  });

  test('is held against the float network by gates with evidence', async () => {
    const { evaluation } = await published(world);
    expect(evaluation.quantisation!.rows).toBe(evaluation.testRows);
    expect(evaluation.quantisation!.bytes.constantsRatio).toBeLessThanOrEqual(1 / 3);
    const gates = (await factsOf(world.ports, { useCase, runId: 'r1' }, 'Govern'))?.gates ?? [];
    expect(gates.filter(({ name }) => name.startsWith('quantised')).map(({ name, passed }) => [name, passed])).toEqual([
      ['quantisedScores', true],
      ['quantisedDecisions', true],
      ['quantisedSize', true],
    ]);
  });

  test('is explained by column, against the average row', async () => {
    const { declaration, learnt, rows } = await published(world);
    const { matrix, shap } = explainRows(declaration, learnt, rows.columns);
    expect(matrix.names).toEqual([...declaration.features.numeric, ...declaration.features.categorical]);
    const run = matrix.columns + 1;
    const network = networkOf(learnt.model as TfliteModel);
    const exact = predictDense(network, matrixOf(learnt, rows.columns), { raw: true });
    for (let row = 0; row < rows.rows; row += 20) {
      const sum = shap.subarray(row * run, (row + 1) * run).reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(exact[row], 6);
    }
  });

  test('predicts and explains no rows without a word', async () => {
    const { declaration, learnt, rows } = await published(world);
    const none = takeColumns(rows.columns, new Uint32Array(0));
    expect(predictRows(learnt, none)).toHaveLength(0);
    expect(explainRows(declaration, learnt, none).shap).toHaveLength(0);
  });

  test('is explained for one case: contributions add up to the network in float', async () => {
    const { scale, value, sum, scored } = await explainedCase(world);
    expect(scale).toBe('log-odds');
    expect(sum).toBeCloseTo(value, 9);
    // the released network has eight bits
    expect(Math.abs(1 / (1 + Math.exp(-value)) - Number(scored['adjusted_prediction']))).toBeLessThan(0.1);
  });
});
