import { aliasHead, liveAt } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { acquireLease, ensureHolder, releaseLease } from '../../src/governance/lease.ts';
import type { Lineage } from '../../src/governance/lineage.ts';
import { declareCriteria, promote, refuse, rollBack, tombstone } from '../../src/governance/promotion.ts';
import { listVersions, publishVersion } from '../../src/governance/registry.ts';
import { type Random, random } from '../../src/ml/random.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { gatedStore } from './gated-store.ts';
import { type Entry, checkVersions, readChain } from './ledger-reader.ts';
import type { Mutant } from './mutants.ts';
import { demand, readJson, sha256Of } from './outside-reader.ts';
import type { Played } from './play.ts';
import { type Actor, Scheduler, noFaults } from './scheduler.ts';
import { TwinStore } from './twin-store.ts';
import { weather } from './weather.ts';
import { useCase } from './world.ts';

const startMs = Date.parse('2026-03-02T09:00:00Z');
const alias = 'champion';

/**
 * Trainers that want one lease, publish their versions and have them judged; each is delivered twice at times, dies and comes
 * again. People roll back and tombstone meanwhile. Versions are as good as `quality` says.
 */
export async function playGovernance(seed: string, directory: string, mutant: Mutant = {}): Promise<Played> {
  const draw = random(seed);
  const scheduler = new Scheduler(draw.fork('schedule'), startMs);
  const nowMs = () => scheduler.clock.nowMs();
  const twin = new TwinStore(directory, nowMs);
  const runs = ['run-a', 'run-b', 'run-c', 'run-d'].slice(0, 2 + draw.integer(3));
  const quality = new Map(runs.map((run) => [run, draw.uniform()]));
  const failures: unknown[] = [];
  const done = new Set<string>();
  scheduler.faults = weather(draw.fork('weather'));

  const begin = (name: string, work: (store: ObjectStore, actor: Actor) => Promise<void>): void => {
    const actor = scheduler.actor(name);
    void (async () => {
      await scheduler.point(actor, name);
      const gated = gatedStore(twin, 'registry', actor, scheduler);
      const store = mutant.store?.(gated, { zone: 'registry', actor }) ?? gated;
      for (let again = true; again;) again = await tried(() => work(store, actor));
      done.add(name);
    })()
      .catch((error: unknown) => failures.push(error))
      .finally(() => scheduler.ended(actor));
    actor.death.catch(() => begin(name, work));
  };
  for (const run of runs) {
    const deliveries = draw.uniform() < 0.3 ? 2 : 1;
    const clock = { skewMs: draw.choice([0, 0, 86_400_000, -86_400_000]), nowMs };
    for (let i = 0; i < deliveries; i++) {
      begin(run, (store, actor) => train({ store, actor, scheduler, twin, quality, clock, mutant }, run));
    }
  }
  if (draw.uniform() < 0.5) begin('person', (store) => leave(store, draw.fork('person'), nowMs()));

  for (let look = 0; look < 3; look++) {
    await scheduler.run(draw.integer(200));
    check(twin, quality, runs, failures);
  }
  await scheduler.run(2_000);
  scheduler.faults = noFaults;
  await scheduler.run();
  check(twin, quality, runs, failures);
  const chain = readChain(twin.objects, useCase);
  for (const run of runs) {
    demand(done.has(run), `${run} never came to an end`);
    const answers = chain.filter(({ kind, decisionId }) => decisionId === run && kind !== 'declare');
    demand(answers.length === 1, `${run} was decided ${answers.length} times`);
  }
  const objects = [...twin.objects].map(([key, { sha256 }]) => `${key} ${sha256}`).sort();
  return {
    hash: sha256Of(objects.join() + scheduler.traceHash()),
    points: scheduler.points,
    faults: scheduler.injected,
  };
}

/** True where it has to be tried again. */
async function tried(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'StoreUnavailable' || name === 'LeaseLost' || name === 'ChampionChanged' || name === 'Busy')
      return true;
    demand(name !== 'LedgerBroken' && name !== 'DigestMismatch', `${name}: ${message}`);
    throw error;
  }
}

class Busy extends Error {
  override name = 'Busy';
}

type Trainer = {
  store: ObjectStore;
  actor: Actor;
  scheduler: Scheduler;
  twin: TwinStore;
  quality: ReadonlyMap<string, number>;
  clock: { skewMs: number; nowMs: () => number };
  mutant: Mutant;
};

/** The machines train and govern in small. */
async function train({ store, actor, scheduler, twin, quality, clock, mutant }: Trainer, run: string): Promise<void> {
  const nowMs = clock.nowMs() + clock.skewMs;
  const lease = { store, useCase, name: 'retrain' };
  const versions = await listVersions(store, useCase);
  let version = versions.find(({ lineage }) => lineage.runId === run)?.version;
  if (version === undefined) {
    const { acquired } = await acquireLease(lease, { holder: run, nowMs, durationSeconds: 3600 });
    if (!acquired) {
      scheduler.clock.pass(1_800_000);
      throw new Busy();
    }
    for (let i = 0; i < 3; i++) await scheduler.point(actor, 'trains');
    const before = lastLease(twin);
    if (mutant.lease !== 'without fencing') await ensureHolder(lease, run);
    // another delivery of the same run may have taken it again meanwhile
    const isRegained = lastLease(twin).number > before.number;
    demand(before.holder === run || isRegained, `${run} goes on though it has lost its lease`);
    const files = new Map([
      ['model.txt', bytes(`model of ${run}`)],
      ['card.json', bytes(`card of ${run}`)],
    ]);
    ({ version } = await publishVersion(store, { useCase, lineage: { runId: run } as Lineage, files, nowMs }));
    await releaseLease(lease, run);
  }
  await judge(store, run, version, quality, nowMs, mutant);
}

async function judge(
  store: ObjectStore,
  run: string,
  version: number,
  quality: ReadonlyMap<string, number>,
  nowMs: number,
  mutant: Mutant,
): Promise<void> {
  const at = { store, useCase, nowMs };
  const said = { alias, version, actor: run, decisionId: run, evidence: null } as const;
  const { criteriaHash } = await declareCriteria(at, { ...said, criteria: { metric: 'mae', version } });
  const entries = await readLedger(store, useCase);
  if (entries.some(({ kind, decisionId }) => decisionId === run && kind !== 'declare')) return;
  const champion = liveAt(entries, alias);
  const manifests = await listVersions(store, useCase);
  const runOf = (number: number) => manifests.find((manifest) => manifest.version === number)!.lineage.runId;
  const better = champion === null || quality.get(run)! > quality.get(runOf(champion))!;
  if (!better) {
    await refuse(at, { ...said, criteriaHash, reason: `not better than ${champion}` });
    return;
  }
  const head = mutant.promote === 'without head check' ? await readLedger(store, useCase) : entries;
  const expectedHead = aliasHead(head, alias);
  await promote(at, { ...said, criteriaHash, expectedHead, reason: `better than ${champion}` });
}

/** Somebody goes back to the champion before, and bars the one that was left. */
async function leave(store: ObjectStore, draw: Random, nowMs: number): Promise<void> {
  const at = { store, useCase, nowMs };
  const from = liveAt(await readLedger(store, useCase), alias);
  if (from === null) return;
  const said = { actor: 'anna', reason: 'an alarm' };
  try {
    await rollBack(at, { ...said, alias, from, decisionId: `rollback-${from}` });
    if (draw.uniform() < 0.5) await tombstone(at, { ...said, version: from, decisionId: `tombstone-${from}` });
  } catch (error) {
    if (!['NothingToRollBackTo', 'ChampionChanged', 'VersionIsLive'].includes((error as Error).name)) throw error;
  }
}

function check(
  twin: TwinStore,
  quality: ReadonlyMap<string, number>,
  runs: readonly string[],
  failures: unknown[],
): void {
  if (failures.length > 0) throw failures[0];
  const versions = checkVersions(twin.objects, useCase);
  const published = new Map([...versions].map(([version, { runId }]) => [version, runId]));
  for (const run of runs) {
    const count = [...published.values()].filter((other) => other === run).length;
    demand(count <= 1, `${run} has published ${count} versions`);
  }
  const qualityOf = (version: number) => quality.get(published.get(version)!)!;
  checkChampions(readChain(twin.objects, useCase), published, qualityOf);
}

/** One line of champions, each promoted one better than the one it took over from, whole, and not barred. */
export function checkChampions(
  chain: readonly Entry[],
  published: ReadonlyMap<number, unknown>,
  qualityOf: (version: number) => number,
): void {
  const barred = new Set<number>();
  let live: number | null = null;
  for (const { kind, version, replaces, sequence, alias: moved } of chain) {
    if (kind === 'tombstone') barred.add(version);
    if (moved !== alias || (kind !== 'promote' && kind !== 'rollback')) continue;
    demand(
      replaces === live,
      `entry ${sequence} takes over from version ${replaces} where version ${live} is champion`,
    );
    demand(published.has(version), `entry ${sequence} makes version ${version} champion, which is not whole`);
    demand(!barred.has(version), `entry ${sequence} makes version ${version} champion, which is tombstoned`);
    const better = kind === 'rollback' || live === null || qualityOf(version) > qualityOf(live);
    demand(better, `entry ${sequence} replaces version ${live} by version ${version}, which is worse`);
    live = version;
  }
}

/** Who took the lease last, seen from outside. */
function lastLease({ objects }: TwinStore): { holder: string; number: number } {
  const key = [...objects.keys()]
    .filter((name) => /^leases\/.*\d{8}\.json$/.test(name))
    .sort()
    .at(-1)!;
  return readJson<{ holder: string; number: number }>(objects, key)!;
}

const bytes = (text: string) => new TextEncoder().encode(text);
