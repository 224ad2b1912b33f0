import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { canonicalJson } from '../../src/governance/digest.ts';

/** A call as CloudTrail would show it: neither key nor ciphertext. */
export type KmsCall = { operation: string; keyId: string; context: Context };

/**
 * GenerateDataKey and Decrypt of AWS KMS over HTTP (JSON 1.1), with the rules of its API reference that matter here: a key exists
 * under its name, the encryption context is authenticated with the ciphertext, and a ciphertext of another key than the named one is
 * refused. Loopback only.
 */
export type KmsServer = {
  endpoint: string;
  /** In the order in which they came, refused ones included. */
  calls: KmsCall[];
  /** The next `times` calls are answered with that error. */
  refuse(code: string, times: number): void;
  close(): Promise<void>;
};

type Context = { [name: string]: string };
type Request = { KeyId: string; KeySpec?: string; CiphertextBlob?: string; EncryptionContext?: Context };

class Refused extends Error {
  override readonly name = 'Refused';
}

export async function startKmsServer(keyIds: readonly string[]): Promise<KmsServer> {
  const masters = new Map(keyIds.map((keyId) => [keyId, randomBytes(32)]));
  const calls: KmsCall[] = [];
  const refusals: string[] = [];

  function answer(operation: string, { KeyId, KeySpec, CiphertextBlob = '', EncryptionContext = {} }: Request): object {
    calls.push({ operation, keyId: KeyId, context: EncryptionContext });
    const refusal = refusals.shift();
    if (refusal) throw new Refused(refusal);
    const master = masters.get(KeyId);
    if (!master) throw new Refused('NotFoundException');
    if (operation === 'GenerateDataKey' && KeySpec === 'AES_256') {
      const key = randomBytes(32);
      const wrapped = wrap(master, key, EncryptionContext);
      return { KeyId, Plaintext: key.toString('base64'), CiphertextBlob: wrapped.toString('base64') };
    }
    if (operation !== 'Decrypt') throw new Refused('ValidationException');
    const wrapped = Buffer.from(CiphertextBlob, 'base64');
    for (const [keyId, of] of masters) {
      const key = unwrapped(of, wrapped, EncryptionContext);
      if (key && keyId !== KeyId) throw new Refused('IncorrectKeyException');
      if (key) return { KeyId, Plaintext: key.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
    }
    throw new Refused('InvalidCiphertextException');
  }

  const server = createServer((request, response) => {
    const send = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    void json(request).then((body) => {
      try {
        const [service, operation] = String(request.headers['x-amz-target']).split('.');
        const isSigned = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256');
        if (service !== 'TrentService' || !isSigned) throw new Refused('AccessDeniedException');
        send(200, answer(operation, body as Request));
      } catch (error) {
        send(400, { __type: (error as Error).message, message: 'refused' });
      }
    });
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    refuse: (code, times) => refusals.push(...Array.from({ length: times }, () => code)),
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function wrap(master: Uint8Array, key: Uint8Array, context: Context): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', master, nonce).setAAD(bound(context));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function unwrapped(master: Uint8Array, wrapped: Buffer, context: Context): Buffer | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', master, wrapped.subarray(0, 12)).setAAD(bound(context));
    decipher.setAuthTag(wrapped.subarray(-16));
    return Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** The order of a context's entries does not matter. */
const bound = (context: Context): Buffer => Buffer.from(canonicalJson(context));
