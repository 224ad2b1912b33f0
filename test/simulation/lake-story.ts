import type { SqlEngine } from '../../src/data/sql.ts';
import { type DataFiles, storeDataFile } from '../../src/lake/data-files.ts';
import { type DeltaTable, deltaTable } from '../../src/lake/table.ts';
import { vacuum } from '../../src/lake/vacuum.ts';
import { type Random, random } from '../../src/ml/random.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { gatedStore } from './gated-store.ts';
import { seededIds } from './ids.ts';
import type { Mutant } from './mutants.ts';
import { type Log, demand, readLog, sha256Of } from './outside-reader.ts';
import type { Played } from './play.ts';
import { type Actor, Scheduler, noFaults } from './scheduler.ts';
import { TwinStore } from './twin-store.ts';
import { weather } from './weather.ts';

const path = 'tables/numbers';
const startMs = Date.parse('2026-03-02T09:00:00Z');

/** One write. `drop` marks it as the delivery of a drop, which may be attempted as often as anybody likes. */
type Write = { id: string; kind: 'append' | 'overwrite'; rows: string[]; drop?: string; acknowledged: boolean };

/**
 * Several writers on one table, without an engine: appends, overwrites and deliveries of drops by several at once, a vacuum after
 * some days, processes that die and come again. With `sql`, checkpoints are written and a reader that uses them is compared.
 */
export async function playLake(seed: string, directory: string, mutant: Mutant = {}, sql?: SqlEngine): Promise<Played> {
  const draw = random(seed);
  const scheduler = new Scheduler(draw.fork('schedule'), startMs);
  const nowMs = () => scheduler.clock.nowMs();
  const twin = new TwinStore(directory, nowMs);
  const skewMs = draw.choice([0, 0, 86_400_000]);
  const open = (actor: Actor, skew: number): DeltaTable => {
    const gated = gatedStore(twin, 'table', actor, scheduler);
    const clock = { nowMs: () => nowMs() + skew, sleep: async () => undefined };
    const context = { clock, ids: seededIds(seed, `actor ${actor.number}`), ...(sql && { sql }) };
    return deltaTable(mutant.store?.(gated, { zone: 'table', actor, sql }) ?? gated, path, context);
  };

  const writes = planWrites(draw.fork('writes'));
  scheduler.faults = weather(draw.fork('weather'));
  let unfinished = 0;
  const failures: unknown[] = [];
  const work = (name: string, duties: readonly Write[]): void => {
    const actor = scheduler.actor(name);
    const skew = skewMs === 0 ? 0 : draw.integer(2 * skewMs) - skewMs;
    unfinished += 1;
    void (async () => {
      await scheduler.point(actor, name);
      const table = open(actor, skew);
      for (const write of duties) await attempt(table, scheduler, actor, write);
    })()
      .catch((error: unknown) => failures.push(error))
      .finally(() => {
        unfinished -= 1;
        scheduler.ended(actor);
      });
    // whoever comes after a process that died does what is still to be done; what has no mark is not done again
    actor.death.catch(() => {
      unfinished -= 1;
      work(
        `${name}'`,
        duties.filter(({ acknowledged, drop }) => !acknowledged && drop !== undefined),
      );
    });
  };
  for (const [i, duties] of dealt(draw.fork('deal'), writes).entries()) work(`writer ${i}`, duties);
  if (draw.uniform() < 0.4) clean(draw.fork('cleaner'), scheduler, open, failures);

  for (let look = 0; look < 3; look++) {
    await scheduler.run(draw.integer(120));
    if (failures.length > 0) throw failures[0];
    await check(twin, writes, sql);
  }
  await scheduler.run(1_200);
  scheduler.faults = noFaults;
  await scheduler.run();
  if (failures.length > 0) throw failures[0];
  demand(unfinished === 0, `${unfinished} writers never came to an end`);
  await check(twin, writes, sql);
  const log = readLog(twin.objects, path)!;
  for (const drop of new Set(writes.flatMap((write) => write.drop ?? []))) {
    const times = log.commits.filter((actions) => actions.some(({ txn }) => txn?.['appId'] === drop)).length;
    demand(times === 1, `drop ${drop} is in the table ${times} times`);
  }
  const objects = [...twin.objects].map(([key, { sha256 }]) => `${key} ${sha256}`).sort();
  return {
    hash: sha256Of(objects.join() + scheduler.traceHash()),
    points: scheduler.points,
    faults: scheduler.injected,
  };
}

function planWrites(draw: Random): Write[] {
  const writes: Write[] = [];
  for (let i = 0; i < 5 + draw.integer(5); i++) {
    // contents repeat, so that files of one name meet
    const content = draw.integer(4);
    const rows = Array.from({ length: 1 + content }, (_, row) => `content ${content} row ${row}`);
    const kind = draw.uniform() < 0.2 ? 'overwrite' : 'append';
    const isDrop = kind === 'append' && draw.uniform() < 0.6;
    writes.push({ id: `write ${i}`, kind, rows, acknowledged: false, ...(isDrop && { drop: `drop ${i}` }) });
  }
  return writes;
}

/** To each writer some writes; a drop may be announced to several of them. */
function dealt(draw: Random, writes: readonly Write[]): Write[][] {
  const hands: Write[][] = Array.from({ length: 2 + draw.integer(3) }, () => []);
  for (const write of writes) {
    draw.choice(hands).push(write);
    if (write.drop !== undefined && draw.uniform() < 0.4) draw.choice(hands).push(write);
  }
  return hands;
}

/** A drop is tried until it is in; another write, once: whether it is in after an error is for the log to tell. */
async function attempt(table: DeltaTable, scheduler: Scheduler, actor: Actor, write: Write): Promise<void> {
  for (;;) {
    try {
      const data = await store(table, write.rows);
      // data files may wait for their commit for a long time
      if (await scheduler.point(actor, 'thinks')) return;
      const options = {
        details: { write: write.id },
        properties: { 'delta.checkpointInterval': '2' },
        ...(write.drop !== undefined && { txn: { appId: write.drop, version: 1 } }),
      };
      await (write.kind === 'append' ? table.append(data, options) : table.overwrite(data, options));
      write.acknowledged = true;
      return;
    } catch (error) {
      const { name } = error as Error;
      demand(
        ['StoreUnavailable', 'ObjectNotFound'].includes(name),
        `${write.id} met ${name}: ${(error as Error).message}`,
      );
      if (write.drop === undefined) return;
    }
  }
}

const schema: DataFiles['schema'] = {
  type: 'struct',
  fields: [{ name: 'n', type: 'string', nullable: true, metadata: {} }],
};

async function store({ at, context }: DeltaTable, rows: readonly string[]): Promise<DataFiles> {
  const stored = await storeDataFile(at, context.clock, bytesOf(rows));
  const stats = JSON.stringify({ numRecords: rows.length, minValues: {}, maxValues: {}, nullCount: { n: 0 } });
  return { schema, partitionColumns: [], files: [{ ...stored, rows: rows.length, partitionValues: {}, stats }] };
}

const bytesOf = (rows: readonly string[]) => new TextEncoder().encode(JSON.stringify(rows));

/** Somebody cleans up now and then, days later or at once, while the others are still at work. */
function clean(
  draw: Random,
  scheduler: Scheduler,
  open: (actor: Actor, skew: number) => DeltaTable,
  failures: unknown[],
): void {
  const actor = scheduler.actor('cleaner');
  void (async () => {
    for (let vacuums = 0; vacuums < 3; vacuums++) {
      for (let i = draw.integer(15); i > 0; i--) await scheduler.point(actor, 'cleaner waits');
      // a process may stand still for days, but not just between its last look at a file's age and the commit
      while (scheduler.waits('putIfAbsent')) await scheduler.point(actor, 'cleaner waits');
      scheduler.clock.pass(draw.choice([0, 3]) * 86_400_000);
      await vacuum(open(actor, 0), { retentionMs: 2 * 86_400_000 });
    }
  })()
    .catch((error: Error) => {
      // a store that keeps the vacuum waiting seems to have another clock
      if (!['StoreUnavailable', 'TableNotFound', 'ClockSkewed'].includes(error.name)) failures.push(error);
    })
    .finally(() => scheduler.ended(actor));
}

/** What the log tells against what was asked for: every version follows from the one before it by one write. */
async function check(twin: TwinStore, writes: readonly Write[], sql: SqlEngine | undefined): Promise<void> {
  const log = readLog(twin.objects, path);
  const rowsOf = new Map(writes.map(({ rows }) => [sha256Of(bytesOf(rows)), rows]));
  const expected: string[] = [];
  const live = new Set<string>();
  const seen = new Set<string>();
  for (const [version, actions] of (log?.commits ?? []).entries()) {
    const parameters = actions.find(({ commitInfo }) => commitInfo)?.['commitInfo']['operationParameters'];
    const id = (parameters as { write?: string } | undefined)?.write;
    for (const { add, remove } of actions) {
      if (remove) live.delete(remove['path'] as string);
      if (add) live.add(add['path'] as string);
    }
    if (id === undefined) continue;
    demand(!seen.has(id), `${id} is in the table twice, again as version ${version}`);
    seen.add(id);
    const write = writes.find((candidate) => candidate.id === id)!;
    if (write.kind === 'overwrite') expected.length = 0;
    expected.push(...write.rows);
    const rows = [...live].flatMap((name) => rowsOf.get(/[0-9a-f]{64}/.exec(name)![0])!);
    demand(sameRows(rows, expected), `version ${version} has ${rows.length} rows where ${expected.length} belong`);
  }
  for (const { id, acknowledged } of writes)
    demand(!acknowledged || seen.has(id), `${id} was acknowledged and is lost`);
  if (sql) await checkByCheckpoint(twin, log, sql);
}

/** A reader that goes by checkpoints sees what the log tells, and no version that the log does not have. */
async function checkByCheckpoint(twin: ObjectStore, log: Log | undefined, sql: SqlEngine): Promise<void> {
  const clock = { nowMs: () => startMs, sleep: async () => undefined };
  const latest = await deltaTable(twin, path, { clock, ids: seededIds('reader', 'outside'), sql }).latest();
  demand(
    latest?.version === (log && log.commits.length - 1),
    `a reader sees version ${latest?.version}, the log ends before`,
  );
  if (!latest || !log) return;
  const same = sameRows([...latest.files.keys()], [...log.files.keys()]);
  demand(same, `by its checkpoint version ${latest.version} has other files than by its log`);
}

const sameRows = (a: readonly string[], b: readonly string[]) =>
  JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
