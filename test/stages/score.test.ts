import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aliasHead } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { promote } from '../../src/governance/promotion.ts';
import { readVersion } from '../../src/governance/registry.ts';
import { PublishedAlready, UnfitPredictions } from '../../src/stages/publish.ts';
import { PinBroken } from '../../src/stages/score.ts';
import { dueBatches } from '../../src/stages/common/batches.ts';
import type { StageInput, StageOutput } from '../../src/stages.ts';
import { type World, contents, ingest, january, openWorld, policies, score, train, useCase } from './world.ts';

const table = 'predictions/insurance-cost';

/** Versions 1 and 2 of one month's rows; version 1 is champion and has scored nothing yet. */
let trained: World;
beforeAll(async () => {
  trained = await openWorld();
  await ingest(trained, 'january.csv', policies());
  await train(trained, 'r1');
  await train(trained, 'r2');
  await makeChampion(trained, 1);
});
afterAll(() => trained.close());

let world: World;
beforeEach(async () => {
  world = await openWorld({ from: trained });
});
afterEach(() => world.close());

async function makeChampion({ ports }: World, version: number): Promise<void> {
  const entries = await readLedger(ports.registry, useCase);
  await promote(
    { store: ports.registry, useCase, nowMs: ports.clock.nowMs() },
    {
      alias: 'champion',
      version,
      actor: 'the test',
      reason: 'to begin with',
      decisionId: `test/${version}/${entries.length}`,
      criteriaHash: null,
      evidence: null,
      expectedHead: aliasHead(entries, 'champion'),
    },
  );
}

const pinned = (runId: string) => world.run('Pin', { useCase, runId, cause: 'manual' });
const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const csv = (ids: readonly number[], charges: number) =>
  [header, ...ids.map((id) => `${id},45,MALE,27.9,2,no,SOUTHEAST,${charges + id},2026-01-03T08:15:42Z`), ''].join('\n');

describe('Pin', () => {
  test('without a champion there is nothing to score with', async () => {
    const young = await openWorld();
    expect(await young.run('Pin', { useCase, runId: 's1', cause: 'schedule' })).toEqual({
      useCase,
      runId: 's1',
      status: 'idle',
      reason: 'There is no champion to score with.',
      batches: [],
      partitions: [],
      hasShadow: false,
    });
    young.close();
  });

  test('fixes the champion, the data and the batches that are due', async () => {
    const { digest } = await readVersion(world.ports.registry, useCase, 1);
    expect(await pinned('s1')).toEqual({
      useCase,
      runId: 's1',
      status: 'ready',
      reason: '1176 rows in 1 batches.',
      pin: { version: 1, modelDigest: digest, dataVersion: 0 },
      batches: ['drop-january.csv'],
      partitions: [{ bucket: 0, buckets: 1 }],
      hasShadow: false,
    });
  });

  test('is idle once everything that has arrived is scored', async () => {
    await score(world, 's1');
    expect(await pinned('s2')).toMatchObject({
      status: 'idle',
      reason: 'Version 1 has scored everything that has arrived.',
    });
  });

  test('a batch that a later drop has replaced row by row is not due for ever', async () => {
    await score(world, 's1');
    world.setClock(january + 1000);
    await ingest(world, 'wrong.csv', csv([1, 2, 3], 1000));
    world.setClock(january + 2000);
    await ingest(world, 'right.csv', csv([1, 2, 3], 2000));
    expect((await pinned('s2')).batches).toEqual(['drop-right.csv']);
    await score(world, 's2');
    expect((await pinned('s3')).status).toBe('idle');
  });

  test.each([
    [
      'what nobody has scored',
      [
        { name: 'a', rows: 1, scoredBy: [1] },
        { name: 'b', rows: 1, scoredBy: [] },
      ],
      1,
      ['b'],
    ],
    [
      'the newest one again where the champion is new',
      [
        { name: 'a', rows: 1, scoredBy: [1] },
        { name: 'b', rows: 1, scoredBy: [1] },
      ],
      2,
      ['b'],
    ],
    [
      'no older one again',
      [
        { name: 'a', rows: 1, scoredBy: [1] },
        { name: 'b', rows: 1, scoredBy: [1, 2] },
      ],
      2,
      [],
    ],
    [
      'everything, from the oldest on, at first',
      [
        { name: 'a', rows: 1, scoredBy: [] },
        { name: 'b', rows: 1, scoredBy: [] },
      ],
      1,
      ['a', 'b'],
    ],
  ])('due is %s', (_title, batches, champion, due) => {
    expect(dueBatches(batches, champion).map(({ name }) => name)).toEqual(due);
  });
});

describe('Score and Publish', () => {
  const partsOf = async (runId: string, buckets: number) => {
    const { pin, batches } = await pinned(runId);
    const parts: StageOutput<'Score'>[] = [];
    for (let bucket = 0; bucket < buckets; bucket++) {
      const partition = { bucket, buckets };
      parts.push(await world.run('Score', { useCase, runId, pin: pin!, batches, partition }));
    }
    return { useCase, runId, pin: pin!, batches, parts } satisfies StageInput<'Publish'>;
  };

  test('the partitions of a run become visible in one commit, every row once', async () => {
    const publication = await partsOf('s1', 3);
    expect(await world.rows('gold', table)).toEqual([]);
    const rows = publication.parts.map((part) => part.rows);
    expect(Math.min(...rows)).toBeGreaterThan(300);

    expect(await world.run('Publish', publication)).toEqual({
      useCase,
      runId: 's1',
      version: 1,
      rows: 1176,
      predictionsVersion: 0,
      recommends: false,
    });
    expect(
      await world.rows('gold', table, 'SELECT count(*) AS n, count(DISTINCT customer_id) AS ids FROM rows'),
    ).toEqual([{ n: 1176, ids: 1176 }]);
  });

  test('a partition that the hash leaves empty is no obstacle', async () => {
    await score(world, 's1');
    world.setClock(january + 1000);
    await ingest(world, 'few.csv', csv([1, 2], 1000));
    const publication = await partsOf('s2', 5);
    expect(publication.parts.filter(({ rows }) => rows === 0).length).toBeGreaterThanOrEqual(3);
    expect(await world.run('Publish', publication)).toMatchObject({ rows: 2 });
    expect(await world.rows('gold', table, "SELECT DISTINCT customer_id FROM rows WHERE run_id = 's2'")).toHaveLength(
      2,
    );
  });

  test('each prediction carries its run, model, data version and time', async () => {
    await score(world, 's1');
    const { digest } = await readVersion(world.ports.registry, useCase, 1);
    expect(
      await world.rows(
        'gold',
        table,
        'SELECT DISTINCT run_id, model_version, model_digest, data_version, predicted_at, _batch FROM rows',
      ),
    ).toEqual([
      {
        run_id: 's1',
        model_version: 1,
        model_digest: digest,
        data_version: 0,
        predicted_at: new Date(january).toISOString(),
        _batch: 'drop-january.csv',
      },
    ]);
  });

  test('floor, band, interval and flags are those of the declaration', async () => {
    await score(world, 's1');
    const smokers = new Set(
      (await world.rows('gold', 'features/insurance-cost', 'SELECT customer_id FROM rows WHERE smoker')).map(
        (row) => row['customer_id'],
      ),
    );
    const rows = await world.rows('gold', table);
    const bandOf = (value: number) =>
      value < 2000 ? 'low' : value < 8000 ? 'medium' : value < 20000 ? 'high' : 'very_high';
    const expected = rows.map((row) => {
      const adjusted = Math.max(Number(row['prediction']), 500);
      const category = bandOf(adjusted);
      return {
        adjusted_prediction: adjusted,
        category,
        high_risk_patient: adjusted > 15000 || category === 'very_high',
        requires_review: adjusted > 25000 || (smokers.has(row['customer_id']) && adjusted > 10000),
      };
    });
    expect(rows).toMatchObject(expected);
    expect(new Set(expected.map(({ category }) => category)).size).toBeGreaterThan(2);
    expect(new Set(expected.map((row) => row.requires_review)).size).toBe(2);
    const within = (row: (typeof rows)[number]) =>
      0 <= Number(row['prediction_lower_bound']) &&
      Number(row['prediction_lower_bound']) < Number(row['adjusted_prediction']) &&
      Number(row['adjusted_prediction']) < Number(row['prediction_upper_bound']);
    expect(rows.every(within)).toBe(true);
  });

  test('published again nothing changes', async () => {
    const publication = await partsOf('s1', 2);
    const published = await world.run('Publish', publication);
    const before = await contents(world.ports.gold, `${table}/_delta_log/`);
    expect(await world.run('Publish', publication)).toEqual(published);
    expect(await contents(world.ports.gold, `${table}/_delta_log/`)).toEqual(before);
  });

  test('26. a promotion during a run is for the next one: the run keeps its pin, and its predictions stay', async () => {
    const publication = await partsOf('s1', 1);
    await makeChampion(world, 2);
    expect((await world.run('Publish', publication)).version).toBe(1);

    const next = await pinned('s2');
    expect(next).toMatchObject({ status: 'ready', pin: { version: 2 }, batches: ['drop-january.csv'] });
    await score(world, 's2');
    expect(
      await world.rows(
        'gold',
        table,
        'SELECT run_id, model_version, count(*) AS n FROM rows GROUP BY ALL ORDER BY ALL',
      ),
    ).toEqual([
      { run_id: 's1', model_version: 1, n: 1176 },
      { run_id: 's2', model_version: 2, n: 1176 },
    ]);
  });

  test('a drop during a run is for the next one', async () => {
    const { pin, batches } = await pinned('s1');
    world.setClock(january + 1000);
    await ingest(world, 'more.csv', csv([1, 2, 3], 1000));
    const part = await world.run('Score', {
      useCase,
      runId: 's1',
      pin: pin!,
      batches,
      partition: { bucket: 0, buckets: 1 },
    });
    expect(part.rows).toBe(1176);
    await world.run('Publish', { useCase, runId: 's1', pin: pin!, batches, parts: [part] });
    expect((await pinned('s2')).batches).toEqual(['drop-more.csv']);
  });

  test('a run that is started again after another drop publishes what has come since', async () => {
    await score(world, 'score-2026-01-05');
    world.setClock(january + 1000);
    await ingest(world, 'more.csv', csv([1, 2, 3], 1000));
    await score(world, 'score-2026-01-05');
    expect(await world.rows('gold', table, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: 1179 }]);
  });

  test('a run that is delivered twice, a drop in between, publishes what both have pinned once', async () => {
    const first = await partsOf('s1', 1);
    world.setClock(january + 1000);
    await ingest(world, 'more.csv', csv([1, 2, 3], 1000));
    const second = await partsOf('s1', 1);
    expect([first.batches, second.batches]).toEqual([['drop-january.csv'], ['drop-january.csv', 'drop-more.csv']]);
    await world.run('Publish', first);
    await expect(world.run('Publish', second)).rejects.toThrow(PublishedAlready);
    await score(world, 's1');
    expect(await world.rows('gold', table, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: 1179 }]);
  });

  test('a model that is not the pinned one predicts nothing', async () => {
    const { pin, batches } = await pinned('s1');
    const scoring = world.run('Score', {
      useCase,
      runId: 's1',
      pin: { ...pin!, modelDigest: 'f'.repeat(64) },
      batches,
      partition: { bucket: 0, buckets: 1 },
    });
    await expect(scoring).rejects.toThrow(PinBroken);
  });

  test('where rows were lost between scoring and publishing, nothing is published', async () => {
    const publication = await partsOf('s1', 2);
    const publishing = world.run('Publish', {
      ...publication,
      parts: publication.parts.map((part) => ({ ...part, rows: part.rows + 1 })),
    });
    await expect(publishing).rejects.toThrow(UnfitPredictions);
    expect(await world.rows('gold', table)).toEqual([]);
  });
});
