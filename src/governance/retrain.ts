/** Why a retraining is asked for. */
export type RetrainCause = 'first-data' | 'schedule' | 'drift' | 'manual';

/** What is known when the question comes up. */
export type RetrainSituation = {
  cause: RetrainCause;
  /** Whoever is retraining just now, if anybody. */
  heldBy?: { holder: string; expiresAtMs: number };
  /** The version that is in shadow, if any is. */
  inShadow?: number;
  /** Version of the features table now, and the one that the newest model was trained on. */
  dataVersion: number;
  lastTrainedOn?: number;
  /** Whether enough votes or outcomes have come since: they teach something else of the same data. @default false */
  heardMore?: boolean;
};

/**
 * Whether to retrain: one answer for monthly, drift-triggered and manual retraining. A retraining under way is not joined by a
 * second one, and data that the newest model has already seen teach nothing, because the same data, code and seed give the same
 * model; only a person may insist, for code or declaration may have changed. While a version is in shadow, neither drift nor new
 * data ask for another one: it would take its place, and none would ever be seen for long enough.
 */
export function decideRetrain(situation: RetrainSituation): { start: boolean; reason: string } {
  const { cause, heldBy, inShadow, dataVersion, lastTrainedOn, heardMore = false } = situation;
  if (heldBy) {
    const until = new Date(heldBy.expiresAtMs).toISOString();
    return { start: false, reason: `Run ${heldBy.holder} is retraining already, until ${until} at the latest.` };
  }
  if (inShadow !== undefined && (cause === 'drift' || cause === 'first-data')) {
    return { start: false, reason: `Version ${inShadow} is in shadow: what is seen of it decides first.` };
  }
  if (cause !== 'manual' && lastTrainedOn !== undefined && dataVersion <= lastTrainedOn && !heardMore) {
    return {
      start: false,
      reason: `The newest model has been trained on data version ${lastTrainedOn} and there is nothing newer.`,
    };
  }
  return { start: true, reason: reasons[cause] };
}

const reasons: Record<RetrainCause, string> = {
  'first-data': 'There is no model yet.',
  schedule: 'The schedule asks for it and there is something new to learn.',
  drift: 'The monitor has found drift and there is something new to learn.',
  manual: 'A person asks for it.',
};
