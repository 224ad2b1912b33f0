import { type KeyObject, createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync } from 'node:crypto';

/*
 * Field-level encryption of the vault: AES-256-GCM (NIST SP 800-38D). Each segment has a key of its own, derived from its
 * bucket's data key and the segment's salt (HKDF-SHA-256, RFC 5869), so that the position in the segment is a nonce that
 * cannot repeat under one key.
 */

const tagBytes = 16;

/** What an encrypted field belongs to; a field moved to another entry does not decrypt. */
export type FieldPlace = { vault: string; index: string; surrogate: string };

// keys are key objects: with raw bytes each call would make one, which takes several times as long as the work itself

/** The 256-bit key of one segment. */
export function segmentKey(bucketKey: Uint8Array, salt: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', bucketKey, salt, 'bordereau vault segment', 32)));
}

/** Ciphertext and tag, in base64; `position` is the entry's in its segment. */
export function encryptField(key: KeyObject, position: number, place: FieldPlace, text: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(position)).setAAD(bound(place));
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** The text; throws where key, position or place are not those of the encryption, or a bit has changed. */
export function decryptField(key: KeyObject, position: number, place: FieldPlace, field: string): string {
  const bytes = Buffer.from(field, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(position), { authTagLength: tagBytes });
  decipher.setAAD(bound(place)).setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]).toString('utf8');
}

/** HMAC-SHA-256 of an identifier, its first 128 bits in hexadecimal: where to find it, without saying what it is. */
export function indexOf(indexKey: KeyObject, identifier: string): string {
  return createHmac('sha256', indexKey).update(identifier).digest('hex').slice(0, 32);
}

function nonceOf(position: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(position, 8);
  return nonce;
}

const bound = ({ vault, index, surrogate }: FieldPlace): Uint8Array => Buffer.from(`${vault}\n${index}\n${surrogate}`);
