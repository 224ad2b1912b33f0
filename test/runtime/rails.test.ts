import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type MovedClock, movedClock } from '../../src/adapters/embedded/moved-clock.ts';
import type { Json } from '../../src/data/json.ts';
import { type Runtime, openRuntime } from '../../src/runtime/runtime.ts';
import { readReceipt } from '../../src/stages/common/receipt.ts';
import { lakeTable, mountTable, silverPath, withSql } from '../../src/stages/common/sql.ts';
import { dropRunId } from '../../src/triggers.ts';
import { temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { january, policies, useCase } from '../stages/world.ts';

const { path, remove } = temporaryDirectory();
const useCases = useCasesFolder(join(path, 'usecases'));
afterAll(() => remove());

let directories = 0;
let runtime: Runtime;
let clock: MovedClock;
beforeEach(async () => {
  clock = movedClock(january);
  runtime = await openRuntime({ directory: join(path, `state-${++directories}`), useCases, threads: 1, clock });
});

const drop = (fileName: string, bytes = policies({ rows: 60 })) =>
  runtime.drop({ useCase, source: 'policies', fileName, bytes });
const loseEvents = async () => {
  for (let lost = await runtime.queue.first(); lost; lost = await runtime.queue.first()) await runtime.queue.done(lost);
};
const sweep = async (runId: string) => {
  const { output, announced } = await runtime.start('sweep', { useCase, runId });
  return { output, found: announced.filter((event) => event === 'DatasetFound').length };
};
const silverRows = () =>
  withSql(runtime.ports, async (sql) => {
    const table = lakeTable(runtime.ports, runtime.ports.silver, silverPath(useCase, 'policies'), sql);
    if (!(await mountTable(table, sql, 'rows'))) return 0;
    return Number((await sql.rows('SELECT count(*) AS n FROM rows'))[0]['n']);
  });

describe('14. a dropped event: the sweep finds it; dead-letter replay is idempotent', () => {
  test('a file without an event is announced once it is old enough, ingested, and not announced again', async () => {
    const { key } = await drop('lost.csv');
    await loseEvents();
    expect((await sweep('too-early')).found).toBe(0);

    clock.set(january + 6 * 60_000);
    expect((await sweep('in-time')).found).toBe(1);
    const { envelope } = (await runtime.queue.first())!;
    expect(envelope).toMatchObject({ 'detail-type': 'DatasetFound', detail: { object: { key } } });
    const { status } = await runtime.start('ingest', envelope.detail);
    expect(status).toBe('SUCCEEDED');
    const { etag } = (await runtime.ports.bronze.head(key))!;
    const runId = dropRunId({ key, etag });
    const receipt = await readReceipt(runtime.ports, { useCase, runId });
    expect(receipt).toMatchObject({ name: 'lost.csv', status: 'accepted' });

    await loseEvents();
    const rows = await silverRows();
    expect(rows).toBe(receipt!.rows.accepted);
    expect((await sweep('again')).found).toBe(0);
    // and should the event come after all, nothing changes
    await runtime.start('ingest', envelope.detail);
    expect(await silverRows()).toBe(rows);
  });

  test('more files than one look can tell of are all announced', async () => {
    for (let i = 0; i < 120; i++) {
      await runtime.ports.bronze.put(`drops/${useCase}/policies/part-${i}.csv`, new Uint8Array([i]));
    }
    await runtime.ports.bronze.put(`drops/${useCase}/nobody/a.csv`, new Uint8Array([1]));
    // the store’s own time counts: the files are as old as the machine’s clock says
    clock.set(Date.now() + 6 * 60_000);
    expect((await sweep('many')).found).toBe(120);
  });

  test('an event that fails three times is put aside with its reason; replayed, it waits once', async () => {
    await runtime.queue.publish([{ detailType: 'ModelTrained', detail: { useCase, runId: 'x', version: 1 } }]);
    const start = runtime.start.bind(runtime);
    runtime.start = () => Promise.reject(new RangeError('the disk is gone'));
    for (let i = 0; i < 3; i++) await expect(runtime.deliver()).rejects.toThrow('the disk is gone');
    expect(await runtime.deliver()).toEqual([]);
    const letters = await runtime.queue.deadLetters();
    expect(letters).toMatchObject([{ tries: 3, reason: 'RangeError: the disk is gone' }]);

    // cut short between the event and the letter’s end, then asked for again, twice
    await runtime.queue.add(letters[0].envelope);
    await runtime.queue.replay(letters[0]);
    await runtime.queue.replay(letters[0]);
    runtime.start = start;
    expect(await runtime.queue.deadLetters()).toEqual([]);
    const ended = await runtime.deliver();
    expect(ended.filter(({ machine }) => machine === 'govern')).toHaveLength(1);
  });

  test('an event in which the process ends each time is put aside too, and the next one is delivered', async () => {
    await runtime.queue.publish([
      { detailType: 'Poison', detail: { n: 1 } },
      { detailType: 'Nothing', detail: { n: 2 } },
    ]);
    // a killed process has begun and never said how it ended
    for (let i = 0; i < 3; i++) expect(await runtime.queue.begin((await runtime.queue.first())!)).toBe(true);
    expect(await runtime.deliver()).toEqual([]);
    expect(await runtime.queue.first()).toBeUndefined();
    expect(await runtime.queue.deadLetters()).toMatchObject([
      { envelope: { 'detail-type': 'Poison' }, reason: 'the process ended each time that it was delivered' },
    ]);
  });
});

test('a dropped file’s event has a sequencer that grows with each content of a key', async () => {
  const sequencers: string[] = [];
  for (const n of [1, 2]) {
    await drop('p.csv', policies({ rows: 20 + n }));
    const { envelope } = (await runtime.queue.first())!;
    sequencers.push((envelope.detail['object'] as { sequencer: string }).sequencer);
    await loseEvents();
  }
  expect(sequencers[0] < sequencers[1]).toBe(true);
});

test('a runtime of one use case delivers its own events, however they name it, and leaves the others waiting', async () => {
  const directory = join(path, `state-${directories}`);
  const mine = await openRuntime({ directory, useCases, useCase, threads: 1, clock });
  const bronzeKey = (of: string) => ({ object: { key: `drops/${of}/policies/a.csv` } });
  const details: { [key: string]: Json }[] = [
    { useCase: 'another' },
    bronzeKey('another'),
    bronzeKey(useCase),
    { useCase },
    { n: 1 },
  ];
  for (const detail of details) await runtime.queue.add({ source: 'test', 'detail-type': 'Nothing', detail });
  expect(await mine.deliver()).toEqual([]);
  const left: unknown[] = [];
  for (let next = await runtime.queue.first(); next; next = await runtime.queue.first()) {
    left.push(next.envelope.detail);
    await runtime.queue.done(next);
  }
  expect(left).toEqual([{ useCase: 'another' }, bronzeKey('another'), { n: 1 }]);
});
