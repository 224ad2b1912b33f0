import type { ObjectStore } from '../ports/object-store.ts';

/*
 * One bucket of a vault is a log: <bucket>/<generation>/<sequence>.json, each segment put where nothing is. A generation ends
 * with a seal; the next one begins with all that is still to be known. The seal stays for ever, so that a writer that has
 * slept through an erasure cannot append to what is gone.
 *
 *     0001/00000001 add   0001/00000002 add   0001/00000003 erase   0001/00000004 seal
 *     0002/00000001 add (all but the erased, under a new key, with their tombstones)   0002/00000002 add  …
 */

/** Where in the log something stands; the first segment of a generation is 1. */
export type Position = { generation: number; sequence: number };

/** An identifier's index, its surrogate, and the identifier itself, encrypted. */
export type StoredEntry = [index: string, surrogate: string, field: string];

export type Segment =
  | { format: 1; kind: 'add'; salt: string; entries: StoredEntry[]; erased?: string[] }
  | { format: 1; kind: 'erase'; index: string }
  | { format: 1; kind: 'seal' };

export type Entry = { surrogate: string; field: string; salt: string; position: number };

/** What a bucket's log says as a whole. */
export type Bucket = Position & {
  sealed: boolean;
  entries: Map<string, Entry>;
  /** Tombstones. The entry itself is still there until the generation after. */
  erased: Set<string>;
};

/** A bucket's segments are not those that were written. */
export class VaultDamaged extends Error {
  override readonly name = 'VaultDamaged';
}

/** Others kept writing to the bucket at the same time. */
export class VaultBusy extends Error {
  override readonly name = 'VaultBusy';
}

/** How often something is tried again that another writer or an erasure got ahead of. */
export const attempts = 50;

/** The latest generation of a bucket. Throws `VaultDamaged`. */
export async function readBucket(store: ObjectStore, prefix: string): Promise<Bucket> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const positions = await segmentsOf(store, prefix);
    const generation = positions.at(-1)?.generation ?? 1;
    const latest = positions.filter((position) => position.generation === generation);
    const bucket: Bucket = { generation, sequence: 0, sealed: false, entries: new Map(), erased: new Set() };
    let whole = true;
    for (const position of latest) {
      const bytes = await store.get(segmentKeyAt(prefix, position));
      // an erasure takes a generation away that has a successor: look again
      whole &&= bytes !== undefined && position.sequence === bucket.sequence + 1;
      if (!whole) break;
      fold(bucket, segmentOf(bytes!, prefix));
    }
    if (whole) return bucket;
  }
  throw new VaultDamaged(`Segments of ${prefix} are missing: restore them from the store's version history.`);
}

/** Whether the segment became the bucket's next one; if not, somebody else's did. */
export async function appendSegment(
  store: ObjectStore,
  prefix: string,
  bucket: Bucket,
  segment: Segment,
): Promise<boolean> {
  const key = segmentKeyAt(prefix, { generation: bucket.generation, sequence: bucket.sequence + 1 });
  const { created } = await store.putIfAbsent(key, new TextEncoder().encode(JSON.stringify(segment)));
  if (created) fold(bucket, segment);
  return created;
}

/** Takes away the keys, then the segments, of every generation before this one; the seals stay. */
export async function removeBefore(store: ObjectStore, prefix: string, generation: number): Promise<void> {
  const positions = (await segmentsOf(store, prefix)).filter((position) => position.generation < generation);
  const seals = new Map(positions.map((position) => [position.generation, position.sequence]));
  for (const old of seals.keys()) await store.delete(bucketKeyAt(prefix, old));
  for (const position of positions) {
    if (position.sequence < seals.get(position.generation)!) await store.delete(segmentKeyAt(prefix, position));
  }
}

export const segmentKeyAt = (prefix: string, { generation, sequence }: Position): string =>
  `${prefix}/${String(generation).padStart(4, '0')}/${String(sequence).padStart(8, '0')}.json`;

/** The wrapped data key of a generation. */
export const bucketKeyAt = (prefix: string, generation: number): string =>
  `${prefix}/${String(generation).padStart(4, '0')}/key.json`;

async function segmentsOf(store: ObjectStore, prefix: string): Promise<Position[]> {
  const positions: Position[] = [];
  for await (const { key } of store.list(`${prefix}/`)) {
    const [, generation, sequence] = /\/(\d{4,})\/(\d{8})\.json$/.exec(key) ?? [];
    if (sequence !== undefined) positions.push({ generation: Number(generation), sequence: Number(sequence) });
  }
  return positions;
}

function segmentOf(bytes: Uint8Array, prefix: string): Segment {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Segment;
  } catch {
    throw new VaultDamaged(
      `A segment of ${prefix} is not readable as JSON: restore it from the store's version history.`,
    );
  }
}

function fold(bucket: Bucket, segment: Segment): void {
  bucket.sequence += 1;
  if (segment.kind === 'seal') bucket.sealed = true;
  else if (segment.kind === 'erase') bucket.erased.add(segment.index);
  else {
    for (const index of segment.erased ?? []) bucket.erased.add(index);
    for (const [position, [index, surrogate, field]] of segment.entries.entries()) {
      bucket.entries.set(index, { surrogate, field, salt: segment.salt, position });
    }
  }
}
