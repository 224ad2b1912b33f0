import { ArgumentError, ensureSameRows } from '../ml/ensure.ts';
import type { Recommend } from '../usecase/recommend.ts';

export const verdicts = ['approved', 'rejected', 'comment'] as const;

/** A reviewer's word on one recommendation. */
export type Feedback = {
  entityKey: string;
  offerId: string;
  verdict: (typeof verdicts)[number];
  reviewer: string;
  /** Milliseconds since 1970. */
  atMs: number;
  /** The run's recommendation that it is about. @default - any of that offer */
  recommendationId?: string;
};

/** A vote that counts: the last of its reviewer on that member and offer. */
export type Vote = Feedback & { verdict: 'approved' | 'rejected' };

/**
 * What is wrong with a record, one sentence each, without its values. The text of a comment is no part of the record: it stays
 * where it was dropped, in the PHI zone.
 */
export function feedbackFindings({ offers }: Recommend, feedback: Feedback, nowMs: number): string[] {
  const findings: string[] = [];
  if (feedback.entityKey === '') findings.push('the entity key is missing');
  if (feedback.reviewer === '') findings.push('the reviewer is missing');
  if (!offers.some(({ id }) => id === feedback.offerId))
    findings.push(`the offer is none of this use case: ${offers.map(({ id }) => id).join(', ')}`);
  if (!verdicts.includes(feedback.verdict)) findings.push(`the verdict is none of ${verdicts.join(', ')}`);
  if (!Number.isFinite(feedback.atMs)) findings.push('the time is missing');
  else if (feedback.atMs > nowMs) findings.push('the time lies in the future');
  if (feedback.recommendationId !== undefined && !/^[0-9a-f]{32}$/.test(feedback.recommendationId))
    findings.push('the recommendation id is not one: 32 hexadecimal digits');
  return findings;
}

/**
 * The votes that count at a time: of each reviewer the last one on a member and offer, approved or rejected; comments carry no
 * weight and replace no vote. Of two at the same instant the rejection counts. In the order of key, offer and reviewer.
 */
export function votesOf(feedback: Iterable<Feedback>, asOfMs: number): Vote[] {
  const latest = new Map<string, Vote>();
  for (const record of feedback) {
    if (!isVote(record) || !(record.atMs <= asOfMs)) continue;
    const name = JSON.stringify([record.entityKey, record.offerId, record.reviewer]);
    const earlier = latest.get(name);
    const newer = earlier === undefined || record.atMs > earlier.atMs;
    if (newer || (record.atMs === earlier.atMs && record.verdict === 'rejected')) latest.set(name, record);
  }
  return [...latest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, vote]) => vote);
}

export type FeedbackEffect = {
  /** rows × offers, row-major. */
  targets: Float64Array;
  /** One per row. */
  weights: Float64Array;
  /** Votes that changed a training row, and those on members who are not in it: held for judging, gone, or younger. */
  usedVotes: number;
  unusedVotes: number;
};

/**
 * What votes change of a training set: the label of that offer is shifted (several reviewers' shifts are averaged) and stays within
 * the range of scores, and the row gets the declared weight. Returns copies.
 *
 * `rows` are those that are trained on, AFTER the split: no other row is touched, so that a model is never judged by labels that
 * it was told. Of a member's rows the newest at or before the vote is meant: it is what the recommendation was made from.
 */
export function applyFeedback(
  { offers, scoreRange, feedback: effect }: Recommend,
  data: {
    keys: readonly string[];
    /** Milliseconds since 1970. */
    eventTimesMs: ArrayLike<number>;
    /** rows × offers, row-major. */
    targets: Float64Array;
    weights: Float64Array;
  },
  rows: ArrayLike<number>,
  votes: readonly Vote[],
): FeedbackEffect {
  const { keys, eventTimesMs, weights: given } = data;
  ensureSameRows({ keys, eventTimesMs, weights: given });
  if (data.targets.length !== keys.length * offers.length)
    throw new ArgumentError(
      `There are ${data.targets.length} labels for ${keys.length} rows and ${offers.length} offers.`,
    );
  const offerIndex = new Map(offers.map(({ id }, i) => [id, i]));
  const rowsOf = new Map<string, number[]>();
  const voted = new Set(votes.map(({ entityKey }) => entityKey));
  for (let i = 0; i < rows.length; i++) {
    const key = keys[rows[i]];
    if (!voted.has(key)) continue;
    const own = rowsOf.get(key);
    if (own) own.push(rows[i]);
    else rowsOf.set(key, [rows[i]]);
  }

  // the shifts on each label, as sum and number
  const shifts = new Map<number, { sum: number; count: number }>();
  let usedVotes = 0;
  for (const { entityKey, offerId, verdict, atMs } of votes) {
    const offer = offerIndex.get(offerId);
    const row = newestUntil(rowsOf.get(entityKey) ?? [], eventTimesMs, atMs);
    if (offer === undefined || row === undefined) continue;
    usedVotes++;
    const place = row * offers.length + offer;
    const shift = shifts.get(place) ?? { sum: 0, count: 0 };
    shift.sum += verdict === 'approved' ? effect.approvedShift : effect.rejectedShift;
    shift.count++;
    shifts.set(place, shift);
  }

  const targets = data.targets.slice();
  const weights = given.slice();
  const [low, high] = scoreRange;
  for (const [place, { sum, count }] of shifts) {
    targets[place] = Math.min(high, Math.max(low, targets[place] + sum / count));
    const row = Math.floor(place / offers.length);
    weights[row] = given[row] * effect.weight;
  }
  return { targets, weights, usedVotes, unusedVotes: votes.length - usedVotes };
}

/** Whether votes ask for a retraining: enough of them are younger than the data of the last one. */
export function feedbackRetrain(
  { feedback }: Recommend,
  votes: readonly Vote[],
  trainedAtMs: number,
): { retrain: boolean; newVotes: number; needed: number } {
  const newVotes = votes.filter(({ atMs }) => atMs > trainedAtMs).length;
  return { retrain: newVotes >= feedback.minimumRecords, newVotes, needed: feedback.minimumRecords };
}

function isVote(record: Feedback): record is Vote {
  return record.verdict === 'approved' || record.verdict === 'rejected';
}

function newestUntil(rows: readonly number[], timesMs: ArrayLike<number>, untilMs: number): number | undefined {
  let newest: number | undefined;
  for (const row of rows)
    if (timesMs[row] <= untilMs && (newest === undefined || timesMs[row] > timesMs[newest])) newest = row;
  return newest;
}
