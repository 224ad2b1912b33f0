import { createHash } from 'node:crypto';
import type { Ids } from '../../ports/ids.ts';

/**
 * Identifiers that the same seed gives in the same order, in the form of random UUIDs. Whoever knows the seed knows them all:
 * for synthetic data alone, where the same surrogates make the same split, and so the same figures, on every machine.
 */
export class SeededIds implements Ids {
  readonly #seed: string;
  #given = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  next(): string {
    const bytes = createHash('sha256').update(`${this.#seed}:${this.#given++}`).digest().subarray(0, 16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
}
