import { type KeyObject, createSecretKey } from 'node:crypto';
import type { Clock } from '../ports/clock.ts';
import type { Ids, SurrogateSource } from '../ports/ids.ts';
import type { KeyContext, KeyRing } from '../ports/key-ring.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type Audited, appendAudit } from './audit.ts';
import {
  type Bucket,
  type Entry,
  type Segment,
  type StoredEntry,
  VaultBusy,
  VaultDamaged,
  appendSegment,
  attempts,
  bucketKeyAt,
  readBucket,
  removeBefore,
} from './bucket-log.ts';
import { decryptField, encryptField, indexOf, segmentKey } from './field-cipher.ts';

export type VaultPorts = {
  /** The PHI zone. */
  store: ObjectStore;
  keyRing: KeyRing;
  /** Fresh and never derived from data. */
  ids: Ids;
  /** Where surrogates come from. @default - `ids` */
  surrogates?: SurrogateSource;
  clock: Pick<Clock, 'nowMs'>;
};

/** Who asks for what only the vault can do, and why; stands in the audit log. */
export type Accountable = { actor: string; reason: string };

/** Nobody has that surrogate: never given out, or erased. */
export class UnknownSurrogate extends Error {
  override readonly name = 'UnknownSurrogate';
}

/**
 * A million members make 62,500 entries and about 9 MB in each; a lookup of one member reads one of them. More buckets would
 * be smaller, and a first drop would take more writes.
 */
const buckets = 16;

/** Entries that one segment takes: about 3 MB. */
const entriesPerSegment = 20_000;

/** Buckets that are worked on at once; each is in memory as a whole meanwhile. */
const lanes = 4;

/**
 * Which surrogate stands for which identifier: random, given once, the same ever after (45 CFR 164.514(c): a code that is not
 * derived from the individual). Identifiers are found by an HMAC under the vault's own key and are stored encrypted only. The
 * one commit point is the put-if-absent of a bucket's next segment, so that however many ask at once, and however often a
 * drop is delivered, an identifier has one surrogate. `domain` is the column's name: columns of one name share their people.
 */
export class Vault {
  readonly path: string;
  /** Where its audit log lies. */
  readonly auditPath: string;
  readonly #ports: VaultPorts;
  #indexKey: Promise<KeyObject> | undefined;

  constructor(ports: VaultPorts, at: { useCase: string; domain: string }) {
    this.#ports = ports;
    this.path = `vault/${at.useCase}/${at.domain}`;
    this.auditPath = `${this.path}/audit`;
  }

  /**
   * Each identifier's surrogate, made where there is none; undefined for a member who was erased. A code that ingestion made
   * up itself (`isOwn`), which says nothing of anybody, is its own surrogate from then on. Throws `VaultDamaged`, `VaultBusy`.
   */
  async surrogatesOf(
    identifiers: Iterable<string>,
    isOwn: (identifier: string) => boolean = () => false,
  ): Promise<Map<string, string | undefined>> {
    // made in the order in which they are asked for, whoever will need one: what is given out does not depend on the keys
    const fresh = new Map<string, string>();
    for (const identifier of identifiers) {
      if (!fresh.has(identifier)) fresh.set(identifier, isOwn(identifier) ? identifier : this.#surrogate());
    }
    const wanted = [...(await this.#byBucket(fresh.keys()))];
    const surrogates = new Map<string, string | undefined>();
    const lane = async (first: number) => {
      for (let at = first; at < wanted.length; at += lanes) {
        const [name, indexes] = wanted[at];
        const bucket = await this.#complete(name, indexes, fresh);
        for (const [index, identifier] of indexes) {
          surrogates.set(identifier, bucket.erased.has(index) ? undefined : bucket.entries.get(index)!.surrogate);
        }
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, first) => lane(first)));
    return surrogates;
  }

  /** Whether there is anybody who was erased; where not, nobody has to be looked for. */
  async hasErased(): Promise<boolean> {
    if (!(await this.#ports.store.head(`${this.path}/key.json`))) return false;
    for (const name of bucketNames) if ((await this.#current(name)).erased.size > 0) return true;
    return false;
  }

  /** Those of the pseudonyms whose members were erased. Gives out nothing; without a vault nobody was. */
  async erasedAmong(pseudonyms: Iterable<string>): Promise<Set<string>> {
    const erased = new Set<string>();
    if (!(await this.#ports.store.head(`${this.path}/key.json`))) return erased;
    for (const [name, indexes] of await this.#byBucket(pseudonyms)) {
      const bucket = await this.#current(name);
      for (const [index, pseudonym] of indexes) if (bucket.erased.has(index)) erased.add(pseudonym);
    }
    return erased;
  }

  /** The identifier behind a surrogate, for those who may know. It is in the audit log before it is told. Throws `UnknownSurrogate`. */
  async reidentify(surrogate: string, { actor, reason }: Accountable): Promise<string> {
    for (const name of bucketNames) {
      const bucket = await this.#current(name);
      for (const [index, entry] of bucket.entries) {
        if (entry.surrogate !== surrogate || bucket.erased.has(index)) continue;
        await this.record({ action: 'reidentify', surrogate, actor, reason, details: {} });
        return this.#decrypter(await this.#bucketKey(name, bucket.generation))(index, entry);
      }
    }
    throw new UnknownSurrogate(
      `The vault ${this.path} knows no such surrogate: it was erased, or belongs to another use case.`,
    );
  }

  /**
   * The first half of an erasure: from now on the member is not let in again. Gives the surrogate, to delete by; undefined
   * where the vault holds nothing of the member (any more). Doing it twice changes nothing.
   */
  async tombstone(identifier: string): Promise<string | undefined> {
    const index = indexOf(await this.#index(), identifier);
    const name = bucketOf(index);
    for (let attempt = 0; attempt < attempts; attempt++) {
      const bucket = await this.#current(name);
      const surrogate = bucket.entries.get(index)?.surrogate;
      if (bucket.erased.has(index)) return surrogate;
      if (await this.#append(name, bucket, { format: 1, kind: 'erase', index })) return surrogate;
    }
    throw this.#busy(name);
  }

  /**
   * The second half, after the surrogate has been deleted by: what the vault holds of the member, and the key that it was encrypted under, are gone. The others of its
   * bucket go on under a new key. What a versioned store keeps of deleted objects goes when its retention ends.
   */
  async shred(identifier: string): Promise<void> {
    await this.tombstone(identifier);
    const index = indexOf(await this.#index(), identifier);
    const name = bucketOf(index);
    for (let attempt = 0; attempt < attempts; attempt++) {
      const bucket = await this.#current(name);
      if (!bucket.entries.has(index)) return removeBefore(this.#ports.store, this.#prefix(name), bucket.generation);
      await this.#append(name, bucket, { format: 1, kind: 'seal' });
    }
    throw this.#busy(name);
  }

  /** Puts into the audit log what is done with a surrogate. */
  async record(audited: Omit<Audited, 'atMs'>): Promise<void> {
    await appendAudit(this.#ports.store, this.auditPath, { ...audited, atMs: this.#ports.clock.nowMs() });
  }

  /** The bucket with an entry or a tombstone for each index; those who are missing get their surrogate of `fresh`. */
  async #complete(name: string, indexes: Map<string, string>, fresh: Map<string, string>): Promise<Bucket> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const bucket = await this.#current(name);
      let appended = true;
      while (appended) {
        const missing = [...indexes].filter(([index]) => !bucket.entries.has(index) && !bucket.erased.has(index));
        if (missing.length === 0) return bucket;
        const key = await this.#bucketKey(name, bucket.generation);
        const added = missing
          .slice(0, entriesPerSegment)
          .map(([index, identifier]) => ({ index, identifier, surrogate: fresh.get(identifier)! }));
        appended = await this.#append(name, bucket, this.#segment(key, added));
      }
    }
    throw this.#busy(name);
  }

  /** The bucket's open generation; begins the next one where an erasure was cut short behind its seal. */
  async #current(name: string): Promise<Bucket> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const bucket = await readBucket(this.#ports.store, this.#prefix(name));
      if (!bucket.sealed) return bucket;
      await this.#begin(name, bucket);
    }
    throw this.#busy(name);
  }

  /** Begins the generation after a sealed one, with everybody who is not erased; of several that do so at once, one counts. */
  async #begin(name: string, sealed: Bucket): Promise<void> {
    const generation = sealed.generation + 1;
    const key = await this.#bucketKey(name, generation);
    // looked at after the key was had: should all of this be overtaken by another erasure, it took this very key away
    const { generation: latest } = await readBucket(this.#ports.store, this.#prefix(name));
    const old = await this.#storedKey(...this.#bucketKeyPlace(name, sealed.generation));
    if (latest >= generation || (!old && sealed.entries.size > 0)) return;
    const decrypt = this.#decrypter(old!);
    const kept = [...sealed.entries]
      .filter(([index]) => !sealed.erased.has(index))
      .map(([index, entry]) => ({ index, surrogate: entry.surrogate, identifier: decrypt(index, entry) }));
    const segment = { ...this.#segment(key, kept), erased: [...sealed.erased] };
    await this.#append(name, { ...sealed, generation, sequence: 0, entries: new Map(), erased: new Set() }, segment);
  }

  #surrogate(): string {
    const { ids, surrogates } = this.#ports;
    return surrogates?.nextOf(this.path) ?? ids.next();
  }

  #segment(
    key: Uint8Array,
    entries: readonly { index: string; identifier: string; surrogate: string }[],
  ): Segment & { kind: 'add' } {
    const salt = this.#ports.ids.next();
    const derived = segmentKey(key, salt);
    return {
      format: 1,
      kind: 'add',
      salt,
      entries: entries.map(({ index, identifier, surrogate }, position): StoredEntry => {
        return [index, surrogate, encryptField(derived, position, { vault: this.path, index, surrogate }, identifier)];
      }),
    };
  }

  /** Reads the entries of one bucket; the key of a segment is derived once. */
  #decrypter(bucketKey: Uint8Array): (index: string, entry: Entry) => string {
    const keys = new Map<string, KeyObject>();
    return (index, { surrogate, field, salt, position }) => {
      const key = keys.get(salt) ?? segmentKey(bucketKey, salt);
      keys.set(salt, key);
      try {
        return decryptField(key, position, { vault: this.path, index, surrogate }, field);
      } catch {
        throw new VaultDamaged(
          `An entry of the vault ${this.path} does not decrypt: restore its bucket from the store's version history.`,
        );
      }
    };
  }

  /** Index → identifier of those wanted, by bucket. */
  async #byBucket(identifiers: Iterable<string>): Promise<Map<string, Map<string, string>>> {
    const key = await this.#index();
    const wanted = new Map<string, Map<string, string>>();
    for (const identifier of identifiers) {
      const index = indexOf(key, identifier);
      const name = bucketOf(index);
      if (!wanted.has(name)) wanted.set(name, new Map());
      wanted.get(name)!.set(index, identifier);
    }
    return wanted;
  }

  #index(): Promise<KeyObject> {
    this.#indexKey ??= this.#dataKey(`${this.path}/key.json`, { vault: this.path, use: 'index' })
      .then((key) => createSecretKey(key))
      .catch((error: unknown) => {
        this.#indexKey = undefined;
        throw error;
      });
    return this.#indexKey;
  }

  #bucketKey(name: string, generation: number): Promise<Uint8Array> {
    return this.#dataKey(...this.#bucketKeyPlace(name, generation));
  }

  #bucketKeyPlace(name: string, generation: number): [place: string, context: KeyContext] {
    const context = { vault: this.path, use: 'bucket', bucket: name, generation: String(generation) };
    return [bucketKeyAt(this.#prefix(name), generation), context];
  }

  /** The data key at that place, made and put there where there is none; what others have put there first counts. */
  async #dataKey(place: string, context: KeyContext): Promise<Uint8Array> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const stored = await this.#storedKey(place, context);
      if (stored) return stored;
      const { wrapped } = await this.#ports.keyRing.generate(context);
      const document = { format: 1, wrapped: Buffer.from(wrapped).toString('base64') };
      await this.#ports.store.putIfAbsent(place, new TextEncoder().encode(`${JSON.stringify(document)}\n`));
    }
    throw new VaultBusy(`The key ${place} was taken away as often as it was made. Try again.`);
  }

  async #storedKey(place: string, context: KeyContext): Promise<Uint8Array | undefined> {
    const bytes = await this.#ports.store.get(place);
    if (!bytes) return undefined;
    const { wrapped } = JSON.parse(new TextDecoder().decode(bytes)) as { wrapped: string };
    return this.#ports.keyRing.unwrap(Buffer.from(wrapped, 'base64'), context);
  }

  #append(name: string, bucket: Bucket, segment: Segment): Promise<boolean> {
    return appendSegment(this.#ports.store, this.#prefix(name), bucket, segment);
  }

  #prefix(name: string): string {
    return `${this.path}/buckets/${name}`;
  }

  #busy(name: string): VaultBusy {
    return new VaultBusy(
      `Bucket ${name} of the vault ${this.path} was written by others ${attempts} times over. Try again.`,
    );
  }
}

const bucketNames = Array.from({ length: buckets }, (_, bucket) => bucket.toString(16).padStart(2, '0'));

/** By the index's first byte, which is as good as random. */
const bucketOf = (index: string): string => bucketNames[Number.parseInt(index.slice(0, 2), 16) % buckets];
