import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type KmsOperations, KmsKeyRing } from '../../src/adapters/aws/kms-key-ring.ts';
import { FileKeyRing, UnsafeKeyFile } from '../../src/adapters/embedded/file-key-ring.ts';
import { KeyNotUnwrapped, type KeyRing } from '../../src/ports/key-ring.ts';

const directory = mkdtempSync(join(tmpdir(), 'bordereau-keys-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'keys', 'vault.key');

/** KMS as far as it matters here: ciphertexts that know their key and their context. */
function fakeKms(): KmsOperations {
  let made = 0;
  const refuse = (name: string): never => {
    throw Object.assign(new Error(name), { name });
  };
  return {
    generateDataKey: async ({ KeyId, EncryptionContext }) => {
      const Plaintext = new Uint8Array(32).fill(++made);
      return { Plaintext, CiphertextBlob: Buffer.from(JSON.stringify([KeyId, EncryptionContext, [...Plaintext]])) };
    },
    decrypt: async ({ KeyId, CiphertextBlob, EncryptionContext }) => {
      if (CiphertextBlob.length < 40) return refuse('ThrottlingException');
      const [key, context, bytes] = JSON.parse(Buffer.from(CiphertextBlob).toString()) as [string, object, number[]];
      if (key !== KeyId) return refuse('IncorrectKeyException');
      if (JSON.stringify(context) !== JSON.stringify(EncryptionContext)) return refuse('InvalidCiphertextException');
      return { Plaintext: Uint8Array.from(bytes) };
    },
  };
}

const kms = fakeKms();
const rings: [string, () => KeyRing, () => KeyRing][] = [
  ['the key file', () => new FileKeyRing(path), () => new FileKeyRing(join(directory, 'other.key'))],
  ['KMS', () => new KmsKeyRing({ kms, keyId: 'alias/vault' }), () => new KmsKeyRing({ kms, keyId: 'alias/other' })],
];

describe.each(rings)('%s', (_, open, openOther) => {
  const context = { vault: 'v', use: 'index' };

  test('a data key is had again from its wrapping, in another process too', async () => {
    const { key, wrapped } = await open().generate(context);
    expect(key).toHaveLength(32);
    expect(Buffer.from(await open().unwrap(wrapped, context))).toEqual(Buffer.from(key));
  });

  test('each data key is another one', async () => {
    const keys = [await open().generate(context), await open().generate(context)];
    expect(Buffer.from(keys[0].key)).not.toEqual(Buffer.from(keys[1].key));
  });

  test('another context or another master key unwraps nothing', async () => {
    const { wrapped } = await open().generate(context);
    await expect(open().unwrap(wrapped, { vault: 'w', use: 'index' })).rejects.toThrow(KeyNotUnwrapped);
    await expect(openOther().unwrap(wrapped, context)).rejects.toThrow(KeyNotUnwrapped);
  });
});

test('KMS’s own troubles are not taken for a wrong key', async () => {
  const ring = new KmsKeyRing({ kms, keyId: 'alias/vault' });
  await expect(ring.unwrap(new Uint8Array(3), {})).rejects.toThrow('ThrottlingException');
});

describe('the key file on disk', () => {
  test('is its owner’s alone', async () => {
    await new FileKeyRing(path).generate({});
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test('is refused when others can read it', async () => {
    chmodSync(path, 0o644);
    await expect(new FileKeyRing(path).generate({})).rejects.toThrow(UnsafeKeyFile);
    chmodSync(path, 0o600);
  });

  test('is refused when it is cut short', async () => {
    const cut = join(directory, 'cut.key');
    writeFileSync(cut, 'abcd\n', { mode: 0o600 });
    await expect(new FileKeyRing(cut).generate({})).rejects.toThrow(/64 hexadecimal digits/);
  });

  test('is one, however many processes make it at once', async () => {
    const shared = join(directory, 'shared', 'vault.key');
    const rings = Array.from({ length: 8 }, () => new FileKeyRing(shared));
    const made = await Promise.all(rings.map((ring) => ring.generate({ of: 'all' })));
    const keys = await Promise.all(made.map(({ wrapped }) => rings[0].unwrap(wrapped, { of: 'all' })));
    expect(keys.map((key) => Buffer.from(key))).toEqual(made.map(({ key }) => Buffer.from(key)));
  });

  test('a flipped bit in a wrapped key is found', async () => {
    const ring = new FileKeyRing(path);
    const { wrapped } = await ring.generate({});
    for (const at of [0, 12, wrapped.length - 1]) {
      const flipped = Uint8Array.from(wrapped);
      flipped[at] ^= 1;
      await expect(ring.unwrap(flipped, {})).rejects.toThrow(KeyNotUnwrapped);
    }
  });
});
