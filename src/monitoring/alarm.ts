import type { Verdict } from './verdict.ts';

/** The verdict of one monitoring window, as the history keeps it. */
export type WindowVerdict = Pick<Verdict, 'kind' | 'severity' | 'driftDetected'> & {
  /** What the window is called: its run or month. */
  window: string;
};

/** How many of how many windows must have drifted. */
export type AlarmRule = { needed: number; of: number };

/** Two of three: a chance finding does not repeat itself, a drift does. */
export const standardAlarmRule: AlarmRule = { needed: 2, of: 3 };

/** Whether the history calls for action; plain JSON. */
export type Alarm = {
  raised: boolean;
  /** The windows among the last ones that drifted, oldest first. */
  drifted: string[];
  /** The windows that were looked at, oldest first; those that could not be judged are passed over. */
  judged: string[];
  reason: string;
};

/**
 * Decides by the last windows together, given oldest first, whether drift is an alarm. Monthly tests at 5 % raise a false alarm
 * in 46 of 100 years; two of three windows do so in 5. A window that could not be judged (too few rows, bad data) neither confirms
 * nor refutes. What is critical does not wait for a second window.
 */
export function decideAlarm(history: readonly WindowVerdict[], rule: AlarmRule = standardAlarmRule): Alarm {
  const { needed, of } = rule;
  if (!(Number.isInteger(needed) && Number.isInteger(of) && needed >= 1 && needed <= of)) {
    throw new RangeError(`An alarm needs some of some windows, as in 2 of 3; the rule says ${needed} of ${of}.`);
  }
  const recent = history.filter(({ kind }) => kind !== 'insufficient-data' && kind !== 'bad-data').slice(-of);
  const drifted = recent.filter(({ driftDetected }) => driftDetected);
  const latest = recent.at(-1);
  const isCritical = latest !== undefined && latest.driftDetected && latest.severity === 'CRITICAL';
  const isRepeated = drifted.length >= needed && (latest?.driftDetected ?? false);
  return {
    raised: isCritical || isRepeated,
    drifted: drifted.map(({ window }) => window),
    judged: recent.map(({ window }) => window),
    reason: reasonOf(recent.length, drifted.length, { isCritical, isRepeated }, rule),
  };
}

function reasonOf(
  judged: number,
  drifted: number,
  { isCritical, isRepeated }: { isCritical: boolean; isRepeated: boolean },
  { needed, of }: AlarmRule,
): string {
  if (judged === 0) return 'No window could be judged yet.';
  const counted = `${drifted} of the last ${judged} judged ${judged === 1 ? 'window' : 'windows'} drifted`;
  if (isRepeated) return `${counted}; ${needed} of ${of} are an alarm.`;
  if (isCritical) return `${counted}, the last one critically, which does not wait for a second.`;
  if (drifted >= needed) return `${counted}, but not the last one: it is over.`;
  return `${counted}; an alarm needs ${needed} of ${of}.`;
}
