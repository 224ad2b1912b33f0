import { createHash } from 'node:crypto';
import type { SurrogateSource } from '../../ports/ids.ts';

/**
 * Surrogates in the form of random UUIDs, which the same seed gives to each vault in the same order, whatever other vaults do.
 * Whoever knows the seed knows them all: for synthetic data alone, where the same surrogates make the same split into training and
 * test rows, and so the same figures, on every machine.
 */
export class SeededIds implements SurrogateSource {
  readonly #seed: string;
  readonly #given = new Map<string, number>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  nextOf(vault: string): string {
    const given = this.#given.get(vault) ?? 0;
    this.#given.set(vault, given + 1);
    const bytes = createHash('sha256').update(`${this.#seed}:${vault}:${given}`).digest().subarray(0, 16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
}
