import type { Alias, LedgerEntry } from './ledger.ts';
import { genesisHash } from './ledger.ts';

/**
 * What the ledger says about its aliases. An alias is not stored anywhere: it is what the last entry that moved it says, so
 * "what was live at time T" is a question like any other.
 */

/** The version that the alias named at that time (by default now), or null where it named none yet. */
export function liveAt(entries: readonly LedgerEntry[], alias: Alias, timeMs = Infinity): number | null {
  return aliasHistory(entries, alias).findLast(({ atMs }) => atMs <= timeMs)?.version ?? null;
}

/**
 * The version that is in shadow: put there, and neither promoted nor refused nor barred since. The champion's own number ends it
 * too, so that a person can.
 */
export function shadowOf(entries: readonly LedgerEntry[]): number | null {
  const entry = aliasHistory(entries, 'shadow').at(-1);
  if (!entry || liveAt(entries, 'champion') === entry.version) return null;
  const decides = ({ kind, alias }: LedgerEntry) =>
    kind === 'tombstone' || (alias === 'champion' && kind !== 'declare');
  const later = entries.filter(({ sequence, version }) => sequence > entry.sequence && version === entry.version);
  return later.some(decides) ? null : entry.version;
}

/** The entries that moved the alias, in order. */
export function aliasHistory(entries: readonly LedgerEntry[], alias: Alias): LedgerEntry[] {
  return entries.filter((entry) => entry.alias === alias && (entry.kind === 'promote' || entry.kind === 'rollback'));
}

/**
 * The hash of the last entry that moved the alias: what a decision about the alias rests on. Entries that move nothing leave it
 * as it is, so that refusals do not make other decisions start again.
 */
export function aliasHead(entries: readonly LedgerEntry[], alias: Alias): string {
  return aliasHistory(entries, alias).at(-1)?.hash ?? genesisHash;
}

/** The versions that must never be live again. */
export function tombstoned(entries: readonly LedgerEntry[]): ReadonlySet<number> {
  return new Set(entries.filter(({ kind }) => kind === 'tombstone').map(({ version }) => version));
}

/**
 * The version to return to when the live one is left: promotions stack up, a rollback takes the top off, so that two rollbacks
 * go two versions back. Tombstoned versions are passed over. Null where none is left.
 */
export function rollbackTarget(entries: readonly LedgerEntry[], alias: Alias): number | null {
  const dead = tombstoned(entries);
  const stack: number[] = [];
  for (const { kind, version } of aliasHistory(entries, alias)) {
    if (kind === 'rollback') while (stack.length > 0 && stack.at(-1) !== version) stack.pop();
    else if (stack.at(-1) !== version) stack.push(version);
  }
  const live = stack.pop();
  return stack.findLast((version) => version !== live && !dead.has(version)) ?? null;
}
