import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveAt, shadowOf } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { factsOf } from '../../src/stages/common/facts.ts';
import { readEvidence } from '../../src/stages/common/shadow.ts';
import { ShadowDecided } from '../../src/stages/govern.ts';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import {
  type World,
  contents,
  february,
  govern,
  ingest,
  openWorld,
  policies,
  score,
  scoreShadow,
  train,
  useCase,
} from './world.ts';

const { path, remove } = temporaryDirectory();
const [, boosting] = smallSearch.models;
const folder = (name: string, shadow: DeclarationInput['shadow'], search = boosting) =>
  useCasesFolder(`${path}/${name}`, { ...smallSearch, models: [search], ...(shadow && { shadow }) });

const wanted = { runs: 1, minimumRows: 200, prediction: { psi: 0.25 }, decisions: { differ: 0.5 } };

/** A month of policies and version 1 of them, judged by nobody yet. */
let trained: World;
beforeAll(async () => {
  trained = await openWorld({ useCases: folder('plain', wanted) });
  await ingest(trained, 'january.csv', policies({ rows: 2400, sigma: 0.2 }));
  await train(trained, 'r1');
});
afterAll(() => {
  trained.close();
  remove();
});

const ledger = ({ ports }: World) => readLedger(ports.registry, useCase);
const named = async (world: World) => {
  const entries = await ledger(world);
  return { champion: liveAt(entries, 'champion'), shadow: shadowOf(entries) };
};
const inShadow = (world: World, query = 'FROM rows') => world.rows('gold', `shadows/${useCase}`, query);

describe('a version that passes, of a use case that wants to see it in shadow first', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ from: trained, useCases: `${path}/plain` });
  });
  afterAll(() => world.close());

  test('becomes the shadow and not the champion, and the log says why', async () => {
    const verdict = await govern(world, 'r1', 1);
    expect(verdict).toMatchObject({ promote: true, alias: 'shadow' });
    expect(verdict.reason).toMatch(/^All \d+ gates passed\. It scores in shadow until 200 rows and 1 run are seen\.$/);
    expect(await named(world)).toEqual({ champion: null, shadow: 1 });
    const { promotion } = (await factsOf(world.ports, { useCase, runId: 'r1' }, 'Govern'))!;
    expect(promotion?.decision).toBe('shadowed');
    // delivered again, it is the same decision
    const before = await ledger(world);
    expect(await govern(world, 'r1', 1)).toEqual(verdict);
    expect(await ledger(world)).toEqual(before);
  });

  test('scores the newest batch into a table of its own, and into nothing else', async () => {
    const before = await contents(world.ports.gold, 'predictions/');
    const published = await scoreShadow(world, 'r1');
    expect(published).toMatchObject({ version: 1, recommends: false });
    const [{ rows, versions }] = await inShadow(
      world,
      'SELECT count(*) AS rows, list(DISTINCT model_version) AS versions FROM rows',
    );
    expect(rows).toBe(published.rows);
    expect(versions).toEqual([1]);
    expect(await contents(world.ports.gold, 'predictions/')).toEqual(before);
    expect(await contents(world.ports.gold, 'exports/')).toEqual(new Map());
    expect((await factsOf(world.ports, { useCase, runId: 'r1' }, 'Publish'))?.predictions).toBeUndefined();
  });

  test('scored again it adds nothing, and what was seen is the same', async () => {
    const [first, again] = [await scoreShadow(world, 'r1'), await scoreShadow(world, 'night')];
    expect([first.rows, again.rows]).toEqual([0, 0]);
    expect(again.evidence).toBe(first.evidence);
  });

  test('what was seen is counts over its own test set’s tenths, with no champion to compare with', async () => {
    const { evidence } = await scoreShadow(world, 'r1');
    const seen = await readEvidence(world.ports, evidence!);
    expect(seen).toMatchObject({ version: 1, runs: 1, failures: 0, champion: null });
    const { test: tenths, shadow, edges } = seen.scores!;
    expect(tenths).toHaveLength(10);
    // ties apart, as many in each
    expect(Math.max(...tenths) - Math.min(...tenths)).toBeLessThan(10);
    // counted by SQL as well
    const counted = await inShadow(
      world,
      `SELECT count(*) AS rows FROM rows GROUP BY len(list_filter([${edges.join()}], edge -> edge < prediction))
        ORDER BY len(any_value(list_filter([${edges.join()}], edge -> edge < prediction)))`,
    );
    expect(shadow).toEqual(counted.map(({ rows }) => rows));
  });

  test('is judged again by what was seen, and promoted by nobody’s hand', async () => {
    const { evidence } = await scoreShadow(world, 'r1');
    const verdict = await govern(world, 'r1', 1, evidence);
    expect(verdict).toMatchObject({ promote: true, alias: 'champion' });
    // two looks at the test set, one decision
    expect(verdict.reason).not.toContain('have decided');
    expect(await named(world)).toEqual({ champion: 1, shadow: null });
    const { gates, shadow } = (await factsOf(world.ports, { useCase, runId: 'r1' }, 'Govern'))!;
    expect(gates!.filter(({ name }) => name.startsWith('shadow')).map(({ name, passed }) => [name, passed])).toEqual([
      ['shadowSeen', true],
      ['shadowFailures', true],
      ['shadowPrediction', true],
    ]);
    expect(shadow).toMatchObject({ version: '1', runs: 1 });
    const card = new TextDecoder().decode(await world.ports.registry.get('cards/insurance-cost/0001.md'));
    expect(card).toContain('shadowSeen');
    // the announcement delivered once more finds its own decision
    const before = await ledger(world);
    expect(await govern(world, 'r1', 1, evidence)).toEqual(verdict);
    expect(await ledger(world)).toEqual(before);
  });

  test('an announcement by another run, after the decision, decides nothing', async () => {
    const before = await ledger(world);
    const seen = await contents(world.ports.gold, 'shadows/insurance-cost/_evidence/');
    await expect(govern(world, 'night', 1, [...seen.keys()][0])).rejects.toThrow(ShadowDecided);
    expect(await ledger(world)).toEqual(before);
    expect(await world.run('Pin', { useCase, runId: 'night', cause: 'shadow' })).toMatchObject({
      status: 'idle',
      reason: 'No version is in shadow.',
    });
  });
});

describe('beside a champion', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ from: trained, useCases: `${path}/plain` });
    await govern(world, 'r1', 1);
    await govern(world, 'r1', 1, (await scoreShadow(world, 'r1')).evidence);
    await score(world, 'r1');
    world.setClock(february);
    await ingest(world, 'february.csv', policies({ month: '2026-02', rows: 2400, sigma: 0.2, inflation: 1.3 }));
    await train(world, 'r2');
    await govern(world, 'r2', 2);
  }, 60_000);
  afterAll(() => world.close());

  test('a better version goes into shadow, and the champion stays', async () => {
    expect(await named(world)).toEqual({ champion: 1, shadow: 2 });
  });

  test('it is seen enough only when the champion has scored as many of the same rows', async () => {
    const pinned = await world.run('Pin', { useCase, runId: 'shadow-v2', cause: 'shadow' });
    expect(pinned).toMatchObject({
      batches: ['drop-february.csv'],
      pin: { version: 2, shadow: { champion: 1 } },
      hasShadow: false,
    });
    expect((await scoreShadow(world, 'shadow-v2')).evidence).toBeUndefined();
    const nightly = await world.run('Pin', { useCase, runId: 'night', cause: 'schedule' });
    expect(nightly).toMatchObject({ pin: { version: 1 }, hasShadow: true });
    await score(world, 'night');
    const { evidence } = await scoreShadow(world, 'night');
    expect(await readEvidence(world.ports, evidence!)).toMatchObject({ version: 2, champion: { version: 1 } });
  });

  test('what both have said of the same rows is compared row by row', async () => {
    const { champion } = await readEvidence(world.ports, (await scoreShadow(world, 'night')).evidence!);
    const [of2, of1] = [
      await inShadow(world, 'FROM rows WHERE model_version = 2'),
      await world.rows('gold', `predictions/${useCase}`),
    ];
    const first = new Map(
      of1.filter((row) => row['_batch'] === 'drop-february.csv').map((row) => [row['customer_id'], row]),
    );
    const both = of2.map((row) => [row, first.get(row['customer_id'])!] as const);
    const differing = both.filter(([own, others]) => own['category'] !== others['category']);
    expect(champion).toMatchObject({ version: 1, rows: both.length });
    const told = champion!.decisions.filter((cell) => cell.champion !== cell.shadow);
    expect(told.reduce((sum, cell) => sum + cell.rows, 0)).toBe(differing.length);
    const differences = both.map(([own, others]) => Number(own['prediction']) - Number(others['prediction']));
    expect(champion!.meanDifference).toBeCloseTo(differences.reduce((sum, value) => sum + value, 0) / both.length, 6);
  });

  test('no other training on drift takes its place while it is looked at', async () => {
    expect(await world.run('Snapshot', { useCase, runId: 'r3', cause: 'drift' })).toMatchObject({
      status: 'busy',
      reason: 'Version 2 is in shadow: what is seen of it decides first.',
    });
  });

  test('one that decides too much otherwise is refused with the reason, and is in shadow no more', async () => {
    folder('strict', { ...wanted, decisions: { differ: 0.001 } });
    const strict = await openWorld({ from: world, useCases: `${path}/strict` });
    const { evidence } = await scoreShadow(strict, 'night');
    const verdict = await govern(strict, 'night', 2, evidence);
    expect(verdict.promote).toBe(false);
    expect(verdict.reason).toMatch(
      /1 of \d+ gates failed\. shadowDecisions: .* would be decided otherwise than by version 1/,
    );
    expect(await named(strict)).toEqual({ champion: 1, shadow: null });
    expect((await ledger(strict)).at(-1)).toMatchObject({ kind: 'refuse', version: 2 });
    strict.close();
  });

  test('one that is seen to be right replaces the champion', async () => {
    const { evidence } = await scoreShadow(world, 'night');
    expect(await govern(world, 'night', 2, evidence)).toMatchObject({ promote: true, alias: 'champion' });
    expect(await named(world)).toEqual({ champion: 2, shadow: null });
  });
});

test('a use case that declares no shadow knows nothing of one that somebody has set', async () => {
  folder('none', undefined);
  const world = await openWorld({ from: trained, useCases: `${path}/none` });
  expect(await govern(world, 'r1', 1)).toMatchObject({ promote: true, alias: 'champion' });
  expect(await named(world)).toEqual({ champion: 1, shadow: null });
  expect(await world.run('Pin', { useCase, runId: 's1', cause: 'manual' })).toMatchObject({ hasShadow: false });
  world.close();
});
