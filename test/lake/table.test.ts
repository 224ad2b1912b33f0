import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import type { Action } from '../../src/lake/actions.ts';
import { LogDamaged, TableNotFound, UnsupportedTable, VersionNotFound } from '../../src/lake/errors.ts';
import { mount } from '../../src/lake/mount.ts';
import { contentDigest, rowCount } from '../../src/lake/snapshot.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
import { ObjectDamaged, ObjectNotFound, UnsafeKey } from '../../src/ports/errors.ts';
import { openLake, startMs, type TestLake } from './lake.ts';

let lake: TestLake;
let table: DeltaTable;
beforeEach(async () => {
  lake = await openLake();
  table = open();
});
afterEach(() => lake.close());

const open = () => deltaTable(lake.store, 'tables/policies', lake.context);
const row = (id: number) => `SELECT ${id} AS id`;
const ids = async (asOf?: { version: number } | { timestampMs: number }) =>
  (await lake.rows(await open().snapshot(asOf))).map((found) => found['id']);
const logFile = (version: number) => `tables/policies/_delta_log/${String(version).padStart(20, '0')}.json`;
async function putCommit(version: number, ...lines: (Action | object | string)[]): Promise<void> {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  await lake.store.put(logFile(version), new TextEncoder().encode(text));
}

test('a table comes into being with its first rows, and grows', async () => {
  expect(await table.latest()).toBeUndefined();
  await expect(table.snapshot()).rejects.toThrow(TableNotFound);
  await expect(table.history()).rejects.toThrow('There is no table at tables/policies');
  expect(await appendQuery(table, lake.sql, row(1))).toEqual({ version: 0, status: 'committed', rows: 1 });
  expect(await appendQuery(table, lake.sql, `${row(2)} UNION ALL ${row(3)}`)).toMatchObject({ version: 1, rows: 2 });
  expect(await ids()).toEqual([1, 2, 3]);
  expect(rowCount(await table.snapshot())).toBe(3);
});

test('the same rows appended twice are there twice', async () => {
  for (let i = 0; i < 3; i++) await appendQuery(table, lake.sql, row(7));
  expect(await ids()).toEqual([7, 7, 7]);
});

test('overwriting replaces all rows, and older versions keep theirs', async () => {
  await appendQuery(table, lake.sql, row(1));
  await appendQuery(table, lake.sql, row(2));
  expect(await overwriteQuery(table, lake.sql, row(3))).toMatchObject({ version: 2, status: 'committed' });
  expect(await ids()).toEqual([3]);
  expect(await ids({ version: 1 })).toEqual([1, 2]);
  expect(await ids({ version: 0 })).toEqual([1]);
});

test('overwriting with what is there keeps the file; overwriting with what was there does not take its old name', async () => {
  await appendQuery(table, lake.sql, row(1));
  const [path] = (await table.snapshot()).files.keys();
  await overwriteQuery(table, lake.sql, row(1));
  expect([...(await table.snapshot()).files.keys()]).toEqual([path]);
  await overwriteQuery(table, lake.sql, row(2));
  await overwriteQuery(table, lake.sql, row(1));
  // the second overwriting has stored, and not needed, the first copy
  expect([...(await table.snapshot()).files.keys()]).toEqual([path.replace('.zstd', '-2.zstd')]);
  expect(await ids()).toEqual([1]);
});

describe('a transaction', () => {
  const txn = { appId: 'drops/policies.csv#7c1f', version: 0 };

  test('re-delivered changes nothing and says so', async () => {
    expect(await appendQuery(table, lake.sql, row(1), { txn })).toMatchObject({ version: 0, status: 'committed' });
    expect(await appendQuery(table, lake.sql, row(1), { txn })).toEqual({
      version: 0,
      status: 'already-committed',
      rows: 0,
    });
    expect(await overwriteQuery(open(), lake.sql, row(9), { txn })).toMatchObject({ status: 'already-committed' });
    expect(await ids()).toEqual([1]);
  });

  test('of the same application goes in when its version is higher, not when it is lower', async () => {
    await appendQuery(table, lake.sql, row(1), { txn: { appId: 'a', version: 5 } });
    await appendQuery(table, lake.sql, row(2), { txn: { appId: 'a', version: 4 } });
    await appendQuery(table, lake.sql, row(3), { txn: { appId: 'a', version: 6 } });
    await appendQuery(table, lake.sql, row(4), { txn: { appId: 'b', version: 0 } });
    expect(await ids()).toEqual([1, 3, 4]);
  });

  test('without rows is still marked as done', async () => {
    await appendQuery(table, lake.sql, row(1));
    expect(await appendQuery(table, lake.sql, `${row(1)} WHERE false`, { txn })).toMatchObject({
      version: 1,
      status: 'committed',
    });
    expect(await appendQuery(table, lake.sql, row(1), { txn })).toMatchObject({ status: 'already-committed' });
    expect(await ids()).toEqual([1]);
  });
});

test('no rows make an empty table, and then nothing', async () => {
  expect(await appendQuery(table, lake.sql, `${row(1)} WHERE false`)).toEqual({
    version: 0,
    status: 'committed',
    rows: 0,
  });
  expect(await ids()).toEqual([]);
  expect(await appendQuery(table, lake.sql, `${row(1)} WHERE false`)).toEqual({
    version: 0,
    status: 'unchanged',
    rows: 0,
  });
  await appendQuery(table, lake.sql, row(1));
  await overwriteQuery(table, lake.sql, `${row(1)} WHERE false`);
  expect(await ids()).toEqual([]);
  expect((await table.snapshot()).version).toBe(2);
});

describe('time travel', () => {
  test('to a time finds the version that was the latest then', async () => {
    for (const id of [1, 2, 3]) await appendQuery(table, lake.sql, row(id));
    const times = (await table.history()).map((entry) => entry.timestampMs).reverse();
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThan(startMs);
    expect(await ids({ timestampMs: times[1] })).toEqual([1, 2]);
    expect(await ids({ timestampMs: times[2] - 1 })).toEqual([1, 2]);
    expect(await ids({ timestampMs: times[2] + 1e9 })).toEqual([1, 2, 3]);
    await expect(ids({ timestampMs: times[0] - 1 })).rejects.toThrow(VersionNotFound);
    await expect(ids({ timestampMs: times[0] - 1 })).rejects.toThrow(
      /no version as of 2026-02-01T.*it has versions from 2026-02-01T/,
    );
  });

  test('to a version that is not there names those that are', async () => {
    await appendQuery(table, lake.sql, row(1));
    for (const version of [1, -1, 0.5]) {
      await expect(ids({ version })).rejects.toThrow(`tables/policies has no version ${version}; it has 0 to 0`);
    }
  });

  test('does not run backwards where a writer had a slow clock', async () => {
    const slow = { ...lake.context, clock: { nowMs: () => startMs - 1e9, sleep: async () => {} } };
    await appendQuery(table, lake.sql, row(1));
    await appendQuery(deltaTable(lake.store, 'tables/policies', slow), lake.sql, row(2));
    const [second, first] = await table.history();
    expect(second.timestampMs).toBe(first.timestampMs);
    expect((await open().snapshot()).timestampMs).toBe(first.timestampMs);
    expect(await ids({ timestampMs: first.timestampMs })).toEqual([1, 2]);
  });
});

test('the history says who did what, when and how much, and carries details of the run', async () => {
  await appendQuery(table, lake.sql, `${row(1)} UNION ALL ${row(2)}`, { details: { runId: 'run-7' } });
  await overwriteQuery(table, lake.sql, row(3));
  const [second, first] = await table.history();
  expect(first).toMatchObject({
    version: 0,
    operation: 'WRITE',
    operationParameters: { mode: 'Append', partitionBy: '[]', runId: 'run-7' },
    operationMetrics: { numFiles: '1', numOutputRows: '2', numRemovedFiles: '0' },
    engineInfo: 'Bordereau',
    isolationLevel: 'Serializable',
    isBlindAppend: true,
  });
  expect(second).toMatchObject({
    version: 1,
    operationParameters: { mode: 'Overwrite' },
    operationMetrics: { numFiles: '1', numOutputRows: '1', numRemovedFiles: '1' },
    readVersion: 0,
    isBlindAppend: false,
  });
});

test('the content digest is that of the rows, not of the version or the table', async () => {
  await appendQuery(table, lake.sql, row(1));
  const one = contentDigest(await table.snapshot());
  await appendQuery(table, lake.sql, row(2));
  const two = contentDigest(await table.snapshot());
  const other = deltaTable(lake.store, 'elsewhere', lake.context);
  await appendQuery(other, lake.sql, row(1));
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(two).not.toBe(one);
  expect(contentDigest(await other.snapshot())).toBe(one);
  expect(contentDigest(await table.snapshot({ version: 0 }))).toBe(one);
});

test('a handle sees what another one commits', async () => {
  const other = open();
  await appendQuery(table, lake.sql, row(1));
  expect((await other.snapshot()).version).toBe(0);
  await appendQuery(table, lake.sql, row(2));
  expect((await other.snapshot()).version).toBe(1);
});

test('a path that could lead out of the store is refused at once', () => {
  expect(() => deltaTable(lake.store, '../elsewhere', lake.context)).toThrow(UnsafeKey);
});

describe('a damaged file', () => {
  test('is not read: its name promises other bytes', async () => {
    await appendQuery(table, lake.sql, row(1));
    const snapshot = await table.snapshot();
    const [path] = snapshot.files.keys();
    const bytes = await lake.store.get(`tables/policies/${path}`);
    bytes![100] ^= 1;
    await lake.store.put(`tables/policies/${path}`, bytes!);
    await expect(mount(lake.sql, snapshot, 'seen')).rejects.toThrow(ObjectDamaged);
    await expect(mount(lake.sql, snapshot, 'seen')).rejects.toThrow(path);
  });

  test('is healed by the delivery that writes it again', async () => {
    const { sql } = lake;
    await appendQuery(table, sql, row(1));
    const [path] = (await table.snapshot()).files.keys();
    await lake.store.put(`tables/policies/${path}`, new Uint8Array(3));
    await appendQuery(table, sql, row(1));
    expect(await ids()).toEqual([1, 1]);
  });

  test('that is gone is named', async () => {
    await appendQuery(table, lake.sql, row(1));
    const snapshot = await table.snapshot();
    const [path] = snapshot.files.keys();
    await lake.store.delete(`tables/policies/${path}`);
    await expect(mount(lake.sql, snapshot, 'seen')).rejects.toThrow(ObjectNotFound);
    await expect(mount(lake.sql, snapshot, 'seen')).rejects.toThrow(path);
  });
});

describe('a log that is not as it should be', () => {
  const protocol = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } };
  const schemaString = JSON.stringify({
    type: 'struct',
    fields: [{ name: 'id', type: 'integer', nullable: true, metadata: {} }],
  });
  const metaData = {
    metaData: {
      id: 'x',
      format: { provider: 'parquet', options: {} },
      schemaString,
      partitionColumns: [],
      configuration: {},
    },
  };
  const withFields = (fields: object) => ({ metaData: { ...metaData.metaData, ...fields } });

  test('a hole in it is named', async () => {
    for (const id of [1, 2, 3]) await appendQuery(table, lake.sql, row(id));
    await lake.store.delete(logFile(1));
    await expect(ids()).rejects.toThrow(LogDamaged);
    await expect(ids()).rejects.toThrow('_delta_log/00000000000000000001.json: it is missing');
  });

  test.each<[string, (object | string)[], string]>([
    ['is not JSON', [protocol, '{"metaData":'], 'line 2 is not JSON'],
    ['is no action', [protocol, '7'], 'line 2 is no action'],
    [
      'lacks a field',
      [protocol, metaData, { add: { path: 'x', size: 1 } }],
      'line 3 is no valid add action (add.partitionValues',
    ],
    ['has a field of another type', [protocol, withFields({ partitionColumns: 'id' })], 'metaData.partitionColumns'],
    ['never says how to read it', [metaData], 'no commit up to it has a protocol action'],
    ['never says its columns', [protocol], 'no commit up to it has a metaData action'],
    ['has columns that are none', [protocol, withFields({ schemaString: '{}' })], 'metaData.schemaString'],
  ])('a commit that %s is named with its line', async (_, lines, message) => {
    await putCommit(0, ...lines);
    await expect(ids()).rejects.toThrow(LogDamaged);
    await expect(ids()).rejects.toThrow(message);
  });

  test.each<[string, object[], string]>([
    [
      'a reader feature',
      [
        {
          protocol: {
            minReaderVersion: 3,
            minWriterVersion: 7,
            readerFeatures: ['deletionVectors'],
            writerFeatures: [],
          },
        },
        metaData,
      ],
      'wants the reader feature deletionVectors',
    ],
    [
      'a reader version',
      [{ protocol: { minReaderVersion: 4, minWriterVersion: 8 } }, metaData],
      'wants reader version 4',
    ],
    [
      'column mapping',
      [
        { protocol: { minReaderVersion: 2, minWriterVersion: 5 } },
        withFields({ configuration: { 'delta.columnMapping.mode': 'name' } }),
      ],
      'columnMapping (mode name)',
    ],
    ['a file format', [protocol, withFields({ format: { provider: 'orc', options: {} } })], 'keeps its data as orc'],
    [
      'a type',
      [protocol, withFields({ schemaString: schemaString.replace('integer', 'variant') })],
      'has column id of type variant',
    ],
  ])('%s that is unknown here is refused by name, not read wrongly', async (_, lines, message) => {
    await putCommit(0, ...lines);
    await expect(ids()).rejects.toThrow(UnsupportedTable);
    await expect(ids()).rejects.toThrow(message);
  });

  test.each<[string, object[], string]>([
    [
      'a writer version',
      [{ protocol: { minReaderVersion: 1, minWriterVersion: 4 } }, metaData],
      'wants writer version 4',
    ],
    [
      'a writer feature',
      [{ protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['rowTracking'] } }, metaData],
      'wants the writer feature rowTracking',
    ],
    [
      'an invariant',
      [
        protocol,
        withFields({ schemaString: schemaString.replace('"metadata":{}', '"metadata":{"delta.invariants":"{}"}') }),
      ],
      'has an invariant on column id',
    ],
  ])('%s that is unknown here is read, and not written to', async (_, lines, message) => {
    await putCommit(0, ...lines);
    expect(await ids()).toEqual([]);
    await expect(appendQuery(table, lake.sql, row(1))).rejects.toThrow(UnsupportedTable);
    await expect(appendQuery(table, lake.sql, row(1))).rejects.toThrow(message);
  });

  test('an append-only table takes rows and does not lose them', async () => {
    await putCommit(0, protocol, withFields({ configuration: { 'delta.appendOnly': 'true' } }));
    await appendQuery(table, lake.sql, row(1));
    await expect(overwriteQuery(table, lake.sql, row(2))).rejects.toThrow('append-only');
    expect(await ids()).toEqual([1]);
  });

  test('a column that allows no null is kept free of them', async () => {
    await putCommit(
      0,
      protocol,
      withFields({ schemaString: schemaString.replace('"nullable":true', '"nullable":false') }),
    );
    await appendQuery(table, lake.sql, row(1));
    await expect(appendQuery(table, lake.sql, 'SELECT NULL::INTEGER AS id')).rejects.toThrow(
      'Column id does not fit table tables/policies: it has nulls',
    );
  });

  test('actions and fields of a later protocol that nobody must know are passed over', async () => {
    await putCommit(
      0,
      { commitInfo: { custom: { x: [1] } } },
      protocol,
      metaData,
      { domainMetadata: { domain: 'd' } },
      '',
    );
    await appendQuery(table, lake.sql, row(1));
    expect(await ids()).toEqual([1]);
  });
});

describe('what another writer may do and we do not', () => {
  const file = (path: string) => ({ path, size: 1, modificationTime: 0, dataChange: true });

  test('a file that was removed and is added again is live, and no tombstone', async () => {
    await appendQuery(table, lake.sql, row(1));
    const [{ path }] = (await table.snapshot()).files.values();
    await putCommit(1, { remove: { path, dataChange: true } });
    await putCommit(2, { add: { ...file(path), partitionValues: {}, stats: null, tags: null } });
    const [removed, added] = [await open().snapshot({ version: 1 }), await open().snapshot()];
    expect([removed.files.size, removed.tombstones.size]).toEqual([0, 1]);
    expect([added.files.size, added.tombstones.size]).toEqual([1, 0]);
    expect(await ids()).toEqual([1]);
    // without statistics nobody knows how many rows there are
    expect(rowCount(added)).toBeUndefined();
  });

  test('an empty partition value is null', async () => {
    await appendQuery(table, lake.sql, `SELECT 1 AS id, 'x' AS region`, { partitionBy: ['region'] });
    const [{ path }] = (await table.snapshot()).files.values();
    await putCommit(1, { add: { ...file(path), partitionValues: { region: '' } } });
    expect(await lake.rows(await open().snapshot())).toEqual([{ id: 1, region: null }]);
  });

  test('a partition column that stands in the files too is the one of the log', async () => {
    await appendQuery(table, lake.sql, `SELECT 1 AS id, 'x' AS region`);
    const [{ path }] = (await table.snapshot()).files.values();
    const { metadata } = await table.snapshot();
    const partitionValues = { region: 'y' };
    await putCommit(
      1,
      { metaData: { ...metadata, partitionColumns: ['region'] } },
      { add: { ...file(path), partitionValues } },
    );
    expect(await lake.rows(await open().snapshot())).toEqual([{ id: 1, region: 'y' }]);
  });

  test('a file elsewhere is refused by name', async () => {
    await appendQuery(table, lake.sql, row(1));
    await putCommit(1, { add: { ...file('s3://other/part-0.parquet'), partitionValues: {} } });
    await expect(ids()).rejects.toThrow('has files outside of its directory (s3://other/part-0.parquet)');
  });
});

test('files beside the commits are no commits', async () => {
  await appendQuery(table, lake.sql, row(1));
  for (const name of [
    '00000000000000000000.crc',
    '00000000000000000000.00000000000000000001.compacted.json',
    'x.json',
  ]) {
    await lake.store.put(`tables/policies/_delta_log/${name}`, new TextEncoder().encode('{}'));
  }
  expect(await ids()).toEqual([1]);
});

test('a table in a directory is an ordinary Delta table there', async () => {
  await appendQuery(table, lake.sql, row(1));
  const keys = [];
  for await (const { key } of new DirectoryStore(lake.directory).list('tables/')) keys.push(key);
  expect(keys).toEqual([
    'tables/policies/_delta_log/00000000000000000000.json',
    expect.stringMatching(/^tables\/policies\/part-[0-9a-f]{64}\.zstd\.parquet$/) as unknown,
  ]);
});
