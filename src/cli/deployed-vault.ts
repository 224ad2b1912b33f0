import { tmpdir } from 'node:os';
import { KmsKeyRing } from '../adapters/aws/kms-key-ring.ts';
import { RandomIds } from '../adapters/embedded/random-ids.ts';
import { SystemClock } from '../adapters/embedded/system-clock.ts';
import type { Ports } from '../ports/stage-ports.ts';

/** What the vaults of a deployment take, by the credentials and the region of whoever asks. */
export async function deployedVault(bucket: string, vaultKey: string): Promise<VaultsPorts> {
  // only who asks AWS waits for its clients
  const [{ S3Client }, { KMS }, { S3Store }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/client-kms'),
    import('../adapters/aws/s3-store.ts'),
  ]);
  return {
    bronze: new S3Store({ client: new S3Client({}), bucket, temporaryDirectory: tmpdir() }),
    keyRing: new KmsKeyRing({ kms: new KMS({}), keyId: vaultKey }),
    ids: new RandomIds(),
    clock: new SystemClock(),
  };
}

export type VaultsPorts = Pick<Ports, 'bronze' | 'keyRing' | 'ids' | 'clock'>;
