import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MovedClock, movedClock } from '../../src/adapters/embedded/moved-clock.ts';
import { liveAt } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { listVersions } from '../../src/governance/registry.ts';
import type { Envelope } from '../../src/runtime/event-queue.ts';
import type { Progress } from '../../src/runtime/progress.ts';
import { type Ended, type Runtime, openRuntime } from '../../src/runtime/runtime.ts';
import { factsOf } from '../../src/stages/common/facts.ts';
import { lakeTable, mountTable, withSql } from '../../src/stages/common/sql.ts';
import type { Zone } from '../../src/stages.ts';
import { copyOf, fileUrl, smallSearch, temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { contents, february, january, policies, useCase } from '../stages/world.ts';
import { long } from '../long.ts';

const { path, remove } = temporaryDirectory();
// two candidates suffice where the machines are tested
const [, boosting] = smallSearch.models;
const useCases = useCasesFolder(join(path, 'usecases'), { ...smallSearch, models: [boosting] });

let directories = 0;
const newDirectory = () => join(path, `state-${++directories}`);
const dropOf = (fileName: string, bytes: Uint8Array) => ({ useCase, source: 'policies', fileName, bytes });
const machines = (ended: readonly Ended[]) => ended.map(({ machine, status }) => `${machine} ${status}`);

/** The tables and the decisions: what a duplicate may not change. */
async function lasting({ ports }: Runtime): Promise<string> {
  const hash = createHash('sha256');
  const places: [Zone, string][] = [
    ['bronze', ''],
    ['silver', ''],
    ['gold', ''],
    ['registry', 'versions/'],
    ['registry', 'promotions/'],
    ['registry', 'cards/'],
  ];
  for (const [zone, prefix] of places)
    for (const entry of await contents(ports[zone], prefix)) hash.update(entry.join('='));
  return hash.digest('hex');
}

const count = ({ ports }: Runtime, zone: Zone, table: string, what = 'count(*)') =>
  withSql(ports, async (sql) => {
    await mountTable(lakeTable(ports, ports[zone], table, sql), sql, 'rows');
    const [{ n }] = await sql.rows(`SELECT ${what} AS n FROM rows`);
    return Number(n);
  });

/** One month has gone the whole way. */
const settled = newDirectory();
const events: Envelope[] = [];
const progress: Progress[] = [];
let januaryRun: string;
let januaryEnded: Ended[];
beforeAll(async () => {
  const runtime = await openRuntime({
    directory: settled,
    useCases,
    threads: 1,
    clock: movedClock(january),
    onProgress: (told) => progress.push(told),
  });
  const add = runtime.queue.add.bind(runtime.queue);
  runtime.queue.add = async (envelope) => {
    events.push(structuredClone(envelope));
    await add(envelope);
  };
  ({ runId: januaryRun } = await runtime.drop(dropOf('january.csv', policies())));
  januaryEnded = await runtime.deliver();
  await runtime.close();
});
afterAll(() => remove());

let runtime: Runtime;
let clock: MovedClock;
const setClock = (nowMs: number) => clock.set(nowMs);
let directory: string;
beforeEach(async () => {
  directory = newDirectory();
  copyOf(settled, directory);
  clock = movedClock(february);
  runtime = await openRuntime({ directory, useCases, threads: 1, clock });
});
afterEach(() => runtime.close());

describe('a month', () => {
  test('goes from the dropped file to monitored predictions, one machine starting the next', () => {
    expect(machines(januaryEnded)).toEqual([
      'ingest SUCCEEDED',
      'train SUCCEEDED',
      'govern SUCCEEDED',
      'score SUCCEEDED',
      'monitor SUCCEEDED',
    ]);
    expect(januaryEnded.flatMap(({ announced }) => announced)).toEqual([
      'RowsQuarantined',
      'FeaturesReady',
      'ModelTrained',
      'ModelPromoted',
      'ScoresPublished',
    ]);
    expect(events.map((event) => event['detail-type'])).toEqual([
      'Object Created',
      ...januaryEnded.flatMap(({ announced }) => announced),
    ]);
    expect(new Set(januaryEnded.map(({ report }) => report))).toEqual(
      new Set([`pages/insurance-cost/${januaryRun}.html`]),
    );
  });

  test('ends with every row in one place, scored, and on one page', async () => {
    const silver = await count(runtime, 'silver', 'tables/insurance-cost/policies');
    const quarantined = await count(runtime, 'bronze', 'quarantine/insurance-cost/policies');
    expect(silver + quarantined).toBe(1200);
    expect(await count(runtime, 'gold', 'features/insurance-cost')).toBe(silver);
    expect(await count(runtime, 'gold', 'predictions/insurance-cost', 'count(DISTINCT customer_id)')).toBe(silver);
    const page = readFileSync(join(directory, 'reports', 'pages', useCase, `${januaryRun}.html`), 'utf8');
    for (const machine of ['ingest', 'train', 'govern', 'score', 'monitor']) expect(page).toContain(machine);
  });

  test('keeps the record of each execution in AWS’s words', async () => {
    for (const { executionArn } of januaryEnded) {
      const history = (await runtime.ports.executions.history(executionArn))!;
      expect(history[0].type).toBe('ExecutionStarted');
      expect(history.at(-1)!.type).toBe('ExecutionSucceeded');
      expect(history.map(({ id }) => id)).toEqual(history.map((_, i) => i + 1));
    }
  });

  test('tells its progress: events, states with their times, items of a map, ends', () => {
    expect(progress.filter(({ kind }) => kind === 'machine-ended')).toHaveLength(5);
    expect(progress[0]).toEqual({ kind: 'event', detailType: 'Object Created', starts: ['ingest'] });
    expect(progress).toContainEqual({ kind: 'event', detailType: 'RowsQuarantined', starts: [] });
    const left = progress.flatMap((told) =>
      told.kind === 'state-exited' && told.machine === 'score' ? [told.state] : [],
    );
    expect(left).toEqual(['Pin', 'ScorePartitions', 'Publish', 'AnnounceScores', 'Report']);
    const items = progress.flatMap((told) =>
      told.kind === 'item-ended' && told.machine === 'train' ? [[told.ended, told.total]] : [],
    );
    expect(items).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });
});

describe('what is delivered twice', () => {
  test.runIf(long)('changes no table, no version and no decision, whichever event it is', async () => {
    const before = await lasting(runtime);
    for (const event of events) {
      await runtime.queue.add(event);
      const ended = await runtime.deliver();
      expect(ended.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
      expect([event['detail-type'], await lasting(runtime)]).toEqual([event['detail-type'], before]);
    }
  });

  test('dropped again it is the same drop, run and all', async () => {
    const before = await lasting(runtime);
    const first = await runtime.drop(dropOf('january.csv', policies()));
    clock.set(clock.nowMs() + 60_000);
    expect(await runtime.drop(dropOf('january.csv', policies()))).toEqual(first);
    const [ended, again] = (await runtime.deliver()).filter(({ machine }) => machine === 'ingest');
    expect(again.report).toBe(ended.report);
    expect(await lasting(runtime)).toBe(before);
  });

  test('another file of the same name replaces nothing', async () => {
    const { key } = await runtime.drop(dropOf('january.csv', policies({ inflation: 1.01 })));
    expect(key).toMatch(/^drops\/insurance-cost\/policies\/january-[0-9a-f]{8}\.csv$/);
    const there = await runtime.ports.bronze.get('drops/insurance-cost/policies/january.csv');
    expect(Buffer.compare(there!, policies())).toBe(0);
  });
});

describe('the next month', () => {
  test('is scored by the daily schedule; the drift that it brings asks for a retraining, and the challenger is judged', async () => {
    clock.set(Date.parse('2026-02-27T09:00:00Z'));
    await runtime.drop(dropOf('february.csv', policies({ month: '2026-02', inflation: 1.15, agedBy: 8 })));
    await runtime.deliver();
    const morning = await runtime.runSchedules(clock.nowMs(), Date.parse('2026-02-28T03:00:00Z'), setClock);
    expect(machines(morning).slice(0, 4)).toEqual([
      'score SUCCEEDED',
      'monitor SUCCEEDED',
      'train SUCCEEDED',
      'govern SUCCEEDED',
    ]);
    expect(morning[1].announced).toEqual(['DriftDetected', 'RetrainRequested']);
    const [version] = (await listVersions(runtime.ports.registry, useCase)).slice(-1);
    expect(version.lineage).toMatchObject({ runId: 'score-2026-02-28', dataVersion: 1 });
    const judged = (await factsOf(runtime.ports, { useCase, runId: 'score-2026-02-28' }, 'Govern'))!.promotion!;
    expect(judged).toMatchObject({ version: '2', champion: { version: '1' } });
  });
});

describe('schedules', () => {
  const fire = (from: string, to: string) => runtime.runSchedules(Date.parse(from), Date.parse(to), setClock);
  // the files of a copied directory have other etags than those that were ingested: its first sweep announces them once more
  const withoutSweeps = (ended: readonly Ended[]) => ended.filter(({ machine }) => !/sweep|ingest/.test(machine));

  test('sweep once, whatever time has passed; what it finds of a copied directory changes nothing', async () => {
    const before = await lasting(runtime);
    const ended = await fire('2026-02-01T03:00:00Z', '2026-02-01T09:00:00Z');
    expect(machines(ended)).toEqual(['sweep SUCCEEDED', 'ingest SUCCEEDED']);
    expect(machines(await fire('2026-02-01T09:00:00Z', '2026-02-01T12:00:00Z'))).toEqual(['sweep SUCCEEDED']);
    expect(await lasting(runtime)).toBe(before);
  });

  test('name their runs by the logical date, so that one that fires again is the same run', async () => {
    const first = await fire('2026-01-31T03:00:00Z', '2026-02-01T03:00:00Z');
    const before = await lasting(runtime);
    const again = await fire('2026-01-31T03:00:00Z', '2026-02-01T03:00:00Z');
    for (const ended of [first, again]) {
      expect(withoutSweeps(ended).map(({ machine, report }) => [machine, report])).toEqual([
        ['train', 'pages/insurance-cost/retrain-2026-02-01.html'],
        ['score', 'pages/insurance-cost/score-2026-02-01.html'],
      ]);
    }
    expect(await lasting(runtime)).toBe(before);
  });

  test('find nothing to do where nothing has arrived', async () => {
    const before = await lasting(runtime);
    expect(machines(withoutSweeps(await fire('2026-02-01T03:00:00Z', '2026-02-03T03:00:00Z')))).toEqual([
      'score SUCCEEDED',
      'score SUCCEEDED',
    ]);
    expect(await lasting(runtime)).toBe(before);
  });
});

describe('what goes wrong', () => {
  test('a refused file fails its own run alone: it stays in bronze, the tables and the queue are as before', async () => {
    const tables = async () => [await contents(runtime.ports.silver), await contents(runtime.ports.gold)];
    const before = await tables();
    const { key, runId } = await runtime.drop(dropOf('bad.csv', new TextEncoder().encode('customer_id;age\n1;2\n')));
    const [ended, ...others] = await runtime.deliver();
    expect(others).toEqual([]);
    expect(ended).toMatchObject({
      machine: 'ingest',
      status: 'FAILED',
      error: 'DatasetRefused',
      announced: ['DatasetRefused'],
      report: `pages/insurance-cost/${runId}.html`,
    });
    expect(ended.reasons[0]).toContain('bad.csv is rejected');
    expect(await tables()).toEqual(before);
    expect(await runtime.ports.bronze.get(key)).toBeDefined();
    expect(await runtime.queue.first()).toBeUndefined();
  });

  test('closing one runtime takes nothing from another one on the same directory; what killed ones left goes after a day', async () => {
    const [old, young] = ['old', 'young'].map((name) => join(directory, 'tmp', name));
    for (const path of [old, young]) mkdirSync(path);
    utimesSync(old, 0, 0);
    const other = await openRuntime({ directory, useCases });
    await other.close();
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
    expect(await count(runtime, 'silver', 'tables/insurance-cost/policies')).toBe(1176);
  });

  test.runIf(long)(
    'a process that is killed twice on the way leaves nothing lost and nothing twice',
    async () => {
      const killed = newDirectory();
      const fresh = await openRuntime({ directory: killed, useCases, clock: movedClock(january) });
      await fresh.drop(dropOf('january.csv', policies()));
      await fresh.close();
      for (const state of ['TuneCandidates', 'Publish']) {
        const program = join(path, `die-at-${state}.mjs`);
        writeFileSync(program, deliverAndDieAt(killed, state));
        expect([state, spawnSync(process.execPath, [program]).signal]).toEqual([state, 'SIGKILL']);
      }
      const next = await openRuntime({ directory: killed, useCases, clock: movedClock(january) });
      expect(machines(await next.deliver())).toEqual(['score SUCCEEDED', 'monitor SUCCEEDED']);
      for (const [zone, table] of [
        ['silver', 'tables/insurance-cost/policies'],
        ['gold', 'features/insurance-cost'],
        ['gold', 'predictions/insurance-cost'],
      ] as const) {
        expect([
          table,
          await count(next, zone, table),
          await count(next, zone, table, 'count(DISTINCT customer_id)'),
        ]).toEqual([table, 1176, 1176]);
      }
      expect(await count(next, 'bronze', 'quarantine/insurance-cost/policies')).toBe(24);
      expect(await listVersions(next.ports.registry, useCase)).toHaveLength(1);
      expect(liveAt(await readLedger(next.ports.registry, useCase), 'champion')).toBe(1);
      await next.close();
    },
    120_000,
  );
});

/** A program that delivers what waits and kills itself as soon as that state is entered. */
function deliverAndDieAt(directory: string, state: string): string {
  const source = (module: string) => fileUrl(join(import.meta.dirname, '../../src', module));
  return `
    const { openRuntime } = await import('${source('runtime/runtime.ts')}');
    const { movedClock } = await import('${source('adapters/embedded/moved-clock.ts')}');
    const runtime = await openRuntime({
      directory: ${JSON.stringify(directory)},
      useCases: ${JSON.stringify(useCases)},
      clock: movedClock(${january}),
      threads: 1,
      onProgress: (told) => {
        if (told.kind === 'state-entered' && told.state === '${state}') process.kill(process.pid, 'SIGKILL');
      },
    });
    await runtime.deliver();`;
}
