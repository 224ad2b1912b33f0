import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { S3Store } from '../../src/adapters/aws/s3-store.ts';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { objectStoreContract } from './object-store.ts';
import { startS3Server, type S3Server } from './s3-server.ts';
import { ImpatientClock, testS3Client } from './aws-clients.ts';

objectStoreContract('a directory', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bordereau-store-'));
  return {
    store: new DirectoryStore(join(root, 'made', 'when', 'needed')),
    close: () => rm(root, { recursive: true }),
  };
});

let server: S3Server;
beforeAll(async () => {
  server = await startS3Server({ buckets: ['zone'], pageSize: 5 });
});
afterAll(() => server.close());

for (const prefix of [undefined, 'tenant a/']) {
  objectStoreContract(prefix ? 'a prefix of an S3 bucket' : 'an S3 bucket', async () => {
    const temporaryDirectory = await mkdtemp(join(tmpdir(), 'bordereau-s3-'));
    server.objects('zone').clear();
    if (prefix)
      server
        .objects('zone')
        .set('tenant b/k', { bytes: new Uint8Array(), etag: '', sha256: '', lastModified: new Date() });
    const client = testS3Client(server);
    const store = new S3Store({ client, bucket: 'zone', temporaryDirectory, clock: new ImpatientClock(), prefix });
    const close = async () => {
      client.destroy();
      await rm(temporaryDirectory, { recursive: true });
    };
    return { store, close };
  });
}
