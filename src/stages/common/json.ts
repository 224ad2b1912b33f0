import { createHash } from 'node:crypto';
import type { ObjectStore } from '../../ports/object-store.ts';
import { ObjectNotFound } from '../../ports/errors.ts';

/** Documents as they are stored: UTF-8 JSON, one newline at the end. */
export const toJsonBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);

/** A stored document is no JSON any more. */
export class BrokenDocument extends Error {
  override name = 'BrokenDocument';
}

/** The document behind the bytes; `key` is for the message of `BrokenDocument`. */
export function fromJsonBytes<T>(bytes: Uint8Array, key = 'a stored document'): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch (cause) {
    throw new BrokenDocument(
      `The state file ${key} cannot be read: it was edited or cut short. Restore it from the version history, or start its run again.`,
      { cause },
    );
  }
}

export const toTextBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The object that an earlier stage wrote; throws `ObjectNotFound`. */
export async function getWritten(store: ObjectStore, key: string, zone: string): Promise<Uint8Array> {
  const bytes = await store.get(key);
  if (!bytes) throw new ObjectNotFound(key, `the ${zone} zone`);
  return bytes;
}

/** SHA-256, as 64 hexadecimal digits. */
export const digestOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
