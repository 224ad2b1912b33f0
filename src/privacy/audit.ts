import type { Json } from '../data/json.ts';
import { canonicalJson, sha256 } from '../governance/digest.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/**
 * The record of every use of a vault that undoes or ends a pseudonym: append-only, numbered without gaps, each entry carrying
 * the hash of the one before it. It names surrogates and never an identifier.
 */
export type AuditEntry = Audited & {
  format: 1;
  sequence: number;
  previousHash: string;
  hash: string;
};

/** What was done, to whom, by whom and why. */
export type Audited = {
  action: 'reidentify' | 'erase';
  surrogate: string;
  actor: string;
  reason: string;
  details: Json;
  /** Never before the entry before it, however the writers' clocks differ. */
  atMs: number;
};

/** An entry was edited or taken away after it was written. */
export class AuditBroken extends Error {
  override readonly name = 'AuditBroken';
}

const genesisHash = '0'.repeat(64);

/** All entries in order, verified. Throws `AuditBroken`. */
export async function readAudit(store: ObjectStore, prefix: string): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const { key } of store.list(`${prefix}/`)) {
    const bytes = await store.get(key);
    const entry = bytes && (JSON.parse(new TextDecoder().decode(bytes)) as AuditEntry);
    const expected = { sequence: entries.length + 1, previousHash: entries.at(-1)?.hash ?? genesisHash };
    if (
      entry?.sequence !== expected.sequence ||
      entry.previousHash !== expected.previousHash ||
      entry.hash !== hashOf(entry)
    ) {
      throw new AuditBroken(
        `The audit log entry ${key} was edited, or the one before it is gone: restore it from the version history.`,
      );
    }
    entries.push(entry);
  }
  return entries;
}

/** Appends an entry behind whatever others have appended meanwhile. */
export async function appendAudit(store: ObjectStore, prefix: string, audited: Audited): Promise<AuditEntry> {
  for (;;) {
    const last = (await readAudit(store, prefix)).at(-1);
    const draft: AuditEntry = {
      ...audited,
      format: 1,
      sequence: (last?.sequence ?? 0) + 1,
      atMs: Math.max(audited.atMs, last?.atMs ?? 0),
      previousHash: last?.hash ?? genesisHash,
      hash: '',
    };
    const entry = { ...draft, hash: hashOf(draft) };
    const key = `${prefix}/${String(entry.sequence).padStart(8, '0')}.json`;
    const { created } = await store.putIfAbsent(key, new TextEncoder().encode(`${JSON.stringify(entry)}\n`));
    if (created) return entry;
  }
}

const hashOf = (entry: AuditEntry): string => sha256(canonicalJson({ ...entry, hash: null }));
