import { describe, expect, test } from 'vitest';
import { aliasHead, aliasHistory, liveAt } from '../../src/governance/aliases.ts';
import { type LedgerEntry, readLedger, verifyLedger } from '../../src/governance/ledger.ts';
import {
  ChampionChanged,
  declareCriteria,
  promote,
  refuse,
  rollBack,
  tombstone,
} from '../../src/governance/promotion.ts';
import { random } from '../../src/ml/random.ts';
import { MemoryStore } from './memory-store.ts';
import { crashEverywhere, interleave } from './simulation.ts';

const useCase = 'insurance-cost';
const alias = 'champion';

/** How good each version is; what a real judge would find on the frozen test set. */
type Qualities = Readonly<Record<number, number>>;

/** The govern machine in small: judge against the live champion, act, and judge again when the champion has changed. */
async function govern(store: MemoryStore, version: number, quality: Qualities): Promise<'promoted' | 'refused'> {
  const at = { store, useCase, nowMs: version * 1000 };
  const said = { alias, version, actor: `run-${version}`, decisionId: `run-${version}`, evidence: null } as const;
  const { criteriaHash } = await declareCriteria(at, { ...said, criteria: { metric: 'mae', version } });
  for (;;) {
    const entries = await readLedger(store, useCase);
    const champion = liveAt(entries, alias);
    if (champion !== null && champion !== version && quality[version] <= quality[champion]) {
      await refuse(at, { ...said, criteriaHash, reason: `not better than version ${champion}` });
      return 'refused';
    }
    try {
      const expectedHead = aliasHead(entries, alias);
      await promote(at, { ...said, criteriaHash, expectedHead, reason: `better than version ${champion}` });
      return 'promoted';
    } catch (error) {
      if (!(error instanceof ChampionChanged)) throw error;
    }
  }
}

const history = async (objects: Map<string, Uint8Array>) =>
  aliasHistory(await readLedger(new MemoryStore(objects), useCase), alias);

function replacesItsPredecessor(entries: readonly LedgerEntry[]): boolean {
  return entries.every(({ replaces }, i) => replaces === (i === 0 ? null : entries[i - 1].version));
}

describe('promoters that race', () => {
  test('25. four promoters: the champion never gets worse, the history is one line, everybody is answered', async () => {
    for (let seed = 0; seed < 500; seed++) {
      const draw = random(`race ${seed}`);
      const quality: Qualities = Object.fromEntries([1, 2, 3, 4].map((version) => [version, draw.uniform()]));
      const objects = new Map<string, Uint8Array>();
      await interleave(
        draw,
        objects,
        [1, 2, 3, 4].map((version) => async (store) => void (await govern(store, version, quality))),
      );
      const moves = await history(objects);
      const qualities = moves.map(({ version }) => quality[version]);
      expect(qualities, `seed ${seed}`).toEqual(qualities.toSorted((a, b) => a - b));
      expect(qualities.at(-1), `seed ${seed}`).toBe(Math.max(...Object.values(quality)));
      expect(replacesItsPredecessor(moves), `seed ${seed}`).toBe(true);
      const entries = await readLedger(new MemoryStore(objects), useCase);
      const answers = entries.filter(({ kind }) => kind === 'promote' || kind === 'refuse');
      expect(new Set(answers.map(({ version }) => version)), `seed ${seed}`).toEqual(new Set([1, 2, 3, 4]));
      expect(answers.length, `seed ${seed}`).toBe(4);
    }
  });

  test('the same run delivered twice promotes once', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const objects = new Map<string, Uint8Array>();
      const twice = async (store: MemoryStore) => void (await govern(store, 1, { 1: 1 }));
      await interleave(random(`twice ${seed}`), objects, [twice, twice]);
      expect((await history(objects)).length, `seed ${seed}`).toBe(1);
    }
  });

  test('a store that overwrites what is there is caught by the same checks', async () => {
    let caught = 0;
    for (let seed = 0; seed < 50; seed++) {
      const draw = random(`mutant ${seed}`);
      const quality: Qualities = Object.fromEntries([1, 2, 3, 4].map((version) => [version, draw.uniform()]));
      const objects = new Map<string, Uint8Array>();
      await interleave(
        draw,
        objects,
        [1, 2, 3, 4].map((version) => async (store) => {
          store.putIfAbsent = async (key, bytes) => {
            await store.put(key, bytes);
            return { created: true };
          };
          await govern(store, version, quality).catch(() => 'refused');
        }),
      );
      const moves = await history(objects).catch(() => []);
      const best = Math.max(...Object.values(quality));
      if (quality[moves.at(-1)?.version ?? 0] !== best || !replacesItsPredecessor(moves)) caught++;
    }
    expect(caught).toBeGreaterThan(25);
  });
});

describe('a rollback', () => {
  const quality: Qualities = { 1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4 };

  async function withChampions(...versions: number[]): Promise<Map<string, Uint8Array>> {
    const objects = new Map<string, Uint8Array>();
    for (const version of versions) await govern(new MemoryStore(objects), version, quality);
    return objects;
  }

  const rollBackFrom = (from: number) => (store: MemoryStore) =>
    rollBack(
      { store, useCase, nowMs: 9_000 },
      { alias, from, actor: 'anna', reason: 'alarm', decisionId: `rollback-${from}` },
    );

  test('appends the version before; a second one goes one further back', async () => {
    const objects = await withChampions(1, 2, 3);
    const store = new MemoryStore(objects);
    await rollBackFrom(3)(store);
    await rollBackFrom(2)(store);
    expect((await history(objects)).map(({ version }) => version)).toEqual([1, 2, 3, 2, 1]);
    await expect(rollBackFrom(1)(store)).rejects.toThrow('no earlier champion');
  });

  test('passes over a tombstoned version', async () => {
    const objects = await withChampions(1, 2, 3);
    const store = new MemoryStore(objects);
    await tombstone({ store, useCase, nowMs: 8_000 }, { version: 2, actor: 'anna', reason: 'leak', decisionId: 't2' });
    expect((await rollBackFrom(3)(store)).version).toBe(1);
  });

  test('27. racing a promotion: either the promotion is judged against the restored champion, or the rollback comes too late', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const objects = await withChampions(1, 2, 3);
      let late = false;
      await interleave(random(`rollback ${seed}`), objects, [
        async (store) => void (await govern(store, 4, quality)),
        async (store) => {
          await rollBackFrom(3)(store).catch((error: unknown) => {
            if (!(error instanceof ChampionChanged)) throw error;
            late = true;
          });
        },
      ]);
      const moves = await history(objects);
      expect(replacesItsPredecessor(moves), `seed ${seed}`).toBe(true);
      const versions = moves.map(({ version }) => version).join(' ');
      expect(versions, `seed ${seed}`).toBe(late ? '1 2 3 4' : '1 2 3 2 4');
      outcomes.add(versions);
    }
    expect(outcomes.size).toBe(2);
  });

  test('is not undone when the promotion before it is delivered once more', async () => {
    const objects = await withChampions(1, 2);
    const store = new MemoryStore(objects);
    await rollBackFrom(2)(store);
    const at = { store, useCase, nowMs: 10_000 };
    const entries = await readLedger(store, useCase);
    const again = { alias, version: 2, actor: 'run-2', decisionId: 'run-2', reason: '', criteriaHash: null } as const;
    await promote(at, { ...again, evidence: null, expectedHead: aliasHead(entries, alias) });
    expect(liveAt(await readLedger(store, useCase), alias)).toBe(1);
  });
});

describe('a crash', () => {
  test('28. in the middle of a promotion leaves the old champion or the new one, and the restart ends with the new one', async () => {
    const initial = new Map<string, Uint8Array>();
    const quality: Qualities = { 1: 0.1, 2: 0.2 };
    await govern(new MemoryStore(initial), 1, quality);
    const live = async (objects: Map<string, Uint8Array>) =>
      liveAt(await readLedger(new MemoryStore(objects), useCase), alias);

    const seen = new Set<number | null>();
    const points = await crashEverywhere(
      initial,
      async (store) => void (await govern(store, 2, quality)),
      async (objects) => {
        seen.add(await live(objects));
        await govern(new MemoryStore(objects), 2, quality);
        expect((await history(objects)).map(({ version }) => version)).toEqual([1, 2]);
      },
    );
    expect(points).toBeGreaterThan(10);
    expect(seen).toEqual(new Set([1, 2]));
  });

  test('of the acknowledgement alone: the writer finds its own entry and does not append it again', async () => {
    const store = new MemoryStore();
    const honest = store.putIfAbsent.bind(store);
    store.putIfAbsent = async (key, bytes) => {
      await honest(key, bytes);
      return { created: false };
    };
    await govern(store, 1, { 1: 1 });
    const kinds = (await readLedger(store, useCase)).map(({ kind }) => kind);
    expect(kinds).toEqual(['declare', 'promote']);
  });
});

describe('what may not be', () => {
  const decision = { alias, version: 1, actor: 'anna', reason: '', decisionId: 'd', evidence: null } as const;
  const at = (store: MemoryStore) => ({ store, useCase, nowMs: 1 });

  test('a tombstoned version never becomes live', async () => {
    const store = new MemoryStore();
    await tombstone(at(store), { version: 1, actor: 'anna', reason: 'leak', decisionId: 't' });
    const expectedHead = aliasHead([], alias);
    await expect(promote(at(store), { ...decision, criteriaHash: null, expectedHead })).rejects.toThrow('tombstoned');
  });

  test('a live version is not tombstoned, so that the alias never names nothing', async () => {
    const store = new MemoryStore();
    await promote(at(store), { ...decision, criteriaHash: null, expectedHead: aliasHead([], alias) });
    const attempt = tombstone(at(store), { version: 1, actor: 'anna', reason: 'leak', decisionId: 't' });
    await expect(attempt).rejects.toThrow('is the champion');
  });

  test('a decision by criteria that were not declared before it', async () => {
    const criteriaHash = 'f'.repeat(64);
    const attempt = promote(at(new MemoryStore()), { ...decision, criteriaHash, expectedHead: aliasHead([], alias) });
    await expect(attempt).rejects.toThrow('must be declared before');
  });

  test('other criteria within the same decision', async () => {
    const store = new MemoryStore();
    await declareCriteria(at(store), { ...decision, criteria: { metric: 'mae' } });
    const attempt = declareCriteria(at(store), { ...decision, criteria: { metric: 'r2' } });
    await expect(attempt).rejects.toThrow('may not change');
  });
});

test('what was live at a time is a question to the log', async () => {
  const objects = new Map<string, Uint8Array>();
  for (const version of [1, 2, 3]) await govern(new MemoryStore(objects), version, { 1: 1, 2: 2, 3: 3 });
  const entries = await readLedger(new MemoryStore(objects), useCase);
  expect([999, 1000, 1999, 2000, 2001, 5000].map((timeMs) => liveAt(entries, alias, timeMs))).toEqual([
    null,
    1,
    1,
    2,
    2,
    3,
  ]);
  expect(verifyLedger(entries)).toEqual([]);
});
