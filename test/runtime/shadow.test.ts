import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MovedClock, movedClock } from '../../src/adapters/embedded/moved-clock.ts';
import { liveAt, shadowOf } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { type Ended, type Runtime, openRuntime } from '../../src/runtime/runtime.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { contents, february, january, policies, useCase } from '../stages/world.ts';

const { path, remove } = temporaryDirectory();
const [, boosting] = smallSearch.models;

/** Two nights are wanted, so that the schedule has a part in it. */
const declared = {
  ...smallSearch,
  models: [{ ...boosting, search: { ...boosting.search, trials: 0 } }] as typeof smallSearch.models,
  shadow: { runs: 2, minimumRows: 1000, prediction: { psi: 0.25 } },
};

let runtime: Runtime;
let clock: MovedClock;
let first: Ended[];
let night: Ended[];
beforeAll(async () => {
  clock = movedClock(january);
  const useCases = useCasesFolder(join(path, 'usecases'), declared);
  runtime = await openRuntime({ directory: join(path, 'state'), useCases, threads: 1, clock });
  const drop = (fileName: string, bytes: Uint8Array) => runtime.drop({ useCase, source: 'policies', fileName, bytes });
  await drop('january.csv', policies());
  first = await runtime.deliver();
  clock.set(february);
  await drop('february.csv', policies({ month: '2026-02' }));
  first.push(...(await runtime.deliver()));
  night = await runtime.runSchedules(clock.nowMs(), february + 24 * 3_600_000, clock.set);
}, 60_000);
afterAll(async () => {
  await runtime.close();
  remove();
});

const announced = (ended: readonly Ended[]) => ended.flatMap((machine) => machine.announced);
const entries = () => readLedger(runtime.ports.registry, useCase);

test('one run in shadow is not enough: nothing is champion, and nothing acts on what was scored', async () => {
  expect(announced(first)).toContain('ModelShadowed');
  expect(announced(first)).not.toContain('ShadowObserved');
  expect(announced(first)).not.toContain('ScoresPublished');
  const before = (await entries()).filter(({ atMs }) => atMs <= february);
  expect([liveAt(before, 'champion'), shadowOf(before)]).toEqual([null, 1]);
});

test('a month that comes meanwhile trains no other version', () => {
  const trainings = first.filter(({ machine }) => machine === 'train');
  expect(trainings.map(({ status, announced: events }) => [status, events])).toEqual([
    ['SUCCEEDED', ['ModelTrained']],
    ['SUCCEEDED', []],
  ]);
});

test('the night’s run scores the new batch in shadow; it is judged, promoted, and both months are scored', async () => {
  expect(night.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
  const way = ['ShadowObserved', 'ModelPromoted', 'ScoresPublished'];
  expect(announced(night).filter((event) => way.includes(event))).toEqual(way);
  expect(liveAt(await entries(), 'champion')).toBe(1);
});

test('every announcement once more changes neither tables nor decisions', async () => {
  const lasting = async () => [
    await contents(runtime.ports.gold),
    await contents(runtime.ports.registry, 'promotions/'),
  ];
  const before = await lasting();
  const detail = { useCase, version: 1 };
  const evidence = [...before[0].keys()].find((key) => key.includes('/_evidence/'))!;
  for (const [type, more] of [
    ['ModelShadowed', { runId: 'shadow-v1', cause: 'shadow' }],
    ['ShadowObserved', { runId: 'score-2026-02-06', evidence }],
  ] as const) {
    await runtime.queue.add({ source: 'bordereau', 'detail-type': type, detail: { ...detail, ...more } });
  }
  expect((await runtime.deliver()).map(({ status }) => status)).not.toContain('FAILED');
  expect(await lasting()).toEqual(before);
});
