import type { Json } from '../../src/data/json.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { type MachineName, zones } from '../../src/stages.ts';
import { contentOf } from './ingest.ts';
import { checkVersions, readChain } from './ledger-reader.ts';
import { type OutsideReader, type Row, Violation, demand, readJson, readLog, sha256Of } from './outside-reader.ts';
import type { Kept } from './twin-store.ts';
import { type Ground, type State, World, source, useCase } from './world.ts';

/** What crashing everywhere came to. */
export type Crashed = {
  /** I/O points of the run without a fault; a process can die before and after each. */
  points: number;
  /** By stage, how many different states a death can leave; each was restarted from. */
  restarts: Map<string, number>;
};

/** A machine, what starts it, and where it starts from. */
export type Journey = { machine: MachineName; from: State; input: Json };

/** One journey of each machine, the one after the other where it needs what the one before has made. */
export async function journeys(ground: Ground, champion: State): Promise<Journey[]> {
  const { world, input } = await withFile(ground, champion);
  const ingest: Journey = { machine: 'ingest', from: world.state(), input };
  const score: Journey = {
    machine: 'score',
    from: champion,
    input: { useCase, runId: 'daily', cause: 'manual' },
  };
  const scored = await finished(ground, score);
  return [
    ingest,
    { machine: 'train', from: champion, input: { useCase, runId: 'retrain', cause: 'manual' } },
    { machine: 'govern', from: champion, input: { useCase, runId: 'train-2', version: 2 } },
    score,
    {
      machine: 'monitor',
      from: scored.state(),
      input: { useCase, runId: 'daily', version: 1, rows: 160, predictionsVersion: 0 },
    },
  ];
}

/** The ground with a use case that wants to see a version in shadow first. */
export function withShadow(ground: Ground): Ground {
  const catalogue = structuredClone(ground.catalogue);
  catalogue.useCases[0].declaration.shadow = {
    runs: 1,
    minimumRows: 20,
    maxFailureShare: 0,
    prediction: { psi: 5 },
    decisions: { differ: 0.99 },
  };
  return { ...ground, catalogue };
}

/**
 * On that ground, the way of a version from training into shadow, through it, and to a decision: one journey each, and the scoring of
 * a day on which the champion and the shadow both have something to score.
 */
export async function shadowJourneys(ground: Ground, champion: State): Promise<{ [name: string]: Journey }> {
  const go = async (machine: MachineName, from: State, input: { [name: string]: Json }) => {
    const journey: Journey = { machine, from, input: { useCase, ...input } };
    return { journey, state: (await finished(ground, journey)).state() };
  };
  const scored = await go('score', champion, { runId: 'daily', cause: 'manual' });
  const trained = await go('train', scored.state, { runId: 'retrain', cause: 'manual' });
  const judged = await go('govern', trained.state, { runId: 'retrain', version: 5 });
  const seen = await go('score', judged.state, { runId: 'shadow-v5', cause: 'shadow' });
  const evidence = [...seen.state.gold.keys()].find((key) => key.includes('/_evidence/'));
  demand(evidence !== undefined, 'the version was not seen in shadow');
  const decided = await go('govern', seen.state, { runId: 'shadow-v5', version: 5, evidence });
  const ingested = new World(ground, { seed: 'second file', from: seen.state });
  ingested.only = ['ingest'];
  const members = Array.from({ length: 12 }, (_, i) => `N${i}`);
  await ingested.drop('newer.csv', contentOf(ingested.draw, members, 5000).bytes);
  await ingested.scheduler.run();
  const nightly = await go('score', ingested.state(), { runId: 'nightly', cause: 'manual' });
  return {
    'goes into shadow': judged.journey,
    'scores in shadow': seen.journey,
    'is judged by what was seen': decided.journey,
    'scores beside the champion': nightly.journey,
  };
}

async function withFile(ground: Ground, from: State): Promise<{ world: World; input: Json }> {
  const world = new World(ground, { seed: 'file', from });
  world.only = [];
  await world.drop('new.csv', contentOf(world.draw, ['N1', 'N2', 'N3', 'N4'], 5000).bytes);
  await world.scheduler.run();
  const key = `drops/${useCase}/${source}/new.csv`;
  const { etag } = (await world.stores.bronze.head(key))!;
  return { world, input: { object: { key, etag } } };
}

async function finished(ground: Ground, { machine, from, input }: Journey, seed = 'whole'): Promise<World> {
  const world = new World(ground, { seed, from });
  world.only = [];
  world.start(machine, input);
  await world.scheduler.run();
  const [{ status, execution }] = world.runs;
  demand(status === 'SUCCEEDED', `${machine} ends as ${status}: ${execution?.cause}`);
  return world;
}

/**
 * Runs the machine once and keeps what is stored behind each of its writes: that is what the death of the process leaves, be it
 * right after that write or anywhere up to before the next. From each such state the same event is delivered again, which must
 * lead to the end that the run without a fault has; and each such state is one that a reader may see.
 */
export async function crashEverywhere(ground: Ground, journey: Journey, reader: OutsideReader): Promise<Crashed> {
  const left: { stage: string; state: State }[] = [];
  const world: World = new World(ground, {
    seed: 'watched',
    from: journey.from,
    mutant: { store: (store, { stage = '' }) => watched(store, () => left.push({ stage, state: world.state() })) },
  });
  world.only = [];
  world.start(journey.machine, journey.input);
  await world.scheduler.run();
  const whole = await endOf(world.state(), reader);

  const restarts = new Map<string, number>();
  for (const [i, { stage, state }] of left.entries()) {
    checkReadable(state);
    const again = await finished(ground, { ...journey, from: state }, `restart ${i}`);
    const end = await endOf(again.state(), reader);
    for (const [what, found] of Object.entries(end)) {
      const same = found === whole[what];
      demand(
        same,
        `after a death in ${stage}, behind its write ${i}, ${what} ends as ${found} and not as ${whole[what]}`,
      );
    }
    restarts.set(stage, (restarts.get(stage) ?? 0) + 1);
  }
  return { points: world.scheduler.points, restarts };
}

function watched(store: ObjectStore, written: () => void): ObjectStore {
  const then = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    written();
    return result;
  };
  return {
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    list: (prefix, options) => store.list(prefix, options),
    localCopy: (key, expect) => store.localCopy(key, expect),
    put: (key, bytes) => then(store.put(key, bytes)),
    putIfAbsent: (key, bytes) => then(store.putIfAbsent(key, bytes)),
    delete: (key) => then(store.delete(key)),
  };
}

/** What a reader meets who looks just then: whole tables, a whole ledger, whole versions, no half document. */
export function checkReadable(state: State): void {
  for (const zone of zones) {
    const tables = new Set([...state[zone].keys()].flatMap((key) => /^(.*)\/_delta_log\//.exec(key)?.[1] ?? []));
    for (const path of tables) readLog(state[zone], path);
    for (const key of state[zone].keys())
      if (key.endsWith('.json') && !key.includes('_delta_log')) readJson(state[zone], key);
  }
  checkVersions(state.registry, useCase);
  readChain(state.registry, useCase);
}

/** Everything that matters at the end, as text; times and random codes differ from run to run and are left out. */
async function endOf(state: State, reader: OutsideReader): Promise<{ [what: string]: string }> {
  const table = async (objects: ReadonlyMap<string, Kept>, path: string) => {
    const rows = await reader.rows(objects, path);
    const members = new Set(rows.map((row) => row['member_no']));
    return `${members.size} members, ${rows.map(lasting).sort().join('; ')}`;
  };
  const documents = (objects: ReadonlyMap<string, Kept>, pattern: RegExp) =>
    [...objects].flatMap(([key, { sha256 }]) => (pattern.test(key) ? [`${key} ${sha256}`] : [])).sort();
  const champions = readChain(state.registry, useCase).map(
    ({ kind, version, decisionId }) => `${kind} ${version} ${decisionId}`,
  );
  const versions = [...checkVersions(state.registry, useCase)].map(([version, { runId }]) => {
    const key = `versions/${useCase}/${String(version).padStart(4, '0')}/evaluation.json`;
    const { metrics } = readJson<{ metrics: Json }>(state.registry, key) ?? { metrics: null };
    // a number whose publisher died stays unused where the card, which tells the time, is another one
    return `${runId} ${sha256Of(JSON.stringify(metrics))}`;
  });
  return {
    silver: await table(state.silver, `tables/${useCase}/${source}`),
    quarantine: await table(state.bronze, `quarantine/${useCase}/${source}`),
    features: await table(state.gold, `features/${useCase}`),
    predictions: await table(state.gold, `predictions/${useCase}`),
    shadows: await table(state.gold, `shadows/${useCase}`),
    drift: await table(state.gold, `drift/${useCase}`),
    receipts: documents(state.reports, /\/receipt\.json$/).join('; '),
    pages: documents(state.reports, /^pages\//)
      .map((page) => page.split(' ')[0])
      .join('; '),
    ledger: champions.join('; '),
    versions: versions.join('; '),
    catalogue: documents(state.runtime, /^models\//)
      .map((key) => key.split(' ')[0])
      .join('; '),
    lease: leases(state.registry),
  };
}

/** Whether training is anybody's at the moment. */
function leases(registry: ReadonlyMap<string, Kept>): string {
  const last = [...registry.keys()]
    .filter((key) => key.startsWith('leases/'))
    .sort()
    .at(-1);
  return last === undefined || last.endsWith('.released.json') ? 'free' : 'held';
}

const volatile = new Set(['member_no', '_built_at', 'predicted_at', 'monitored_at']);

function lasting(row: Row): string {
  const kept = Object.entries(row).filter(([column]) => !volatile.has(column));
  if (kept.length === 0) throw new Violation('a row has nothing that lasts');
  return JSON.stringify(Object.fromEntries(kept));
}
