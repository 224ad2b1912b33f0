import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { deleteRows, mergeQuery } from '../../src/lake/change.ts';
import { ClockSkewed } from '../../src/lake/errors.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { vacuum } from '../../src/lake/vacuum.ts';
import { appendQuery, overwriteQuery, storeQuery } from '../../src/lake/write.ts';
import { ImpatientClock, testS3Client } from '../contract/aws-clients.ts';
import { startS3Server, type S3Server } from '../contract/s3-server.ts';
import { openLake, type TestLake } from './lake.ts';

let lake: TestLake;
let server: S3Server;
let temporaryDirectory: string;
beforeEach(async () => {
  lake = await openLake();
  server = await startS3Server({ buckets: ['silver'], pageSize: 3 });
  temporaryDirectory = await mkdtemp(join(tmpdir(), 'bordereau-s3-'));
});
afterEach(async () => {
  await lake.close();
  await server.close();
  await rm(temporaryDirectory, { recursive: true });
});

function open(context = lake.context) {
  // as the product's own: two lost connections in a row, which chance may give to one request, are not its end
  const client = testS3Client(server, 3);
  const store = new S3Store({ client, bucket: 'silver', temporaryDirectory, clock: new ImpatientClock() });
  return deltaTable(store, 'tables/policies', { ...context, sql: lake.sql });
}
const row = (n: number) => `SELECT ${n} AS n`;
const values = async (version?: number) => {
  const snapshot = await open().snapshot(version === undefined ? undefined : { version });
  return (await lake.rows(snapshot)).map((found) => found['n']);
};

test('a table in a bucket reads as one in a directory, across pages and a checkpoint', async () => {
  for (let n = 0; n < 12; n++) await appendQuery(open(), lake.sql, row(n));
  await overwriteQuery(open(), lake.sql, row(99));
  expect(await values()).toEqual([99]);
  expect(await values(11)).toEqual(Array.from({ length: 12 }, (_, n) => n));
  expect(await values(3)).toEqual([0, 1, 2, 3]);
});

test('16. writers at once, with conflicts and lost acknowledgements, put every row in once', async () => {
  await appendQuery(open(), lake.sql, row(0));
  server.fail({ method: 'PUT', code: 'ConditionalRequestConflict', times: 4 });
  server.fail({ method: 'PUT', code: 'disconnect', times: 2, applied: true });
  const results = await Promise.all([1, 2, 3, 4, 5].map((n) => appendQuery(open(), lake.sql, row(n))));
  expect(results.map((result) => result.status)).toEqual(Array.from({ length: 5 }, () => 'committed'));
  expect(await values()).toEqual([0, 1, 2, 3, 4, 5]);
});

test('changes by key are made there once, whatever the connection does to them', async () => {
  for (let n = 0; n < 6; n++) await appendQuery(open(), lake.sql, row(n));
  server.fail({ method: 'PUT', code: 'ConditionalRequestConflict', times: 2 });
  server.fail({ method: 'PUT', code: 'disconnect', times: 2, applied: true });
  expect(await deleteRows(open(), lake.sql, 'SELECT unnest([1, 4]) AS n')).toMatchObject({ matchedRows: 2 });
  await mergeQuery(open(), lake.sql, 'SELECT unnest([2, 9]) AS n', { key: ['n'] });
  expect(await values()).toEqual([0, 2, 3, 5, 9]);
});

test('a vacuum goes by the clock of the bucket, and leaves what is young by it', async () => {
  const at = (aheadMs: number) => {
    return { ...lake.context, clock: { ...lake.context.clock, nowMs: () => Date.now() + aheadMs } };
  };
  await appendQuery(open(), lake.sql, row(1));
  await storeQuery(open(), lake.sql, row(2));
  await overwriteQuery(open(), lake.sql, row(3));
  expect(await vacuum(open(at(0)))).toEqual({ files: [], sizeBytes: 0 });
  await expect(vacuum(open(at(30 * 86_400_000)))).rejects.toThrow(ClockSkewed);
  expect(await values(0)).toEqual([1]);
});
