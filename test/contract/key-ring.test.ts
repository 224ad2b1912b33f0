import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KMS } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lambdaKeyRing } from '../../lambdas/shared/key-ring.ts';
import { KmsKeyRing } from '../../src/adapters/aws/kms-key-ring.ts';
import { FileKeyRing } from '../../src/adapters/embedded/file-key-ring.ts';
import { Vault } from '../../src/privacy/vault.ts';
import { MemoryStore } from '../governance/memory-store.ts';
import { keyRingContract } from './key-ring.ts';
import { startKmsServer } from './kms-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'bordereau-keys-'));
const server = await startKmsServer(['alias/vault', 'alias/other']);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await server.close();
});

const kmsRing = (keyId: string) =>
  new KmsKeyRing({
    kms: new KMS({
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' },
      maxAttempts: 2,
      endpoint: server.endpoint,
    }),
    keyId,
  });

keyRingContract('the key file', {
  open: () => new FileKeyRing(join(directory, 'vault.key')),
  openOther: () => new FileKeyRing(join(directory, 'other.key')),
});

keyRingContract('KMS, spoken to by its own client', {
  open: () => kmsRing('alias/vault'),
  openOther: () => kmsRing('alias/other'),
});

describe('the key ring of a deployed function', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDTEST');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', server.endpoint);
    vi.stubEnv('VAULT_KEY_ID', 'alias/vault');
  });
  afterEach(() => vi.unstubAllEnvs());

  test('opens the KMS key that the environment names', async () => {
    const { key, wrapped } = await lambdaKeyRing().generate({ vault: 'v' });
    expect(Buffer.from(await kmsRing('alias/vault').unwrap(wrapped, { vault: 'v' }))).toEqual(Buffer.from(key));
    expect(Buffer.from(await lambdaKeyRing().unwrap(wrapped, { vault: 'v' }))).toEqual(Buffer.from(key));
  });

  test('of a function that may not use the vaults says so when it is asked, not before', async () => {
    vi.stubEnv('VAULT_KEY_ID', '');
    const ring = lambdaKeyRing();
    await expect(ring.generate({ vault: 'v' })).rejects.toThrow('VAULT_KEY_ID is not set');
  });
});

describe('KMS', () => {
  test('shows for each use what it was for, and nothing of anybody', async () => {
    server.calls.length = 0;
    const vault = new Vault(
      {
        store: new MemoryStore(),
        keyRing: kmsRing('alias/vault'),
        ids: { next: () => crypto.randomUUID() },
        clock: { nowMs: () => 0 },
      },
      { useCase: 'offers', domain: 'member_id' },
    );
    await vault.surrogatesOf(['MBR-7710042']);
    expect(new Set(server.calls.map(({ operation }) => operation))).toEqual(new Set(['GenerateDataKey', 'Decrypt']));
    for (const { keyId, context } of server.calls) {
      expect(keyId).toBe('alias/vault');
      expect(context).toMatchObject({ vault: 'vault/offers/member_id' });
    }
    expect(JSON.stringify(server.calls)).not.toContain('7710042');
  });

  test('is asked again where it was busy, and its own troubles are not taken for a wrong key', async () => {
    const { key, wrapped } = await kmsRing('alias/vault').generate({});
    server.refuse('ThrottlingException', 1);
    expect(Buffer.from(await kmsRing('alias/vault').unwrap(wrapped, {}))).toEqual(Buffer.from(key));
    server.refuse('KMSInvalidStateException', 1);
    await expect(kmsRing('alias/vault').unwrap(wrapped, {})).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    });
    await expect(kmsRing('alias/none').unwrap(wrapped, {})).rejects.toMatchObject({ name: 'NotFoundException' });
  });
});
