import type { Json } from '../data/json.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { canonicalJson, sha256 } from './digest.ts';

/**
 * The one record of what was decided about the models of a use case: append-only, numbered without gaps, each entry carrying
 * the hash of the one before it. It lies in the registry zone as `promotions/<use case>/00000001.json` and so on; an entry is
 * written where nothing is, so two writers can never both have the same number.
 */

/** `declare` fixes the criteria of a comparison before there is a result; the others decide. */
export type EntryKind = 'declare' | 'promote' | 'refuse' | 'rollback' | 'tombstone';

export type Alias = 'champion' | 'challenger' | 'shadow';

/** What the author of an entry says. */
export type Draft = {
  kind: EntryKind;
  /** The pointer that the entry moves or leaves where it was; null where it is about the version itself. */
  alias: Alias | null;
  version: number;
  /** What the alias named before, null where nothing was live or the alias does not move. */
  replaces: number | null;
  /** Who: a machine's run, or a person. */
  actor: string;
  /** Why, in a sentence with its numbers. */
  reason: string;
  /** One attempt to decide, however often it is delivered: the same kind and id are never appended twice. */
  decisionId: string;
  /** SHA-256 of the criteria that the decision was taken by. */
  criteriaHash: string | null;
  /** Gates, comparison, criteria: whatever the decision rests on. */
  evidence: Json;
};

export type LedgerEntry = Draft & {
  format: 1;
  /** From 1, without gaps: the only order there is. */
  sequence: number;
  /** Never before the entry before it, however the writers' clocks differ. */
  atMs: number;
  previousHash: string;
  hash: string;
};

/** The head of a ledger as somebody noted it elsewhere: in a dossier, a report, another account. */
export type LedgerAnchor = { sequence: number; hash: string };

export type LedgerFault = { sequence: number; fault: string };

/** Where a ledger lies, and the time at which something is appended to it. */
export type LedgerAt = { store: ObjectStore; useCase: string; nowMs: number };

/** What the first entry has in place of a previous hash. */
export const genesisHash = '0'.repeat(64);

/** Thrown when the stored ledger has been edited or has lost an entry: nothing may be decided on it. */
export class LedgerBroken extends Error {
  override name = 'LedgerBroken';
}

/** All entries in order, verified. Throws `LedgerBroken`. */
export async function readLedger(store: ObjectStore, useCase: string): Promise<LedgerEntry[]> {
  return extendLedger(store, useCase, []);
}

/**
 * Appends what `decide` makes of the entries so far. When somebody else appends first, `decide` is asked again with the longer
 * ledger, so a decision is never taken on a state that has passed; it throws where its decision no longer holds.
 * Where an entry of that kind and `decisionId` is there already it is returned, and `decide` is not asked.
 */
export async function appendToLedger(
  { store, useCase, nowMs }: LedgerAt,
  id: Pick<Draft, 'kind' | 'decisionId'>,
  decide: (entries: readonly LedgerEntry[]) => Omit<Draft, 'kind' | 'decisionId'>,
): Promise<LedgerEntry> {
  let entries = await readLedger(store, useCase);
  for (;;) {
    const earlier = entries.find(({ kind, decisionId }) => kind === id.kind && decisionId === id.decisionId);
    if (earlier) return earlier;

    const entry = seal({ ...decide(entries), ...id }, entries.at(-1), nowMs);
    const key = entryKey(useCase, entry.sequence);
    const { created } = await store.putIfAbsent(key, encode(entry));
    if (created) return entry;
    // taken by another writer, or by our own write whose acknowledgement was lost: the next look tells which
    entries = await extendLedger(store, useCase, entries);
  }
}

/**
 * Every sign that entries were edited, dropped or reordered after they were written. Entries cut off the end leave a chain that
 * is whole in itself: they are found by an `anchor` noted elsewhere.
 */
export function verifyLedger(entries: readonly LedgerEntry[], anchor?: LedgerAnchor): LedgerFault[] {
  const faults: LedgerFault[] = [];
  const fault = (sequence: number, text: string) => faults.push({ sequence, fault: text });
  let previous: LedgerEntry | undefined;
  for (const entry of entries) {
    const expected = (previous?.sequence ?? 0) + 1;
    if (entry.sequence !== expected) fault(expected, `entry ${expected} is missing, entry ${entry.sequence} follows`);
    if (entry.previousHash !== (previous?.hash ?? genesisHash)) {
      fault(entry.sequence, `entry ${entry.sequence} does not follow from the entry before it`);
    }
    if (entry.hash !== hashOf(entry)) fault(entry.sequence, `entry ${entry.sequence} was edited after it was written`);
    previous = entry;
  }
  if (anchor && entries[anchor.sequence - 1]?.hash !== anchor.hash) {
    fault(anchor.sequence, `entry ${anchor.sequence} is not the one that was noted as the ledger's head`);
  }
  return faults;
}

/** Reads what lies behind the entries already known, and verifies the whole. */
async function extendLedger(
  store: ObjectStore,
  useCase: string,
  known: readonly LedgerEntry[],
): Promise<LedgerEntry[]> {
  const entries = [...known];
  const after = known.length > 0 ? entryKey(useCase, known.length) : undefined;
  for await (const { key } of store.list(`promotions/${useCase}/`, { after })) {
    const bytes = await store.get(key);
    if (!bytes) throw new LedgerBroken(`The promotion log entry ${key} was listed but cannot be read: it was deleted.`);
    entries.push(decode(key, bytes));
  }
  const [first] = verifyLedger(entries);
  if (first) {
    throw new LedgerBroken(
      `The promotion log of ${useCase} is broken: ${first.fault}. Nothing is promoted on it. ` +
        `Restore promotions/${useCase}/ from the bucket's version history, then run the verification again.`,
    );
  }
  return entries;
}

function seal(draft: Draft, previous: LedgerEntry | undefined, nowMs: number): LedgerEntry {
  const entry: LedgerEntry = {
    ...draft,
    format: 1,
    sequence: (previous?.sequence ?? 0) + 1,
    atMs: Math.max(nowMs, previous?.atMs ?? 0),
    previousHash: previous?.hash ?? genesisHash,
    hash: '',
  };
  return { ...entry, hash: hashOf(entry) };
}

function hashOf(entry: LedgerEntry): string {
  return sha256(canonicalJson({ ...entry, hash: null }));
}

function encode(entry: LedgerEntry): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(entry, null, 1)}\n`);
}

function decode(key: string, bytes: Uint8Array): LedgerEntry {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as LedgerEntry;
  } catch (error) {
    throw new LedgerBroken(`The promotion log entry ${key} is not readable as JSON: it was edited or cut short.`, {
      cause: error,
    });
  }
}

function entryKey(useCase: string, sequence: number): string {
  return `promotions/${useCase}/${String(sequence).padStart(8, '0')}.json`;
}
