import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { StoreDenied, StoreUnavailable, UnsafeKey } from '../../src/ports/errors.ts';
import { ImpatientClock, testS3Client } from '../contract/aws-clients.ts';
import { startS3Server, type S3Server } from '../contract/s3-server.ts';

const bytes = new TextEncoder().encode('{"commit":1}');
let server: S3Server;
let temporaryDirectory: string;
let clock: ImpatientClock;
let store: S3Store;

beforeEach(async () => {
  server = await startS3Server({ buckets: ['zone'], pageSize: 5 });
  temporaryDirectory = await mkdtemp(join(tmpdir(), 'bordereau-s3-'));
  clock = new ImpatientClock();
  store = open('zone');
});
afterEach(async () => {
  await server.close();
  await rm(temporaryDirectory, { recursive: true });
});

function open(bucket: string): S3Store {
  return new S3Store({ client: testS3Client(server), bucket, temporaryDirectory, clock });
}

async function keys(store: S3Store): Promise<string[]> {
  const found = [];
  for await (const { key } of store.list('')) found.push(key);
  return found;
}

test('16. a conditional write that meets another one under way (409) is asked again, with growing waits', async () => {
  server.fail({ method: 'PUT', code: 'ConditionalRequestConflict', times: 3 });
  expect(await store.putIfAbsent('k', bytes)).toEqual({ created: true });
  expect(clock.waits).toEqual([50, 100, 200]);
});

test('a 409 that never ends is an error that names bucket and key', async () => {
  server.fail({ method: 'PUT', code: 'ConditionalRequestConflict', times: 99 });
  const writing = store.putIfAbsent('log/7.json', bytes);
  await expect(writing).rejects.toThrow(StoreUnavailable);
  await expect(writing).rejects.toThrow('Could not write s3://zone/log/7.json (ConditionalRequestConflict)');
});

test('throttling is retried by the client', async () => {
  server.fail({ method: 'PUT', code: 'SlowDown', times: 1 });
  await store.put('k', bytes);
  expect(server.requests).toEqual(['PUT /zone/k', 'PUT /zone/k']);
  expect(await store.get('k')).toEqual(bytes);
});

test('a failure that never ends is an error', async () => {
  server.fail({ method: 'GET', code: 'InternalError', times: 99 });
  await expect(store.get('k')).rejects.toThrow('Could not read s3://zone/k (InternalError)');
});

test.each(['disconnect', 'SlowDown'] as const)(
  'a write that was applied but not acknowledged (%s) shows as not created: the object there is ours to compare',
  async (code) => {
    server.fail({ method: 'PUT', code, times: 1, applied: true });
    expect(await store.putIfAbsent('k', bytes)).toEqual({ created: false });
    expect(await store.get('k')).toEqual(bytes);
  },
);

test('a missing permission says so and what to check', async () => {
  server.fail({ method: 'GET', code: 'AccessDenied', times: 1 });
  const reading = store.get('k');
  await expect(reading).rejects.toThrow(StoreDenied);
  await expect(reading).rejects.toThrow(/s3:\/\/zone\/k \(AccessDenied\).*policy/);
});

test('a missing bucket is an error, not an empty store', async () => {
  const missing = open('nowhere');
  await expect(missing.get('k')).rejects.toThrow(/s3:\/\/nowhere\/k \(NoSuchBucket\).*does not exist/);
  await expect(keys(missing)).rejects.toThrow('NoSuchBucket');
});

test('bytes that changed on their way down are not returned', async () => {
  await store.put('k', bytes);
  server.objects('zone').get('k')!.bytes[3] ^= 1;
  await expect(store.get('k')).rejects.toThrow(StoreUnavailable);
  await expect(store.localCopy('k')).rejects.toThrow(StoreUnavailable);
  expect(await readdir(temporaryDirectory)).toEqual([]);
});

test('the server under these tests checks what it is sent, streams with trailing checksums too', async () => {
  const client = testS3Client(server);
  const streamed = Readable.from([bytes.subarray(0, 4), bytes.subarray(4)]);
  const upload = { Bucket: 'zone', Key: 'k', Body: streamed, ContentLength: bytes.length };
  await client.send(new PutObjectCommand(upload));
  expect(await store.get('k')).toEqual(bytes);
  const wrong = { Bucket: 'zone', Key: 'l', Body: bytes, ChecksumSHA256: 'AAAA' };
  await expect(client.send(new PutObjectCommand(wrong))).rejects.toThrow('BadDigest');
});

test('a listing follows the pages', async () => {
  for (let i = 0; i < 12; i++) await store.put(`many/${i}`, bytes);
  server.requests.length = 0;
  expect(await keys(store)).toHaveLength(12);
  expect(server.requests).toEqual(['GET /zone/', 'GET /zone/', 'GET /zone/']);
});

test('a folder marker is no object; a key that others chose freely is listed, and refused when read', async () => {
  const put = (key: string) =>
    server.objects('zone').set(key, { bytes, etag: 'e', sha256: '', lastModified: new Date(0) });
  for (const key of ['drops/', 'drops/claims[1].csv', 'drops/policies.csv']) put(key);
  expect(await keys(store)).toEqual(['drops/claims[1].csv', 'drops/policies.csv']);
  await expect(store.get('drops/claims[1].csv')).rejects.toThrow(UnsafeKey);
});

test('a local copy that cannot be written names the directory', async () => {
  await store.put('k', bytes);
  const nowhere = new S3Store({ client: testS3Client(server), bucket: 'zone', temporaryDirectory: '/dev/null/x' });
  await expect(nowhere.localCopy('k')).rejects.toThrow('/dev/null/x');
});
