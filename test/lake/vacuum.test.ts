import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deleteRows } from '../../src/lake/change.ts';
import type { DataFiles } from '../../src/lake/data-files.ts';
import { ClockSkewed, TableNotFound, UnsafeRetention } from '../../src/lake/errors.ts';
import { mount } from '../../src/lake/mount.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { vacuum } from '../../src/lake/vacuum.ts';
import { appendQuery, overwriteQuery, storeQuery } from '../../src/lake/write.ts';
import { ObjectNotFound } from '../../src/ports/errors.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { openLake, startMs, type TestLake } from './lake.ts';
import { MemoryStore } from './memory-store.ts';
import { InjectedFault, WatchedStore, interruptedStore } from './watched-store.ts';

const hour = 3_600_000;
let lake: TestLake;
let store: MemoryStore;
/** By the store's clock, hours since the start; every look at a clock takes a second. */
let time: number;
/** By how many hours the writers' clock is ahead of it. */
let aheadHours: number;
beforeEach(async () => {
  [time, aheadHours] = [0, 0];
  lake = await openLake();
  store = new MemoryStore(lake.directory, storeMs);
});
afterEach(() => lake.close());

const storeMs = () => startMs + (time += 1 / 3600) * hour;
const clock = { nowMs: () => storeMs() + aheadHours * hour, sleep: async () => {} };
const open = (at: ObjectStore = store) => deltaTable(at, 't', { ...lake.context, clock, sql: lake.sql });
const row = (n: number) => `SELECT ${n} AS n`;
const values = async (at: ObjectStore, version?: number) => {
  const snapshot = await open(at).snapshot(version === undefined ? undefined : { version });
  return (await lake.rows(snapshot)).map((found) => found['n']);
};
/** All objects but those of the log. */
const files = (at: MemoryStore) => at.keys().filter((key) => !key.includes('_delta_log'));
const nameOf = ({ files: [file] }: DataFiles) => `t/part-${file.sha256}.zstd.parquet`;

test('takes what was let go of before the retention and what was never committed; the rest stays', async () => {
  await appendQuery(open(), lake.sql, row(1));
  const [letGo] = files(store);
  await appendQuery(open(), lake.sql, row(2));
  time = 100;
  await deleteRows(open(), lake.sql, row(1));
  const neverCommitted = await storeQuery(open(), lake.sql, row(77));
  time = 400;
  await deleteRows(open(), lake.sql, row(2));
  await storeQuery(open(), lake.sql, row(78));
  await appendQuery(open(), lake.sql, row(3));
  const before = files(store);

  const wanted = [letGo, nameOf(neverCommitted)].sort();
  const planned = await vacuum(open(), { dryRun: true });
  expect(planned.files.map((file) => file.key).sort()).toEqual(wanted);
  expect(planned.sizeBytes).toBe(planned.files.reduce((sum, file) => sum + file.sizeBytes, 0));
  expect(files(store)).toEqual(before);
  expect((await open().snapshot()).version).toBe(4);

  expect(await vacuum(open())).toEqual(planned);
  expect(files(store)).toEqual(before.filter((key) => !wanted.includes(key)));
  expect(await values(store)).toEqual([3]);
  // every version of the last seven days can still be read
  expect(await values(store, 2)).toEqual([2]);
  await expect(mount(lake.sql, await open().snapshot({ version: 1 }), 'then')).rejects.toThrow(ObjectNotFound);
  expect((await open().history()).slice(0, 2)).toMatchObject([
    { version: 6, operation: 'VACUUM END', operationMetrics: { numDeletedFiles: '2' } },
    { version: 5, operation: 'VACUUM START', operationMetrics: { numFilesToDelete: '2' } },
  ]);
  // nothing is left to do, so nothing is entered
  expect(await vacuum(open())).toEqual({ files: [], sizeBytes: 0 });
  expect((await open().snapshot()).version).toBe(6);
});

test('leaves the log and what is no data file; work in progress goes by its age', async () => {
  await appendQuery(open(), lake.sql, row(1));
  const put = (name: string) => store.put(`t/${name}`, new Uint8Array([1]));
  for (const name of ['README.md', '_parts/run-1/0.json', 'nested/x.parquet']) await put(name);
  time = 400;
  await put('_parts/run-2/0.json');
  const found = await vacuum(open());
  expect(found.files.map((file) => file.key)).toEqual(['t/_parts/run-1/0.json', 't/nested/x.parquet']);
  expect(await values(store)).toEqual([1]);
});

test('a longer retention than checkpoints remember still keeps what was let go of within it', async () => {
  await appendQuery(open(), lake.sql, row(1), { properties: { 'delta.checkpointInterval': '2' } });
  time = 2000;
  await deleteRows(open(), lake.sql, row(1));
  time = 2400;
  await appendQuery(open(), lake.sql, row(2));
  expect((await open().snapshot()).tombstones.size).toBe(0);
  expect(await vacuum(open(), { retentionMs: 500 * hour })).toMatchObject({ files: [] });
  expect(await values(store, 0)).toEqual([1]);
  expect((await vacuum(open(), { retentionMs: 300 * hour })).files).toHaveLength(1);
});

describe('is refused', () => {
  test('where there is no table', async () => {
    await expect(vacuum(open())).rejects.toThrow(TableNotFound);
  });

  test.each([0, -1, 47, NaN])('with a retention of %s hours, in which a writer may be at work', async (hours) => {
    await appendQuery(open(), lake.sql, row(1));
    await expect(vacuum(open(), { retentionMs: hours * hour })).rejects.toThrow(UnsafeRetention);
    await expect(vacuum(open(), { retentionMs: hours * hour })).rejects.toThrow('48 are the least');
  });

  test.each([-24, -1, 1, 24 * 365])('by a clock that is %s hours off, before anything is deleted', async (hours) => {
    await appendQuery(open(), lake.sql, row(1));
    await deleteRows(open(), lake.sql, row(1));
    time = 1000;
    aheadHours = hours;
    await expect(vacuum(open())).rejects.toThrow(ClockSkewed);
    expect(files(store)).toHaveLength(1);
  });
});

describe('beside a writer', () => {
  let waiting: DataFiles;
  /** Old rows 1 and 2, let go of; rows 5 never committed, and a copy of them; rows 6 that still wait for it; live rows 9. */
  beforeEach(async () => {
    await appendQuery(open(), lake.sql, row(1));
    await appendQuery(open(), lake.sql, row(2));
    const name = nameOf(await storeQuery(open(), lake.sql, row(5)));
    await store.put(name.replace('.zstd', '-1.zstd'), (await store.get(name))!);
    waiting = await storeQuery(open(), lake.sql, row(6));
    time = 500;
    await overwriteQuery(open(), lake.sql, row(9));
    time = 1000;
  });

  const vacuumed = (at: ObjectStore) => vacuum(open(at), { retentionMs: 48 * hour });
  type Write = (at: ObjectStore) => Promise<unknown>;
  const writers: [string, Write, number[]][] = [
    ['appends rows that the table once had', (at) => appendQuery(open(at), lake.sql, row(1)), [1, 9]],
    ['appends rows that were stored and never committed', (at) => appendQuery(open(at), lake.sql, row(5)), [5, 9]],
    ['replaces all by rows that the table once had', (at) => overwriteQuery(open(at), lake.sql, row(2)), [2]],
  ];

  describe.each(writers)('that %s', (_, write, rows) => {
    // by a day the writer's clock may be wrong, which a vacuum cannot see
    test.each([0, -24, 24])(
      'whose clock is %s hours off: nothing is lost, whichever step of the vacuum it comes before',
      async (hours) => {
        for (let point = 1; ; point++) {
          const copy = store.copy();
          const watched = interruptedStore(copy, point, async () => {
            aheadHours = hours;
            await write(copy);
            aheadHours = 0;
          });
          await vacuumed(watched);
          if (watched.calls.length < point) break;
          expect.soft(await values(copy), watched.calls[point - 1]).toEqual(rows);
        }
      },
    );

    test('nothing is lost, whichever of its steps the whole vacuum comes before', async () => {
      for (let point = 1; ; point++) {
        const copy = store.copy();
        const watched = interruptedStore(copy, point, () => vacuumed(copy));
        await write(watched);
        if (watched.calls.length < point) break;
        expect.soft(await values(copy), watched.calls[point - 1]).toEqual(rows);
      }
    });
  });

  test('that commits files which have waited for longer than the retention: they are there, or the commit is refused', async () => {
    const outcomes = new Set<string>();
    for (let point = 1; ; point++) {
      const copy = store.copy();
      const watched = interruptedStore(copy, point, async () => {
        const outcome = await open(copy)
          .append(waiting)
          .catch((error: Error) => ({ status: error.name }));
        outcomes.add(outcome.status);
        expect.soft(await values(copy), String(point)).toEqual(outcome.status === 'committed' ? [6, 9] : [9]);
      });
      await vacuumed(watched);
      if (watched.calls.length < point) break;
      expect.soft([[9], [6, 9]]).toContainEqual(await values(copy));
    }
    expect(outcomes).toEqual(new Set(['committed', 'ObjectNotFound']));
  });

  test('cut off before or after any of its steps, it leaves a whole table, and is done again', async () => {
    const dry = new WatchedStore(store.copy());
    const gone = new Set((await vacuumed(dry)).files.map((file) => file.key));
    expect(gone.size).toBe(5);
    const left = files(store).filter((key) => !gone.has(key));
    for (const [index, call] of dry.calls.entries()) {
      for (const when of ['before', 'after'] as const) {
        const copy = store.copy();
        const cut = vacuumed(new WatchedStore(copy, { point: index + 1, when }));
        const outcome = await cut.catch((error: unknown) => error);
        expect([undefined, InjectedFault]).toContain(outcome instanceof Error ? outcome.constructor : undefined);
        expect.soft(await values(copy), `${when} ${call}`).toEqual([9]);
        await vacuumed(copy);
        // a probe of the clock may be left, until it is old
        const after = files(copy).filter((key) => !key.includes('_vacuum'));
        expect.soft(after, `${when} ${call}`).toEqual(left);
      }
    }
  });
});
