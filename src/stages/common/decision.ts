import type { LedgerEntry } from '../../governance/ledger.ts';

/**
 * Who decides about a version in a run, and under which id: one run decides about one version once, and once more on what was seen
 * of it in shadow.
 */
export function decisionOf({
  runId,
  version,
  evidence,
}: {
  runId: string;
  version: number;
  evidence?: string | null | undefined;
}): { actor: string; decisionId: string } {
  const seen = evidence ? `/${evidence.split('/').at(-1)!}` : '';
  return { actor: actorOf(runId), decisionId: `${runId}/${version}${seen}` };
}

export const actorOf = (runId: string) => `machine govern, run ${runId}`;

/** The ledger as it stood before that decision fell; all of it where it has not fallen yet. */
export function entriesBefore(entries: readonly LedgerEntry[], decisionId: string): readonly LedgerEntry[] {
  const own = entries.find(
    (entry) => entry.decisionId === decisionId && (entry.kind === 'promote' || entry.kind === 'refuse'),
  );
  return own ? entries.slice(0, own.sequence - 1) : entries;
}
