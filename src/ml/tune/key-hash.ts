import { hash } from 'node:crypto';

/**
 * A number in [0, 1) that depends on the key and the salt only: the first 48 bits of SHA-256 of `salt:key`. A member who
 * comes back next month falls on the same side of every split, however many rows were added around them.
 */
export function keyShare(key: string, salt: string | number): number {
  return Number.parseInt(hash('sha256', `${salt}:${key}`).slice(0, 12), 16) / 2 ** 48;
}
