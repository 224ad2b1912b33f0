import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
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

function open() {
  const client = testS3Client(server);
  const store = new S3Store({ client, bucket: 'silver', temporaryDirectory, clock: new ImpatientClock() });
  return deltaTable(store, 'tables/policies', { ...lake.context, sql: lake.sql });
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

test('writers at once, with conflicts and lost acknowledgements, put every row in once', async () => {
  await appendQuery(open(), lake.sql, row(0));
  server.fail({ method: 'PUT', code: 'ConditionalRequestConflict', times: 4 });
  server.fail({ method: 'PUT', code: 'disconnect', times: 2, applied: true });
  const results = await Promise.all([1, 2, 3, 4, 5].map((n) => appendQuery(open(), lake.sql, row(n))));
  expect(results.map((result) => result.status)).toEqual(Array.from({ length: 5 }, () => 'committed'));
  expect(await values()).toEqual([0, 1, 2, 3, 4, 5]);
});
