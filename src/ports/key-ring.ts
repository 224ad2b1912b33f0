/**
 * What a data key is for. It is bound into the wrapping and has to be the same to unwrap, so that a key of one vault cannot be
 * passed off as that of another. Names only, never a value of an insured row: key services write it to their logs.
 */
export type KeyContext = { [name: string]: string };

/** 32 bytes for AES-256, in the clear and wrapped. Only the wrapped form may be stored. */
export type DataKey = { key: Uint8Array; wrapped: Uint8Array };

/** Wraps data keys under a master key that never leaves it: AWS KMS, or a key file on a laptop. */
export interface KeyRing {
  /** A new random data key. */
  generate(context: KeyContext): Promise<DataKey>;
  /** The data key in the clear. Throws `KeyNotUnwrapped` where master key, context or bytes are not those of the wrapping. */
  unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array>;
}

/** The data key cannot be had: another master key, another context, or damaged bytes. */
export class KeyNotUnwrapped extends Error {
  override readonly name = 'KeyNotUnwrapped';
  constructor(where: string, context: KeyContext) {
    const purpose = Object.entries(context).map(([name, value]) => `${name}=${value}`);
    super(
      `The data key for ${purpose.join(', ')} cannot be unwrapped with ${where}: it was wrapped by another master key, or is damaged. ` +
        'Restore the master key that the vault was made with.',
    );
  }
}
