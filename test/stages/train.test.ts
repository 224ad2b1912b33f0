import { tableFromIPC } from 'apache-arrow';
import { mean } from 'd3-array';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lease, LeaseLost, acquireLease, releaseLease } from '../../src/governance/lease.ts';
import { listVersions, readVersion, readVersionFile } from '../../src/governance/registry.ts';
import { SnapshotDamaged, readFrozenSet } from '../../src/stages/common/frozen-sets.ts';
import { explainRows, predictRows } from '../../src/stages/common/learning.ts';
import { retrainLease } from '../../src/stages/common/retrain-lease.ts';
import { loadEvaluation, loadVersion } from '../../src/stages/common/version.ts';
import { LeakageFound, TooFewRows } from '../../src/stages/snapshot.ts';
import { chooseBest } from '../../src/stages/train.ts';
import type { CandidateDocument } from '../../src/stages/tune.ts';
import type { StageInput, StageOutput } from '../../src/stages.ts';
import { useCaseOf } from '../../src/usecase/catalogue.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, contents, february, ingest, january, openWorld, policies, train, useCase } from './world.ts';

/** One month ingested; each test goes on from a copy of it. */
let january1: World;
beforeAll(async () => {
  january1 = await openWorld();
  await ingest(january1, 'january.csv', policies());
});
afterAll(() => january1.close());

let world: World;
beforeEach(async () => {
  world = await openWorld({ from: january1 });
});
afterEach(() => world.close());

type Snapshot = NonNullable<StageOutput<'Snapshot'>['snapshot']>;

const freeze = (runId: string, cause: StageInput<'Snapshot'>['cause'] = 'manual') =>
  world.run('Snapshot', { useCase, runId, cause });
const declaration = () => useCaseOf(world.ports.catalogue, useCase).declaration;
const json = async <T>(key: string, { ports } = world) =>
  JSON.parse(new TextDecoder().decode(await ports.registry.get(key))) as T;
const keysOf = async (snapshot: Snapshot, part: 'train' | 'test') =>
  new Set((await readFrozenSet(world.ports, snapshot, part, declaration())).keys);

describe('Snapshot', () => {
  test('an entity never changes its side, whatever is dropped later', async () => {
    const first = (await freeze('r1')).snapshot!;
    await releaseLease(retrainLease(world.ports, useCase), 'r1');
    world.setClock(february - 20 * 86_400_000);
    // the same people with higher charges, and others besides
    await ingest(world, 'corrected.csv', policies({ inflation: 1.2 }));
    await ingest(world, 'more.csv', policies({ month: '2026-02' }));
    const second = (await freeze('r2')).snapshot!;

    const [train1, test1] = [await keysOf(first, 'train'), await keysOf(first, 'test')];
    const [train2, test2] = [await keysOf(second, 'train'), await keysOf(second, 'test')];
    expect(train1.size + test1.size).toBe(1176);
    expect(train2.size + test2.size).toBeGreaterThan(2 * 1100);
    expect([...test1].filter((key) => train2.has(key))).toEqual([]);
    expect([...train1].filter((key) => test2.has(key))).toEqual([]);
    expect([...test1].filter((key) => test2.has(key)).length).toBe(test1.size);
  });

  test('what was frozen is read back to the last row, and a changed file is refused', async () => {
    const { snapshot, candidates } = await freeze('r1');
    const key = snapshot!.key.replace('snapshot.json', 'train.arrow');
    const bytes = (await world.ports.registry.get(key))!;
    expect(tableFromIPC(bytes).numRows).toBe(snapshot!.trainRows);

    const [candidate] = candidates;
    const altered = bytes.slice();
    altered[altered.length >> 1] ^= 1;
    await world.ports.registry.put(key, altered);
    await expect(world.run('Tune', { useCase, runId: 'r1', snapshot: snapshot!, candidate })).rejects.toThrow(
      SnapshotDamaged,
    );
  });

  test('what arrived long before the declared window is neither learnt from nor judged on', async () => {
    world.setClock(january + 40 * 86_400_000);
    await ingest(world, 'later.csv', policies({ month: '2026-02', rows: 2700 }));
    const { snapshot } = await freeze('r1');
    const keys = [...(await keysOf(snapshot!, 'train')), ...(await keysOf(snapshot!, 'test'))];
    expect(keys.length).toBe(snapshot!.trainRows + snapshot!.testRows);
    expect(keys.filter((key) => !key.startsWith('2'))).toEqual([]);
  });

  test('where little has arrived in the window, what is older is learnt from too', async () => {
    world.setClock(january + 40 * 86_400_000);
    await ingest(world, 'later.csv', policies({ month: '2026-02' }));
    const { snapshot } = await freeze('r1');
    const months = (keys: Iterable<string>) => new Set(Array.from(keys, (key) => key[0]));
    expect(months(await keysOf(snapshot!, 'train'))).toEqual(new Set(['1', '2']));
    expect(months(await keysOf(snapshot!, 'test'))).toEqual(new Set(['2']));
  });

  test('a feature that is made from the label stops the training, and is named', async () => {
    const { path, remove } = temporaryDirectory();
    const leaking = (text: string) => text.replace('(1 + 0.15 * children)::DOUBLE', '(charges * 1.07)::DOUBLE');
    const leaky = await openWorld({ useCases: useCasesFolder(path, smallSearch, { 'features.sql': leaking }) });
    await ingest(leaky, 'january.csv', policies());
    const freezing = leaky.run('Snapshot', { useCase, runId: 'r1', cause: 'manual' });
    await expect(freezing).rejects.toThrow(LeakageFound);
    await expect(freezing).rejects.toThrow(/family_size_factor/);
    expect([...(await contents(leaky.ports.registry, 'snapshots/')).keys()]).toEqual([]);
    leaky.close();
    remove();
  });

  test('one retraining at a time: a second run is told who is at it, and may begin when that has ended', async () => {
    await freeze('r1');
    expect(await freeze('r2')).toMatchObject({
      status: 'busy',
      reason: expect.stringContaining('Run r1 is retraining already'),
    });
    await releaseLease(retrainLease(world.ports, useCase), 'r1');
    expect(await freeze('r2')).toMatchObject({ status: 'ready' });
  });

  test('delivered again it freezes the same bytes', async () => {
    const first = await freeze('r1');
    const before = await contents(world.ports.registry, 'snapshots/');
    expect(await freeze('r1')).toEqual(first);
    expect(await contents(world.ports.registry, 'snapshots/')).toEqual(before);
  });

  test('a schedule trains on nothing that the newest model has seen; a person may insist', async () => {
    await train(world, 'r1');
    const idle = await freeze('retrain-2026-02-01', 'schedule');
    expect(idle).toEqual({
      useCase,
      runId: 'retrain-2026-02-01',
      status: 'busy',
      reason: 'The newest model has been trained on data version 0 and there is nothing newer.',
      candidates: [],
    });
    // and it has not kept the lease
    expect(await freeze('r2', 'manual')).toMatchObject({ status: 'ready' });
  });

  test('too few rows to judge on are said to be too few', async () => {
    const small = await openWorld();
    await ingest(small, 'few.csv', policies({ rows: 60, dirtShare: 0 }));
    const freezing = small.run('Snapshot', { useCase, runId: 'r1', cause: 'first-data' });
    await expect(freezing).rejects.toThrow(TooFewRows);
    await expect(freezing).rejects.toThrow(/60 labelled rows, .* at least 50 and 20 are needed/);
    small.close();
  });
});

describe('Tune', () => {
  test('every training row is predicted by a model that has not seen it, and a candidate’s figure is the mean over its folds', async () => {
    const { snapshot, candidates } = await freeze('r1');
    expect(candidates.map(({ id }) => id)).toEqual([
      'random-forest-0',
      'random-forest-1',
      'gradient-boosting-0',
      'gradient-boosting-1',
    ]);
    const {
      candidateId,
      metric,
      mean: figure,
      key,
    } = await world.run('Tune', {
      useCase,
      runId: 'r1',
      snapshot: snapshot!,
      candidate: candidates[2],
    });
    expect([candidateId, metric]).toEqual(['gradient-boosting-0', 'mae']);
    const document = await json<CandidateDocument>(key);
    expect(document.outOfFold).toHaveLength(snapshot!.trainRows);
    expect(document.outOfFold.filter((value) => !Number.isFinite(value))).toEqual([]);
    expect(document.folds).toHaveLength(3);
    expect(figure).toBeCloseTo(
      mean(document.folds, (fold) => fold.metrics['mae'])!,
      9,
    );

    // the folds' errors are those of the predictions that were kept
    const { label } = await readFrozenSet(world.ports, snapshot!, 'train', declaration());
    const pooled = mean(document.outOfFold, (value, row) => Math.abs((value ?? NaN) - label[row]))!;
    const errors = document.folds.map((fold) => fold.metrics['mae']);
    expect(pooled).toBeGreaterThan(Math.min(...errors));
    expect(pooled).toBeLessThan(Math.max(...errors));
  });
});

describe('Train', () => {
  const scored = (id: string, means: CandidateDocument['mean']) =>
    ({ candidate: { id }, mean: means }) as unknown as CandidateDocument;
  test.each([
    ['the smallest error wins', 'mae', [3, 1, 2], '1'],
    ['the largest R² wins', 'r2', [0.3, 0.1, 0.7], '2'],
    ['of equals the first declared', 'mae', [2, 1, 1], '1'],
    ['what is not a number never wins, wherever it stands', 'mae', [NaN, 5, NaN], '1'],
  ] as const)('%s', (_title, metric, means, winner) => {
    const documents = means.map((value, i) => scored(String(i), { [metric]: value }));
    expect(chooseBest(documents, metric).candidate.id).toBe(winner);
  });

  test('the best candidate is chosen and fitted again, to the same bytes from the same data and seed', async () => {
    await train(world, 'r1');
    const chosen = await contents(world.ports.registry, 'snapshots/insurance-cost/r1/chosen/');
    const figures = new Map<string, number>();
    for await (const { key } of world.ports.registry.list('snapshots/insurance-cost/r1/candidates/')) {
      const { candidate, mean } = await json<CandidateDocument>(key);
      figures.set(candidate.id, mean['mae']);
    }
    const { lineage } = await readVersion(world.ports.registry, useCase, 1);
    const training = await json<{ candidate: { id: string } }>('snapshots/insurance-cost/r1/chosen/training.json');
    expect(figures.get(training.candidate.id)).toBe(Math.min(...figures.values()));
    expect(training.candidate.id.startsWith(lineage.algorithm)).toBe(true);

    // another machine, another day, the same file
    const elsewhere = await openWorld();
    await ingest(elsewhere, 'january.csv', policies());
    await train(elsewhere, 'r1');
    expect(await contents(elsewhere.ports.registry, 'snapshots/insurance-cost/r1/chosen/')).toEqual(chosen);
    const models = await Promise.all(
      [world, elsewhere].map(async ({ ports }) => {
        const manifest = await readVersion(ports.registry, useCase, 1);
        return Buffer.from(await readVersionFile(ports.registry, manifest, 'model.txt')).toString();
      }),
    );
    expect(models[0]).toBe(models[1]);
    elsewhere.close();
  });
});

describe('Evaluate', () => {
  test('24. one run publishes one version, however often it is delivered', async () => {
    const version = await train(world, 'r1');
    const before = await contents(world.ports.registry, 'versions/');
    const key = 'snapshots/insurance-cost/r1/chosen/training.json';
    const { snapshot } = await freeze('r1');
    expect(await world.run('Evaluate', { useCase, runId: 'r1', snapshot: snapshot!, key })).toEqual({
      useCase,
      runId: 'r1',
      version,
    });
    expect(await contents(world.ports.registry, 'versions/')).toEqual(before);
  });

  test('a run that has lost the lease publishes nothing', async () => {
    const { snapshot, candidates } = await freeze('r1');
    const tuned = [await world.run('Tune', { useCase, runId: 'r1', snapshot: snapshot!, candidate: candidates[2] })];
    const { key } = await world.run('Train', { useCase, runId: 'r1', snapshot: snapshot!, candidates, tuned });

    const { expiresAtMs } = await json<Lease>('leases/insurance-cost/retrain/00000001.json');
    const lease = retrainLease(world.ports, useCase);
    await acquireLease(lease, { holder: 'r2', nowMs: expiresAtMs, durationSeconds: 60 });
    const evaluating = world.run('Evaluate', { useCase, runId: 'r1', snapshot: snapshot!, key });
    await expect(evaluating).rejects.toThrow(LeaseLost);
    expect(await listVersions(world.ports.registry, useCase)).toEqual([]);
  });

  describe('the published version', () => {
    let trained: World;
    beforeAll(async () => {
      trained = await openWorld({ from: january1 });
      await train(trained, 'r1');
    });
    afterAll(() => trained.close());

    const published = async () => {
      const version = await loadVersion(trained.ports, useCase, 1);
      const evaluation = await loadEvaluation(trained.ports, version.manifest);
      const test = await readFrozenSet(trained.ports, evaluation.snapshot, 'test', declaration());
      return { ...version, evaluation, test, predicted: predictRows(version.learnt, test.columns) };
    };

    test('predicts what its evaluation says it does', async () => {
      const { evaluation, test, predicted } = await published();
      const residuals = Array.from(test.label, (actual, row) => actual - predicted[row]);
      const centre = mean(test.label)!;
      const squares = (values: Iterable<number>) => Array.from(values).reduce((sum, value) => sum + value * value, 0);
      expect(evaluation.metrics.mae!.value).toBeCloseTo(mean(residuals, Math.abs)!, 6);
      expect(evaluation.metrics.r2!.value).toBeCloseTo(
        1 - squares(residuals) / squares(test.label.map((actual) => actual - centre)),
        9,
      );
      for (const { value, low, high } of Object.values(evaluation.metrics)) {
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }
      expect(evaluation.constantMetrics.skill_over_constant).toBe(0);
      expect(evaluation.predictions).toMatchObject({ rows: test.rows, notFinite: 0 });
    });

    test('is explained to the cent: SHAP values and the expected value add up to each prediction', async () => {
      const { learnt, test } = await published();
      const { matrix, shap } = explainRows(declaration(), learnt, test.columns);
      const predicted = predictRows(learnt, test.columns);
      const width = matrix.columns + 1;
      for (let row = 0; row < matrix.rows; row++) {
        const sum = shap.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - predicted[row])).toBeLessThan(0.005);
      }
    });

    test('says what it was made of', async () => {
      const { manifest, training, evaluation } = await published();
      const snapshot = await json<{ trainDigest: string; testDigest: string }>(evaluation.snapshot.key, trained);
      expect(manifest.lineage).toMatchObject({
        runId: 'r1',
        algorithm: training.candidate.kind,
        parameters: training.candidate.parameters,
        seed: 42,
        dataVersion: 0,
        contractVersions: { policies: '1.0.0' },
        codeCommit: 'c0de',
        trainDigest: snapshot.trainDigest,
        testDigest: snapshot.testDigest,
      });
      expect(manifest.files.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['model.txt', 'evaluation.json', 'reference.json', 'card.json']),
      );
    });
  });
});
