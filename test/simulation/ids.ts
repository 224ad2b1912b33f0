import { createHash } from 'node:crypto';
import type { Ids } from '../../src/ports/ids.ts';

/** Identifiers that look random and are the seed's: no two sources of one seed ever give the same. */
export function seededIds(seed: string, source: string): Ids {
  let given = 0;
  return {
    next() {
      const hex = createHash('sha256').update(`${seed}\n${source}\n${++given}`).digest('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
  };
}
