import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { aliasHead } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { promote, tombstone } from '../../src/governance/promotion.ts';
import { fileKey } from '../../src/governance/registry.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { type World, february, ingest, january, openWorld, policies, train, useCase } from '../stages/world.ts';
import { runCli } from './run-cli.ts';

const { path, remove } = temporaryDirectory();
const [forest, boosting] = smallSearch.models;

/** Version 1, a forest of stumps, has become champion past every gate; versions 2 and 3 are good and alike. */
let prepared: World;
beforeAll(async () => {
  const stumps = {
    ...forest,
    parameters: { ...forest.parameters, trees: 5, maxDepth: 1 },
    search: { ...forest.search, space: {} },
  } as typeof forest;
  const weak = await openWorld({ useCases: useCasesFolder(`${path}/weak`, { ...smallSearch, models: [stumps] }) });
  // so many and so little noise that the frozen test set tells good calibration from luck
  await ingest(weak, 'january.csv', policies({ rows: 2400, sigma: 0.2 }));
  await train(weak, 'r1');
  prepared = await openWorld({
    from: weak,
    useCases: useCasesFolder(`${path}/good`, { ...smallSearch, models: [boosting] }),
  });
  weak.close();
  await promote(at(prepared), {
    alias: 'champion',
    version: 1,
    actor: 'the test',
    reason: 'to begin with',
    decisionId: 'test',
    criteriaHash: null,
    evidence: null,
    expectedHead: aliasHead([], 'champion'),
  });
  await train(prepared, 'r2');
  await train(prepared, 'r3');
});
afterAll(() => {
  prepared.close();
  remove();
});

const at = ({ ports }: World) => ({ store: ports.registry, useCase, nowMs: ports.clock.nowMs() });

let world: World;
beforeEach(async () => {
  world = await openWorld({ from: prepared, useCases: `${path}/good` });
  onTestFinished(() => world.close());
});
const registry = (...argv: string[]) => runCli('registry', ...argv, '--dir', world.directory);
const ledger = async () =>
  (await readLedger(world.ports.registry, useCase)).map(({ kind, version, replaces }) => [kind, version, replaces]);

describe('registry promote', () => {
  test('makes a version champion that passes every gate, on record with the person and the reason', async () => {
    const { code, out } = await registry('promote', '2', '--reason', 'approved by the committee');
    expect([code, out]).toEqual([0, 'Version 2 is champion of insurance-cost; it replaces 1 (entry 3).\n']);
    const entry = (await readLedger(world.ports.registry, useCase)).at(-1)!;
    expect(entry).toMatchObject({ kind: 'promote', version: 2, replaces: 1, reason: 'approved by the committee' });
    expect(entry.actor).not.toMatch(/machine/);
    expect(entry.criteriaHash).toMatch(/^[0-9a-f]{64}$/);
    expect((entry.evidence as { gates: { passed: boolean }[] }).gates.every(({ passed }) => passed)).toBe(true);
  });

  test('refuses a version that fails a gate: exit code 4, the gates by name, the refusal on record', async () => {
    await registry('promote', '2', '--reason', 'good');
    const { code, out, err } = await registry('promote', '1', '--reason', 'I like it');
    expect([code, out]).toEqual([4, '']);
    expect(err).toMatch(/✗ Version 1 of insurance-cost is not made champion: \d+ of \d+ gates failed\.\n/);
    expect(err).toMatch(/^ {2}r2: R² ≥ 0\.8\. R² is /m);
    expect(err).toMatch(/^ {2}beatsChampion: /m);
    expect((await ledger()).slice(-2)).toEqual([
      ['declare', 1, null],
      ['refuse', 1, null],
    ]);
  });

  test('refuses a version whose model file is damaged, by the gate that says so', async () => {
    await world.ports.registry.put(fileKey({ useCase, version: 2 }, 'model.txt'), new TextEncoder().encode('tree\n'));
    const { code, err } = await registry('promote', '2', '--reason', 'r');
    expect(code).toBe(4);
    expect(err).toMatch(/^ {2}artefactDigest: .*model\.txt should be/m);
    expect(err).toMatch(/^ {2}artefactReadable: /m);
    expect((await ledger()).at(-1)).toEqual(['refuse', 2, null]);
  });

  test('with --dry-run says what would happen and appends nothing', async () => {
    const before = await ledger();
    const good = await registry('promote', '2', '--reason', 'r', '--dry-run');
    expect(good).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^All \d+ gates pass\. Would make version 2 champion .* in place of 1\.\n$/),
    });
    await registry('promote', '2', '--reason', 'r');
    const alike = await registry('promote', '3', '--reason', 'r', '--dry-run');
    expect(alike).toMatchObject({ code: 4, err: expect.stringMatching(/^ {2}beatsChampion: /m) });
    expect((await ledger()).slice(before.length)).toEqual([
      ['declare', 2, null],
      ['promote', 2, 1],
    ]);
  });

  test('prints one document with the gates, whatever the answer', async () => {
    const refused = await registry('promote', '1', '--reason', 'r', '--json');
    expect(refused.code).toBe(2);
    await registry('promote', '2', '--reason', 'r');
    const { code, out } = await registry('promote', '1', '--reason', 'r', '--json');
    expect(code).toBe(4);
    const document = JSON.parse(out) as { promoted: boolean; gates: { name: string; passed: boolean }[] };
    expect(document.promoted).toBe(false);
    expect(document.gates.filter(({ passed }) => !passed).map(({ name }) => name)).toContain('r2');
  });

  test('does nothing about the version that is champion already', async () => {
    const { code, err } = await registry('promote', '1', '--reason', 'r');
    expect([code, err]).toEqual([2, expect.stringContaining('Version 1 of insurance-cost is champion already.')]);
    expect(await ledger()).toEqual([['promote', 1, null]]);
  });

  test('refuses a tombstoned version', async () => {
    await tombstone(at(world), { decisionId: 't', version: 2, actor: 'a person', reason: 'bad data' });
    const { code, err } = await registry('promote', '2', '--reason', 'r');
    expect([code, err]).toEqual([4, expect.stringContaining('Version 2 of insurance-cost is tombstoned')]);
  });
});

describe('registry rollback', () => {
  test('makes the champion before it champion again; the log is only appended to', async () => {
    await registry('promote', '2', '--reason', 'r');
    const dry = await registry('rollback', '--reason', 'r', '--dry-run');
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining('Would leave version 2') });
    const { code, out } = await registry('rollback', '--reason', 'complaints');
    expect([code, out]).toEqual([0, 'Version 1 is champion of insurance-cost; it replaces 2 (entry 4).\n']);
    expect(await ledger()).toEqual([
      ['promote', 1, null],
      ['declare', 2, null],
      ['promote', 2, 1],
      ['rollback', 1, 2],
    ]);
  });

  test('has nothing to go back to from the first champion', async () => {
    const { code, err } = await registry('rollback', '--reason', 'r');
    expect([code, err]).toEqual([2, expect.stringContaining('Promote another version instead.')]);
  });
});

describe('registry list, history and live-at', () => {
  test('list marks the champion and shows each version with its figures', async () => {
    const { out } = await registry('list');
    const lines = out
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => line.trim().split(/ {2,}/));
    expect(lines.map(([version]) => version)).toEqual(['1', '2', '3']);
    expect(lines[0][1]).toBe('champion');
    expect(lines[0]).toContain('random-forest');
    expect(lines[1]).toContain('gradient-boosting');
  });

  test('live-at answers for every time, also before there was anything', async () => {
    world.setClock(february);
    const live = async (time: string) => {
      const { code, out } = await registry('live-at', time, '--json');
      return [code, (JSON.parse(out) as { version: number | null }).version];
    };
    expect(await live('2026-01-05T08:59:59Z')).toEqual([0, null]);
    expect(await live(new Date(january).toISOString())).toEqual([0, 1]);
    expect(await live('2026-01-05T11:00:00+02:00')).toEqual([0, 1]);
    const { out } = await registry('live-at', '2026-01-04');
    expect(out).toBe('At 2026-01-04T00:00:00Z insurance-cost had no champion.\n');
  });

  test('history shows who decided what, and why', async () => {
    await registry('promote', '2', '--reason', 'approved by the committee');
    const { out } = await registry('history');
    expect(out).toMatch(/^ +1 .* promote +champion +1 +– +the test +– +to begin with$/m);
    expect(out).toMatch(/^ +3 .* promote +champion +2 +1 .* [0-9a-f]{8}, use 1 +approved by the committee$/m);
  });

  test('an edited log is refused, and nothing is decided on it', async () => {
    const key = 'promotions/insurance-cost/00000001.json';
    const text = new TextDecoder().decode(await world.ports.registry.get(key));
    await world.ports.registry.put(key, new TextEncoder().encode(text.replace('"version": 1', '"version": 3')));
    const { code, err } = await registry('promote', '2', '--reason', 'r');
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('entry 1 was edited after it was written. Nothing is promoted on it.'),
    ]);
  });
});
