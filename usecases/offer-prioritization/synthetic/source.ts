import type { Random } from '../../../src/ml/random.ts';
import type { CsvBytes, Dirt } from './csv-bytes.ts';
import type { Member } from './member.ts';
import type { Delivery } from './months.ts';

/** What varies between two runs of the generator, beside seed, members and months. */
export type Settings = {
  dirtShare: number;
  /** Amplitude of the year's rhythm in the times of claims and events. */
  seasonality: number;
  /** The share of claims that arrive a month or more after they were filed. */
  lateShare: number;
  /** The share of members whose benefits partner reports medical and pharmacy only. */
  partialShare: number;
  /** Factor on what claims cost. */
  inflation: number;
};

/** How one source of the use case is written, member by member. */
export type SourceWriter = {
  header: readonly string[];
  write: (csv: CsvBytes, member: Member, delivery: Delivery, settings: Settings) => void;
};

/**
 * What is wrong with a member's next record: drawn from a stream of the member's own. `previousKey` is the key of an earlier
 * good record of the same member in the file, so that a key can be sent twice.
 */
export function dirtOf(member: Member, source: string, kinds: readonly Dirt[], key: string) {
  const random = member.random.fork(`dirt in ${source}`);
  let previousKey: string | undefined;
  return (share: number, ownKey: string): Dirt | undefined => {
    const dirt = isDirty(random, share) ? kindOf(random, kinds, key, previousKey) : undefined;
    if (dirt === undefined) previousKey = ownKey;
    return dirt;
  };
}

const isDirty = (random: Random, share: number): boolean => share > 0 && random.uniform() < share;

function kindOf(random: Random, kinds: readonly Dirt[], key: string, previousKey: string | undefined): Dirt {
  const kind = random.integer(kinds.length + 1);
  if (kind < kinds.length) return kinds[kind];
  return previousKey === undefined ? kinds[0] : { rule: `${key}.unique`, column: key, text: previousKey };
}
