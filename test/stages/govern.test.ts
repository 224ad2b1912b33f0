import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aliasHead, liveAt } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { ChampionChanged, promote, rollBack } from '../../src/governance/promotion.ts';
import {
  DigestMismatch,
  fileKey,
  publishVersion,
  readVersion,
  readVersionFile,
} from '../../src/governance/registry.ts';
import { testSetOf } from '../../src/governance/test-set-use.ts';
import { factsOf } from '../../src/stages/common/facts.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, contents, govern, ingest, openWorld, policies, train, useCase } from './world.ts';

const { path, remove } = temporaryDirectory();
const [forest, boosting] = smallSearch.models;

/** Version 1 is a forest of stumps that no gate would let pass, version 2 a good model, of the same rows. Nobody is champion. */
let trained: World;
beforeAll(async () => {
  const stumps = { ...forest, parameters: { ...forest.parameters, trees: 5, maxDepth: 1 } };
  const weak = await openWorld({
    useCases: useCasesFolder(`${path}/weak`, {
      ...smallSearch,
      models: [{ ...stumps, search: { ...forest.search, space: {} } } as typeof forest],
    }),
  });
  // so many and so little noise that the frozen test set tells good calibration from luck
  await ingest(weak, 'january.csv', policies({ rows: 2400, sigma: 0.2 }));
  await train(weak, 'r1');
  trained = await openWorld({
    from: weak,
    useCases: useCasesFolder(`${path}/good`, { ...smallSearch, models: [boosting] }),
  });
  await train(trained, 'r2');
  weak.close();
});
afterAll(() => {
  trained.close();
  remove();
});

let world: World;
beforeEach(async () => {
  world = await openWorld({ from: trained, useCases: `${path}/good` });
});
afterEach(() => world.close());

const at = () => ({ store: world.ports.registry, useCase, nowMs: world.ports.clock.nowMs() });
const ledger = () => readLedger(world.ports.registry, useCase);
const champion = async () => liveAt(await ledger(), 'champion');
const judge = (version: number, runId = `r${version}`) => world.run('Govern', { useCase, runId, version });
const gatesOf = async (runId: string) => (await factsOf(world.ports, { useCase, runId }, 'Govern'))!.gates!;
const failedGates = async (runId: string) =>
  (await gatesOf(runId)).filter(({ passed }) => !passed).map(({ name }) => name);

/** Past every gate, as no product code does it. */
const makeChampion = async (version: number) =>
  promote(at(), {
    alias: 'champion',
    version,
    actor: 'the test',
    reason: 'to begin with',
    decisionId: `test/${version}/${(await ledger()).length}`,
    criteriaHash: null,
    evidence: null,
    expectedHead: aliasHead(await ledger(), 'champion'),
  });

describe('Govern', () => {
  test('lets a good first model pass every gate, and leaves the promotion to Promote', async () => {
    const verdict = await judge(2);
    expect(verdict).toMatchObject({ promote: true, criteriaHash: null, expectedHead: '0'.repeat(64) });
    const gates = await gatesOf('r2');
    expect(verdict.reason).toBe(`All ${gates.length} gates passed.`);
    expect(gates.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['artefactDigest', 'artefactReadable', 'noLeakage', 'r2', 'mae', 'high_cost_recall']),
    );
    expect(await ledger()).toEqual([]);
    expect(new TextDecoder().decode(await world.ports.registry.get('cards/insurance-cost/0002.md'))).toContain('R²');
  });

  test('refuses a model below a declared limit, names the gate, and puts the refusal on record', async () => {
    const verdict = await judge(1);
    expect(verdict.promote).toBe(false);
    expect(await failedGates('r1')).toContain('r2');
    expect(verdict.reason).toMatch(/ of \d+ gates failed\. .*R² is /);
    expect(await ledger()).toEqual([
      expect.objectContaining({
        kind: 'refuse',
        alias: 'champion',
        version: 1,
        actor: 'machine govern, run r1',
        reason: verdict.reason,
      }),
    ]);
    expect(await champion()).toBeNull();
  });

  test('puts on record which test set each decision rests on, and says where it was used before', async () => {
    const digest = (await readVersion(world.ports.registry, useCase, 1)).lineage.testDigest;
    expect((await judge(1)).reason).not.toContain('have decided');
    const verdict = await judge(2);
    expect(verdict.reason).toMatch(/^All \d+ gates passed\. Its \d+ test rows have decided once before/);
    const { promote: _, ...decision } = verdict;
    await world.run('Promote', decision);
    // delivered again, it is the same decision
    expect((await judge(2)).reason).toBe(verdict.reason);
    expect((await ledger()).map((entry) => [entry.kind, testSetOf(entry)])).toEqual([
      ['refuse', { digest, rows: expect.any(Number) as number, uses: 1 }],
      ['promote', { digest, rows: expect.any(Number) as number, uses: 2 }],
    ]);
  });

  test('refuses what the noise of the compatibility profile lets nobody learn: R² stays below .80', async () => {
    const noisy = await openWorld({ useCases: `${path}/good` });
    await ingest(noisy, 'noisy.csv', policies({ sigma: 0.3 }));
    const version = await train(noisy, 'r1');
    const { promote: passed, reason } = await noisy.run('Govern', { useCase, runId: 'r1', version });
    expect(passed).toBe(false);
    expect(reason).toContain('R² is ');
    expect(liveAt(await readLedger(noisy.ports.registry, useCase), 'champion')).toBeNull();
    noisy.close();
  });

  test('measures a challenger against the champion on the same frozen rows, by criteria that were on record before', async () => {
    await makeChampion(1);
    const { promote: passed, reason, criteriaHash } = await judge(2);
    expect(passed).toBe(true);
    expect(reason).toMatch(/^Better than the champion\. /);
    expect((await gatesOf('r2')).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['beatsChampion', 'calibrationNotWorse', 'groupsNotWorse']),
    );
    const declared = (await ledger()).at(-1)!;
    expect(declared).toMatchObject({ kind: 'declare', version: 2, criteriaHash });
    const { lineage } = await readVersion(world.ports.registry, useCase, 2);
    expect(declared.evidence).toMatchObject({ metric: 'mae', minimumUsefulEffect: 25, testDigest: lineage.testDigest });
    const { promotion } = (await factsOf(world.ports, { useCase, runId: 'r2' }, 'Govern'))!;
    expect(promotion).toMatchObject({
      version: '2',
      algorithm: 'gradient-boosting',
      champion: { version: '1', algorithm: 'random-forest' },
    });
  });

  test('refuses a challenger that is as good as the champion: a change has to be worth it', async () => {
    await makeChampion(2);
    await train(world, 'r3');
    const { promote: passed, reason } = await judge(3);
    expect(passed).toBe(false);
    expect(reason).toMatch(/^The champion stays\. /);
    expect(await failedGates('r3')).toEqual(['beatsChampion']);
    expect((await ledger()).map(({ kind }) => kind)).toEqual(['promote', 'declare', 'refuse']);
  });

  test('delivered again it decides the same, on the state of then, and writes nothing more', async () => {
    await makeChampion(1);
    const verdict = await govern(world, 'r2', 2);
    const before = [
      await ledger(),
      await contents(world.ports.reports),
      await contents(world.ports.registry, 'cards/'),
    ];
    expect(await govern(world, 'r2', 2)).toEqual(verdict);
    expect([
      await ledger(),
      await contents(world.ports.reports),
      await contents(world.ports.registry, 'cards/'),
    ]).toEqual(before);
  });

  test('a refusal delivered again stays one entry, also after the champion has changed', async () => {
    await judge(1);
    await makeChampion(2);
    const before = await ledger();
    expect(await judge(1)).toMatchObject({ promote: false });
    expect(await ledger()).toEqual(before);
  });

  describe('a version that is not as it was published is refused by a named gate', () => {
    const overwrite = async (name: string, change: (bytes: Uint8Array) => Uint8Array) => {
      const key = fileKey({ useCase, version: 2 }, name);
      await world.ports.registry.put(key, change((await world.ports.registry.get(key))!));
    };

    test('a model file that was cut short', async () => {
      await overwrite('model.txt', (bytes) => bytes.subarray(0, bytes.length >> 1));
      expect(await judge(2)).toMatchObject({ promote: false, reason: expect.stringContaining('model.txt should be ') });
      expect(await failedGates('r2')).toEqual(['artefactDigest', 'artefactReadable', 'featureOrder']);
    });

    test('a model file with one changed byte', async () => {
      await overwrite('model.txt', (bytes) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)));
      expect((await judge(2)).promote).toBe(false);
      expect(await failedGates('r2')).toContain('artefactDigest');
    });

    test('a missing model file, beside a champion', async () => {
      await makeChampion(1);
      await world.ports.registry.delete(fileKey({ useCase, version: 2 }, 'model.txt'));
      expect((await judge(2)).promote).toBe(false);
      expect(await failedGates('r2')).toEqual(expect.arrayContaining(['artefactDigest', 'artefactReadable']));
      expect(await champion()).toBe(1);
    });

    test('an evaluation that somebody has improved: nothing in it counts', async () => {
      await overwrite('evaluation.json', (bytes) =>
        new TextEncoder().encode(new TextDecoder().decode(bytes).replace(/"value": [\d.]+/, '"value": 0.99')),
      );
      expect((await judge(2)).promote).toBe(false);
      expect(await failedGates('r2')).toEqual(expect.arrayContaining(['artefactDigest', 'noLeakage', 'r2', 'mae']));
    });

    test('a model card that was edited', async () => {
      await overwrite('card.json', (bytes) => new Uint8Array([...bytes, 32]));
      expect((await judge(2)).promote).toBe(false);
      expect(await failedGates('r2')).toEqual(['artefactDigest']);
      expect(await world.ports.registry.get('cards/insurance-cost/0002.md')).toBeUndefined();
    });

    test('a model that was broken before it was published', async () => {
      const manifest = await readVersion(world.ports.registry, useCase, 2);
      const files = new Map(
        await Promise.all(
          manifest.files.map(
            async ({ name }) => [name, await readVersionFile(world.ports.registry, manifest, name)] as const,
          ),
        ),
      );
      files.set('model.txt', files.get('model.txt')!.subarray(0, 500));
      const { version } = await publishVersion(world.ports.registry, {
        useCase,
        lineage: { ...manifest.lineage, runId: 'r3' },
        files,
        nowMs: 0,
      });
      expect(await judge(version)).toMatchObject({ promote: false });
      expect(await failedGates('r3')).toEqual(['artefactReadable', 'featureOrder']);
    });

    test('beside a damaged champion nothing is decided', async () => {
      await makeChampion(1);
      await world.ports.registry.put(fileKey({ useCase, version: 1 }, 'model.txt'), new Uint8Array());
      await expect(judge(2)).rejects.toThrow(DigestMismatch);
      expect(await champion()).toBe(1);
    });
  });
});

describe('Promote', () => {
  test('acts only on the state that was judged: after a change of champion the version is judged again', async () => {
    await makeChampion(1);
    const { promote: passed, ...decision } = await judge(2);
    expect(passed).toBe(true);
    await train(world, 'r3');
    await makeChampion(3);

    await expect(world.run('Promote', decision)).rejects.toThrow(ChampionChanged);
    expect(await champion()).toBe(3);
    // against version 3, which is as good, it has no case any more
    expect(await govern(world, 'r2', 2)).toMatchObject({ promote: false });
    expect(await champion()).toBe(3);
  });

  test('appends one entry with the gates as evidence, however often it is delivered', async () => {
    const { promote: _, ...decision } = await judge(2);
    const promoted = await world.run('Promote', decision);
    expect(promoted).toEqual({ useCase, runId: 'r2', version: 2, alias: 'champion', previous: null, scoreRunId: 'r2' });
    expect(await world.run('Promote', decision)).toEqual(promoted);
    const entries = await ledger();
    expect(entries.map(({ kind, version, replaces }) => ({ kind, version, replaces }))).toEqual([
      { kind: 'promote', version: 2, replaces: null },
    ]);
    expect((entries[0].evidence as { gates: object[] }).gates).toEqual(await gatesOf('r2'));
  });

  test('a later champion is scored in a run of its own, because the run that made it has reported already', async () => {
    await makeChampion(1);
    const { promote: _, ...decision } = await judge(2);
    expect(await world.run('Promote', decision)).toMatchObject({ previous: 1, scoreRunId: 'promotion-v2' });
  });

  test('a promotion delivered again does not undo a rollback', async () => {
    await makeChampion(1);
    await govern(world, 'r2', 2);
    await rollBack(at(), {
      alias: 'champion',
      from: 2,
      actor: 'a person',
      reason: 'complaints',
      decisionId: 'by hand',
    });
    await govern(world, 'r2', 2);
    expect(await champion()).toBe(1);
  });
});
