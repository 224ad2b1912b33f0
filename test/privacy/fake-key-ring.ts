import { createHash } from 'node:crypto';
import { canonicalJson } from '../../src/governance/digest.ts';
import { type DataKey, type KeyContext, KeyNotUnwrapped, type KeyRing } from '../../src/ports/key-ring.ts';

/** Keys that a seed decides, so that a test can be repeated. Wrapping hides nothing: it only remembers its context. */
export class FakeKeyRing implements KeyRing {
  readonly #seed: string;
  #made = 0;

  constructor(seed = 'seed') {
    this.#seed = seed;
  }

  generate(context: KeyContext): Promise<DataKey> {
    const nonce = Buffer.from(`${this.#seed} ${++this.#made}`);
    return Promise.resolve({
      key: this.#key(nonce, context),
      wrapped: Buffer.concat([digest(canonicalJson(context)), nonce]),
    });
  }

  unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array> {
    if (!digest(canonicalJson(context)).equals(wrapped.subarray(0, 32)))
      return Promise.reject(new KeyNotUnwrapped('a test', context));
    return Promise.resolve(this.#key(wrapped.subarray(32), context));
  }

  #key(nonce: Uint8Array, context: KeyContext): Uint8Array {
    return digest(`${Buffer.from(nonce).toString()} ${canonicalJson(context)}`);
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
