import type { Contract, LookBack } from '../contract/contract.ts';
import { quoteName } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';
import type { Check } from './rules.ts';

/** What of a drop came later than usual. */
export type Late = {
  /** Rows that were taken though they came later than is usual, within the look-back. */
  rows: number;
  /** Whole days from what the oldest of them tells of until it came; null where there are none. */
  oldestDays: number | null;
  /** Rows from before the look-back, whatever the contract has become of them. */
  beyond: number;
};

type Of = { contract: Contract; arrivedAtMs: number };

/** The name of the check among the rules. */
export const lookBackRule = 'look-back';

/** That no row tells of what lies before the look-back; none where the contract has no look-back. */
export function lookBackChecks({ contract: { lookBack }, arrivedAtMs }: Of): Check[] {
  if (!lookBack) return [];
  const { from, to, mostDays, beyond } = lookBack;
  return [
    {
      name: lookBackRule,
      column: from,
      outcome: beyond,
      description: `${from} is at most ${mostDays} days before ${to ?? 'the file’s arrival'}`,
      broken: `${delayDays(lookBack, arrivedAtMs)} > ${mostDays}`,
    },
  ];
}

/** Counts the late rows of the table `accepted`; undefined where the contract has no look-back. */
export async function lateRows(
  sql: SqlEngine,
  { contract: { lookBack }, arrivedAtMs, beyond }: Of & { beyond: number },
): Promise<Late | undefined> {
  if (!lookBack) return undefined;
  const delay = delayDays(lookBack, arrivedAtMs);
  const [{ rows, oldest }] = (await sql.rows(`SELECT count(*) AS rows, max(delay) AS oldest
    FROM (SELECT ${delay} AS delay FROM accepted) WHERE delay > ${lookBack.onTimeDays} AND delay <= ${lookBack.mostDays}`)) as {
    rows: number;
    oldest: number | null;
  }[];
  return { rows, oldestDays: oldest === null ? null : Math.floor(oldest), beyond };
}

/** SQL: how long after what it tells of a row came. */
function delayDays({ from, to }: LookBack, arrivedAtMs: number): string {
  const came = to === undefined ? `${arrivedAtMs} / 1000` : `epoch(${quoteName(to)})`;
  return `((${came} - epoch(${quoteName(from)})) / 86400)`;
}
