import { type DataKey, type KeyContext, KeyNotUnwrapped, type KeyRing } from '../../ports/key-ring.ts';

/** The two operations of AWS KMS that are needed; `new KMS({})` of `@aws-sdk/client-kms` is one. */
export interface KmsOperations {
  generateDataKey(input: {
    KeyId: string;
    KeySpec: 'AES_256';
    EncryptionContext: KeyContext;
  }): Promise<{ Plaintext?: Uint8Array; CiphertextBlob?: Uint8Array }>;
  decrypt(input: {
    KeyId: string;
    CiphertextBlob: Uint8Array;
    EncryptionContext: KeyContext;
  }): Promise<{ Plaintext?: Uint8Array }>;
}

/**
 * Data keys under one KMS key. The context is KMS's encryption context: it is authenticated, and CloudTrail shows it for
 * each use. Throttling and lost connections are retried by the client itself and are thrown as KMS's own errors.
 */
export class KmsKeyRing implements KeyRing {
  readonly #kms: KmsOperations;
  readonly #keyId: string;

  constructor(options: { kms: KmsOperations; keyId: string }) {
    this.#kms = options.kms;
    this.#keyId = options.keyId;
  }

  async generate(context: KeyContext): Promise<DataKey> {
    const { Plaintext, CiphertextBlob } = await this.#kms.generateDataKey({
      KeyId: this.#keyId,
      KeySpec: 'AES_256',
      EncryptionContext: context,
    });
    return { key: Plaintext!, wrapped: CiphertextBlob! };
  }

  async unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array> {
    try {
      const { Plaintext } = await this.#kms.decrypt({
        KeyId: this.#keyId,
        CiphertextBlob: wrapped,
        EncryptionContext: context,
      });
      return Plaintext!;
    } catch (error) {
      if (error instanceof Error && notOurs.has(error.name)) throw new KeyNotUnwrapped(this.#keyId, context);
      throw error;
    }
  }
}

/** What KMS says of a wrapped key that is another key's, another context's, or damaged. */
const notOurs = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);
