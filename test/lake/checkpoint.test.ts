import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeCheckpoint } from '../../src/lake/checkpoint.ts';
import { LogDamaged } from '../../src/lake/errors.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery, storeQuery } from '../../src/lake/write.ts';
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

/**
 * Versions 0 to `last`, each adding its number by a transaction, but for version 3, which replaces the rest. Checkpoints are
 * four versions apart.
 */
async function grow(last: number): Promise<void> {
  const properties = { 'delta.checkpointInterval': '4' };
  for (let n = 0; n <= last; n++) {
    const txn = { appId: `drop-${n % 3}`, version: n };
    const query = `SELECT ${n} AS n, 'x' AS t`;
    if (n === 3) await overwriteQuery(open(), lake.sql, query);
    else await appendQuery(open(), lake.sql, query, { txn, properties });
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

test('they stand at the interval that the table asks for, and the hint names the last', async () => {
  await grow(9);
  const keys = [];
  for await (const { key } of lake.store.list('t/_delta_log/')) if (key.includes('checkpoint')) keys.push(key);
  expect(keys).toEqual([checkpointKey(4), checkpointKey(8), hintKey]);
  const hint = JSON.parse(new TextDecoder().decode(await lake.store.get(hintKey))) as object;
  expect(hint).toMatchObject({ version: 8, numOfAddFiles: 6 });
});

test('a table that asks for nothing has one every ten versions', async () => {
  const stored = await storeQuery(open(), lake.sql, 'SELECT 1 AS n');
  const table = open();
  for (let n = 0; n < 12; n++) await table.append({ ...stored, files: [] }, { txn: { appId: 'a', version: n } });
  expect((await lake.store.head(checkpointKey(10)))?.key).toBe(checkpointKey(10));
});

test('from a checkpoint the table is the same as from its first commit', async () => {
  await grow(6);
  const replayed = deltaTable(lake.store, 't', lake.context);
  for (const version of [undefined, 5, 4, 3])
    expect(await told(open(), version)).toEqual(await told(replayed, version));
});

test('from a checkpoint only what came after it is read', async () => {
  await grow(6);
  const watched = new WatchedStore(lake.store);
  await open(watched).snapshot();
  const commits = watched.calls.filter((call) => call.endsWith('.json'));
  expect(commits).toEqual([5, 6, 7].map((version) => `get t/_delta_log/${padded(version)}.json`));
});

test('transactions and tombstones outlive the commits that a checkpoint stands for', async () => {
  await grow(4);
  for (let version = 0; version < 4; version++) await lake.store.delete(`t/_delta_log/${padded(version)}.json`);
  const again = await appendQuery(open(), lake.sql, 'SELECT 1', { txn: { appId: 'drop-1', version: 4 } });
  expect(again.status).toBe('already-committed');
  // the file of version 0 is under a tombstone: its content comes back under another name
  await appendQuery(open(), lake.sql, `SELECT 0 AS n, 'x' AS t`);
  const snapshot = await open().snapshot();
  expect([...snapshot.files.keys()].filter((path) => path.includes('-1.zstd'))).toHaveLength(1);
  expect((await lake.rows(snapshot)).map((row) => row['n'])).toEqual([0, 3, 4]);
});

test('tombstones older than the retention are left out', async () => {
  await grow(3);
  const snapshot = await open().snapshot();
  expect(snapshot.tombstones.size).toBe(3);
  const [{ deletionTimestamp }] = snapshot.tombstones.values();
  const kept = async (sinceMs: number) => {
    await writeCheckpoint(lake.sql, snapshot, sinceMs);
    return (await open().snapshot()).tombstones.size;
  };
  expect(await kept(deletionTimestamp!)).toBe(3);
  expect(await kept(deletionTimestamp! + 1)).toBe(0);
});

describe('the hint is only a hint', () => {
  test.each([
    ['it is missing', undefined],
    ['it is torn', '{"version":1'],
    ['it names an older checkpoint', '{"version":4}'],
    ['it names one that is not there', '{"version":6}'],
    ['it names one beyond the log', '{"version":99}'],
    ['it is no object', '7'],
  ])('%s', async (_, hint) => {
    await grow(9);
    if (hint === undefined) await lake.store.delete(hintKey);
    else await lake.store.put(hintKey, new TextEncoder().encode(hint));
    expect(await told(open())).toEqual(await told(deltaTable(lake.store, 't', lake.context)));
  });
});

test('a checkpoint that could not be written does not undo the commit', async () => {
  await grow(3);
  class Full extends WatchedStore {
    override async put(): Promise<void> {
      throw new Error('the disk is full');
    }
  }
  const written = await appendQuery(open(new Full(lake.store)), lake.sql, `SELECT 4 AS n, 'x' AS t`);
  expect(written).toEqual({ version: 4, status: 'committed', rows: 1 });
  expect(await lake.store.get(checkpointKey(4))).toBeUndefined();
});

test('a checkpoint that holds something else than actions is named', async () => {
  await grow(4);
  const { bytes } = await lake.sql.parquet(`SELECT {'path': 5} AS add`);
  await lake.store.put(checkpointKey(4), bytes);
  await expect(open().snapshot()).rejects.toThrow(LogDamaged);
  await expect(open().snapshot()).rejects.toThrow(checkpointKey(4));
});
