import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type SequentialShare, type ShareLook, sequentialShares } from '../ml/stats/sequential-shares.ts';
import { experimentSchema } from '../usecase/experiment.ts';
import { aliasHistory, liveAt } from './aliases.ts';
import type { LedgerEntry } from './ledger.ts';

/*
 * A challenger on live traffic. It is an alias of the ledger like the champion: an experiment begins with the entry that makes a
 * version `challenger`, with the plan as its evidence, and ends with the entry that makes the champion its own challenger. All
 * that is decided on the way follows from the plan, the clock and counts.
 */

export type Arm = 'control' | 'challenger';

/** What is fixed before the first claim is split; its hash stands in the ledger. */
export const planSchema = experimentSchema.extend({ salt: z.string().min(8) });
export type ExperimentPlan = z.output<typeof planSchema>;

export type Experiment = { champion: number; challenger: number; startedAtMs: number; plan: ExperimentPlan };

/** The experiment that runs, by the ledger; null where none does. */
export function runningExperiment(entries: readonly LedgerEntry[]): Experiment | null {
  const champion = liveAt(entries, 'champion');
  const entry = aliasHistory(entries, 'challenger').at(-1);
  if (champion === null || entry === undefined || entry.version === champion) return null;
  const plan = planSchema.safeParse((entry.evidence as { experiment?: unknown } | null)?.experiment);
  return plan.success ? { champion, challenger: entry.version, startedAtMs: entry.atMs, plan: plan.data } : null;
}

/** The percent of the keys that the challenger has at that time. */
export function percentAt(
  { plan: { steps }, startedAtMs }: Pick<Experiment, 'plan' | 'startedAtMs'>,
  nowMs: number,
): number {
  let untilMs = startedAtMs;
  for (const { percent, hours } of steps) {
    untilMs += hours * 3_600_000;
    if (nowMs < untilMs) return percent;
  }
  return steps[steps.length - 1].percent;
}

/**
 * Whose claim it is: the first four hexadecimal digits of the SHA-256 of key and salt, modulo 100, below `percent` are the
 * challenger's. A key keeps its arm, and a larger percent only adds keys.
 */
export function armOf(key: string, salt: string, percent: number): Arm {
  if (percent <= 0) return 'control';
  const digest = createHash('sha256')
    .update(key + salt)
    .digest();
  return digest.readUInt16BE(0) % 100 < percent ? 'challenger' : 'control';
}

/** What one arm did so far. */
export type Tally = { decisions: number; errors: number; slow: number; positive: number };

export const noTally: Tally = { decisions: 0, errors: 0, slow: 0, positive: 0 };

/** Why the traffic must go back to control, in a sentence with its figures; null while all is well. */
export function brokenGuard({ guards }: ExperimentPlan, control: Tally, challenger: Tally): string | null {
  const { leastDecisions, errorShare, slow, positiveShare } = guards;
  if (Math.min(control.decisions, challenger.decisions) < leastDecisions) return null;
  const shares = (count: 'errors' | 'slow' | 'positive') =>
    [control[count] / control.decisions, challenger[count] / challenger.decisions] as const;

  const [errors, theirErrors] = shares('errors');
  if (theirErrors - errors > errorShare) {
    return `The challenger fails in ${text(theirErrors)} of its decisions, control in ${text(errors)}: more than ${text(errorShare)} apart.`;
  }
  const [, theirSlow] = shares('slow');
  if (theirSlow > slow.share) {
    return `The challenger takes longer than ${slow.milliseconds} ms in ${text(theirSlow)} of its decisions, ${text(slow.share)} are allowed.`;
  }
  const [positive, theirPositive] = shares('positive');
  if (Math.abs(theirPositive - positive) > positiveShare) {
    return `The challenger approves ${text(theirPositive)}, control ${text(positive)}: more than ${text(positiveShare)} apart.`;
  }
  return null;
}

const text = (share: number): string => `${(share * 100).toFixed(1)} %`;

export type Verdict = { verdict: 'open' | 'challenger better' | 'control better'; test: SequentialShare | null };

/**
 * What the matured outcomes say: successes are decisions that proved right. Each look brings new outcomes only; one may look as
 * often as one likes.
 */
export function judgeOutcomes({ test }: ExperimentPlan, looks: readonly ShareLook[]): Verdict {
  const result = sequentialShares(looks, test).at(-1) ?? null;
  if (!result?.significant) return { verdict: 'open', test: result };
  return { verdict: result.oddsRatio > 1 ? 'challenger better' : 'control better', test: result };
}
