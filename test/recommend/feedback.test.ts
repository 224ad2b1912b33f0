import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import {
  type Feedback,
  applyFeedback,
  feedbackFindings,
  feedbackRetrain,
  votesOf,
} from '../../src/recommend/feedback.ts';
import { sampleRecommend } from './sample.ts';

const recommend = sampleRecommend();
const offers = recommend.offers.map(({ id }) => id);
const now = Date.parse('2026-11-20T02:00:00Z');
const word = (changes: Partial<Feedback> = {}): Feedback => ({
  entityKey: 'ann',
  offerId: 'FIT_001',
  verdict: 'approved',
  reviewer: 'r1',
  atMs: now - 1000,
  ...changes,
});

describe('a record', () => {
  test('that is right has no findings', () => {
    expect(feedbackFindings(recommend, word(), now)).toEqual([]);
    expect(feedbackFindings(recommend, word({ recommendationId: 'a'.repeat(32), verdict: 'comment' }), now)).toEqual(
      [],
    );
  });

  test.each<[Partial<Feedback>, string]>([
    [{ entityKey: '' }, 'the entity key is missing'],
    [{ reviewer: '' }, 'the reviewer is missing'],
    [{ offerId: 'SECRET' }, 'the offer is none of this use case: PREV_001, PREV_002, FIT_001, FIT_002, COST_001'],
    [{ verdict: 'maybe' as 'comment' }, 'the verdict is none of approved, rejected, comment'],
    [{ atMs: NaN }, 'the time is missing'],
    [{ atMs: now + 1 }, 'the time lies in the future'],
    [{ recommendationId: 'SECRET' }, 'the recommendation id is not one: 32 hexadecimal digits'],
  ])('with %o is told so, without its value', (changes, finding) => {
    const findings = feedbackFindings(recommend, word(changes), now);
    expect(findings).toEqual([finding]);
    expect(findings.join()).not.toContain('SECRET');
  });
});

describe('votes', () => {
  test('the last of a reviewer on a member and offer counts, others beside it', () => {
    const first = word({ atMs: now - 3000 });
    const second = word({ atMs: now - 2000, verdict: 'rejected' });
    const others = [word({ reviewer: 'r2' }), word({ offerId: 'FIT_002' }), word({ entityKey: 'bob' })];
    expect(votesOf([second, ...others, first], now)).toEqual([second, others[0], others[1], others[2]]);
  });

  test('a comment weighs nothing and takes no vote back', () => {
    const vote = word({ atMs: now - 3000 });
    expect(votesOf([vote, word({ verdict: 'comment' })], now)).toEqual([vote]);
  });

  test('one of later than the moment in question is not known yet', () => {
    const late = word({ atMs: now - 10, verdict: 'rejected' });
    expect(votesOf([word(), late], now - 500)).toEqual([word()]);
  });

  test('do not depend on the order in which records come', () => {
    const record = fc.record({
      entityKey: fc.constantFrom('ann', 'bob'),
      offerId: fc.constantFrom('FIT_001', 'FIT_002'),
      verdict: fc.constantFrom('approved' as const, 'rejected' as const, 'comment' as const),
      reviewer: fc.constantFrom('r1', 'r2'),
      atMs: fc.integer({ min: now - 3, max: now + 1 }),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.nat(), (records, seed) => {
        const votes = votesOf(records, now);
        expect(votesOf(random(seed).shuffle([...records]), now)).toEqual(votes);
        expect(votesOf([...records, ...records], now)).toEqual(votes);
      }),
    );
  });
});

describe('the next training', () => {
  // two snapshots of each member; cyd is held for judging
  const keys = ['ann', 'bob', 'cyd', 'ann', 'bob', 'cyd'];
  const months = [Date.parse('2026-09-01'), Date.parse('2026-10-01')];
  const data = {
    keys,
    eventTimesMs: [0, 0, 0, 1, 1, 1].map((snapshot) => months[snapshot]),
    targets: new Float64Array(keys.length * offers.length).fill(50),
    weights: new Float64Array(keys.length).fill(1),
  };
  const trained = [0, 1, 3, 4];
  const at = (row: number, offer: string) => row * offers.length + offers.indexOf(offer);
  const changed = ({ targets }: { targets: Float64Array }) =>
    Object.fromEntries([...targets.entries()].filter(([, value]) => value !== 50));
  const vote = (changes: Partial<Feedback>) => votesOf([word(changes)], now)[0];

  test('gets +15 for an approval and −20 for a rejection, and counts those rows twice', () => {
    const votes = [vote({}), vote({ entityKey: 'bob', offerId: 'COST_001', verdict: 'rejected' })];
    const effect = applyFeedback(recommend, data, trained, votes);
    expect(changed(effect)).toEqual({ [at(3, 'FIT_001')]: 65, [at(4, 'COST_001')]: 30 });
    expect([...effect.weights]).toEqual([1, 1, 1, 2, 2, 1]);
    expect(effect).toMatchObject({ usedVotes: 2, unusedVotes: 0 });
  });

  test('touches no row outside the training set: what judges the model stays as it was', () => {
    const votes = keys.flatMap((entityKey) => offers.map((offerId) => vote({ entityKey, offerId })));
    const effect = applyFeedback(recommend, data, trained, votes);
    for (const row of [2, 5]) {
      const labels = effect.targets.slice(row * offers.length, (row + 1) * offers.length);
      expect(labels).toEqual(new Float64Array(offers.length).fill(50));
      expect(effect.weights[row]).toBe(1);
    }
    expect(effect).toMatchObject({ usedVotes: 20, unusedVotes: 10 });
  });

  test('does not change what it was given', () => {
    applyFeedback(recommend, data, trained, [vote({})]);
    expect(new Set(data.targets)).toEqual(new Set([50]));
    expect(new Set(data.weights)).toEqual(new Set([1]));
  });

  test('takes the snapshot that the recommendation was made from, not a later one', () => {
    const september = vote({ atMs: Date.parse('2026-09-15') });
    expect(changed(applyFeedback(recommend, data, trained, [september]))).toEqual({ [at(0, 'FIT_001')]: 65 });
    const before = vote({ atMs: Date.parse('2026-08-15') });
    expect(applyFeedback(recommend, data, trained, [before])).toMatchObject({ usedVotes: 0, unusedVotes: 1 });
  });

  test('averages reviewers who disagree', () => {
    const votes = [vote({}), vote({ reviewer: 'r2', verdict: 'rejected' })];
    const effect = applyFeedback(recommend, data, trained, votes);
    expect(changed(effect)).toEqual({ [at(3, 'FIT_001')]: 47.5 });
    expect(effect.weights[3]).toBe(2);
  });

  test.each([
    [95, 'approved', 100],
    [8, 'rejected', 0],
  ] as const)('a label of %d that is %s ends at %d', (label, verdict, end) => {
    const edge = { ...data, targets: new Float64Array(keys.length * offers.length).fill(label) };
    expect(applyFeedback(recommend, edge, trained, [vote({ verdict })]).targets[at(3, 'FIT_001')]).toBe(end);
  });

  test('is asked for after ten new votes, and not after nine', () => {
    const votes = (n: number) =>
      votesOf(
        Array.from({ length: n }, (_, i) => word({ entityKey: `m${i}` })),
        now,
      );
    expect(feedbackRetrain(recommend, votes(10), now - 5000)).toEqual({ retrain: true, newVotes: 10, needed: 10 });
    expect(feedbackRetrain(recommend, votes(9), now - 5000)).toEqual({ retrain: false, newVotes: 9, needed: 10 });
    expect(feedbackRetrain(recommend, votes(40), now).retrain).toBe(false);
  });
});
