import { KMS } from '@aws-sdk/client-kms';
import { KmsKeyRing } from '../../src/adapters/aws/kms-key-ring.ts';
import type { KeyRing } from '../../src/ports/key-ring.ts';

/** The vaults' key ring, opened when a stage first needs it: only one that may use the KMS key is told its name, as VAULT_KEY_ID. */
export function lambdaKeyRing(): KeyRing {
  let opened: KmsKeyRing | undefined;
  const ring = () => (opened ??= new KmsKeyRing({ kms: new KMS({}), keyId: vaultKeyId() }));
  return {
    generate: async (context) => ring().generate(context),
    unwrap: async (wrapped, context) => ring().unwrap(wrapped, context),
  };
}

function vaultKeyId(): string {
  const keyId = process.env['VAULT_KEY_ID'];
  if (keyId) return keyId;
  throw new Error('The environment variable VAULT_KEY_ID is not set: this function may not use the key of the vaults.');
}
