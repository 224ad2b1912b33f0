import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeCheckpoint } from '../../src/lake/checkpoint.ts';
import { LogDamaged } from '../../src/lake/errors.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { openLake, type TestLake } from './lake.ts';
import { WatchedStore } from './watched-store.ts';

let lake: TestLake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.close());

const open = (store: ObjectStore = lake.store) => deltaTable(store, 't', { ...lake.context, sql: lake.sql });
const padded = (version: number) => String(version).padStart(20, '0');
const checkpointKey = (version: number) => `t/_delta_log/${padded(version)}.checkpoint.parquet`;
const hintKey = 't/_delta_log/_last_checkpoint';

/** Versions 0 to `last`, each adding its number; some by transaction, one replacing the rest. */
async function grow(last: number): Promise<void> {
  for (let n = 0; n <= last; n++) {
    if (n === 5) await overwriteQuery(open(), lake.sql, `SELECT ${n} AS n, 'x' AS t`);
    else
      await appendQuery(open(), lake.sql, `SELECT ${n} AS n, 'x' AS t`, {
        txn: { appId: `drop-${n % 3}`, version: n },
      });
  }
}

/** What a snapshot says, with its maps as plain lists, tombstones aside. */
async function told(table: ReturnType<typeof open>, version?: number) {
  const snapshot = await table.snapshot(version === undefined ? undefined : { version });
  const { protocol, metadata, schema, timestampMs } = snapshot;
  const files = [...snapshot.files.values()].map((add) => ({ ...add, dataChange: true }));
  const sorted = files.sort((a, b) => a.path.localeCompare(b.path));
  return { protocol, metadata, schema, timestampMs, files: sorted, transactions: new Map(snapshot.transactions) };
}

test('every tenth version has one, and the hint names the last', async () => {
  await grow(21);
  const keys = [];
  for await (const { key } of lake.store.list('t/_delta_log/')) if (key.includes('checkpoint')) keys.push(key);
  expect(keys).toEqual([checkpointKey(10), checkpointKey(20), hintKey]);
  const hint = JSON.parse(new TextDecoder().decode(await lake.store.get(hintKey))) as object;
  expect(hint).toMatchObject({ version: 20, numOfAddFiles: 16 });
});

test('from a checkpoint the table is the same as from its first commit', async () => {
  await grow(12);
  const replayed = deltaTable(lake.store, 't', lake.context);
  expect(await told(open())).toEqual(await told(replayed));
  expect(await told(open(), 10)).toEqual(await told(replayed, 10));
  expect(await told(open(), 9)).toEqual(await told(replayed, 9));
});

test('from a checkpoint only what came after it is read', async () => {
  await grow(12);
  const watched = new WatchedStore(lake.store);
  await open(watched).snapshot();
  const commits = watched.calls.filter((call) => call.endsWith('.json'));
  expect(commits).toEqual([11, 12, 13].map((version) => `get t/_delta_log/${padded(version)}.json`));
});

test('transactions and tombstones outlive the commits that a checkpoint stands for', async () => {
  await grow(10);
  for (let version = 0; version < 10; version++) await lake.store.delete(`t/_delta_log/${padded(version)}.json`);
  expect(await appendQuery(open(), lake.sql, 'SELECT 1', { txn: { appId: 'drop-1', version: 10 } })).toMatchObject({
    status: 'already-committed',
  });
  // the file of version 0 is under a tombstone: its content comes back under another name
  await appendQuery(open(), lake.sql, `SELECT 0 AS n, 'x' AS t`);
  const paths = [...(await open().snapshot()).files.keys()];
  expect(paths.filter((path) => /-1\.zstd/.test(path))).toHaveLength(1);
  expect((await lake.rows(await open().snapshot())).map((row) => row['n'])).toEqual([0, 5, 6, 7, 8, 9, 10]);
});

test('tombstones older than the retention are left out', async () => {
  await grow(6);
  const snapshot = await open().snapshot();
  expect(snapshot.tombstones.size).toBe(5);
  const [{ deletionTimestamp }] = snapshot.tombstones.values();
  const kept = async (sinceMs: number) => {
    await writeCheckpoint(lake.sql, snapshot, sinceMs);
    return (await open().snapshot()).tombstones.size;
  };
  expect(await kept(deletionTimestamp!)).toBe(5);
  expect(await kept(deletionTimestamp! + 1)).toBe(0);
});

describe('the hint is only a hint', () => {
  test.each([
    ['it is missing', undefined],
    ['it is torn', '{"version":1'],
    ['it names an older checkpoint', '{"version":10}'],
    ['it names one that is not there', '{"version":15}'],
    ['it names one beyond the log', '{"version":99}'],
    ['it is no object', '7'],
  ])('%s', async (_, hint) => {
    await grow(21);
    if (hint === undefined) await lake.store.delete(hintKey);
    else await lake.store.put(hintKey, new TextEncoder().encode(hint));
    expect(await told(open())).toEqual(await told(deltaTable(lake.store, 't', lake.context)));
  });
});

test('a checkpoint that could not be written does not undo the commit', async () => {
  await grow(9);
  class Full extends WatchedStore {
    override async put(): Promise<void> {
      throw new Error('the disk is full');
    }
  }
  const written = await appendQuery(open(new Full(lake.store)), lake.sql, `SELECT 10 AS n, 'x' AS t`);
  expect(written).toEqual({ version: 10, status: 'committed', rows: 1 });
  expect(await lake.store.get(checkpointKey(10))).toBeUndefined();
});

test('a checkpoint that holds something else than actions is named', async () => {
  await grow(10);
  const { bytes } = await lake.sql.parquet(`SELECT {'path': 5} AS add`);
  await lake.store.put(checkpointKey(10), bytes);
  await expect(open().snapshot()).rejects.toThrow(LogDamaged);
  await expect(open().snapshot()).rejects.toThrow(checkpointKey(10));
});
