import type { LedgerEntry } from '../../governance/ledger.ts';

/** Who decides about a version in a run, and under which id: one run decides about one version once. */
export function decisionOf({ runId, version }: { runId: string; version: number }): {
  actor: string;
  decisionId: string;
} {
  return { actor: `machine govern, run ${runId}`, decisionId: `${runId}/${version}` };
}

/** The ledger as it stood before that decision fell; all of it where it has not fallen yet. */
export function entriesBefore(entries: readonly LedgerEntry[], decisionId: string): readonly LedgerEntry[] {
  const own = entries.find(
    (entry) => entry.decisionId === decisionId && (entry.kind === 'promote' || entry.kind === 'refuse'),
  );
  return own ? entries.slice(0, own.sequence - 1) : entries;
}
