import { type KmsOperations, KmsKeyRing } from '../../src/adapters/aws/kms-key-ring.ts';
import type { KeyRing } from '../../src/ports/key-ring.ts';

/**
 * The vaults' key ring, opened when a stage first needs it: only one that may use the KMS key is told its name, as VAULT_KEY_ID. The client is
 * the one of the SDK that Lambda's own runtime brings.
 */
export function lambdaKeyRing(): KeyRing {
  let opened: Promise<KmsKeyRing> | undefined;
  const ring = () => (opened ??= open());
  return {
    generate: async (context) => (await ring()).generate(context),
    unwrap: async (wrapped, context) => (await ring()).unwrap(wrapped, context),
  };
}

const client = '@aws-sdk/client-kms';

async function open(): Promise<KmsKeyRing> {
  const keyId = process.env['VAULT_KEY_ID'];
  if (!keyId)
    throw new Error(
      'The environment variable VAULT_KEY_ID is not set: this function may not use the key of the vaults.',
    );
  const { KMS } = (await import(client)) as { KMS: new (configuration: object) => KmsOperations };
  return new KmsKeyRing({ kms: new KMS({}), keyId });
}
