import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import { type Response, measureUplift, minimumDetectableUplift, upliftOf } from '../../src/recommend/uplift.ts';

type Expected = {
  intervals: {
    sent: { members: number; responded: number };
    holdout: { members: number; responded: number };
    confidence: number;
    low: number;
    high: number;
  }[];
  detectable: { baseRate: number; sent: number; holdout: number; power: number; rise: number }[];
};
const path = new URL('../fixtures/uplift/expected.json', import.meta.url);
const expected = JSON.parse(readFileSync(path, 'utf8')) as Expected;

describe('the difference of two response rates', () => {
  test('has the interval that statsmodels gives it', () => {
    expect(expected.intervals.length).toBeGreaterThan(50);
    for (const { sent, holdout, confidence, low, high } of expected.intervals) {
      const { uplift } = upliftOf(sent, holdout, { confidence });
      expect(uplift!.difference.value).toBeCloseTo(
        sent.responded / sent.members - holdout.responded / holdout.members,
        12,
      );
      expect(uplift!.difference.low).toBeCloseTo(low, 10);
      expect(uplift!.difference.high).toBeCloseTo(high, 10);
    }
  });

  test('says what it could have seen, as statsmodels does', () => {
    for (const { baseRate, sent, holdout, power, rise } of expected.detectable) {
      const own = minimumDetectableUplift(baseRate, sent, holdout, { power });
      expect(Math.abs(own / rise - 1)).toBeLessThan(1e-4);
    }
  });

  test('cannot be seen where even a rate of 1 would not stand out', () => {
    expect(minimumDetectableUplift(0.9, 12, 11)).toBeNaN();
    expect(minimumDetectableUplift(0.9, 12_000, 11_000)).toBeGreaterThan(0);
  });

  test('is not told of groups of fewer than 11 members', () => {
    expect(upliftOf({ members: 400, responded: 40 }, { members: 10, responded: 3 })).toEqual({ tooFew: true });
    expect(upliftOf({ members: 10, responded: 4 }, { members: 400, responded: 40 })).toEqual({ tooFew: true });
    expect(upliftOf({ members: 11, responded: 0 }, { members: 11, responded: 0 }).uplift!.difference.value).toBe(0);
  });
});

describe('responses', () => {
  const response = (entityKey: string, offerId: string, group: Response['group'], responded: boolean): Response => ({
    entityKey,
    offerId,
    group,
    responded,
  });

  test('are counted by offer, and together by member', () => {
    const draw = random(5);
    const responses: Response[] = [];
    for (let i = 0; i < 600; i++) {
      const group = i % 10 === 0 ? 'holdout' : 'sent';
      // two offers each, of which either may have been answered, more often where it was sent
      for (const offer of ['FIT_001', 'PREV_001'])
        responses.push(response(`m${i}`, offer, group, draw.uniform() < (group === 'sent' ? 0.5 : 0.1)));
    }
    const { overall, offers } = measureUplift(draw.shuffle(responses));
    const naive = (group: string, offer?: string) => {
      const own = responses.filter((one) => one.group === group && (offer === undefined || one.offerId === offer));
      const answered = own.filter(({ responded }) => responded).map(({ entityKey }) => entityKey);
      return { members: new Set(own.map(({ entityKey }) => entityKey)).size, responded: new Set(answered).size };
    };
    expect(offers.map(({ offerId }) => offerId)).toEqual(['FIT_001', 'PREV_001']);
    for (const { offerId, result } of offers) {
      expect(result.uplift!.sent).toMatchObject(naive('sent', offerId));
      expect(result.uplift!.holdout).toMatchObject(naive('holdout', offerId));
      // two intervals that hold together at 95 % each hold at 97.5 %
      const { sent, holdout, difference } = result.uplift!;
      expect(difference).toEqual(upliftOf(sent, holdout, { confidence: 0.975 }).uplift!.difference);
      expect(difference.low).toBeGreaterThan(0);
    }
    expect(overall.uplift!.sent).toMatchObject(naive('sent'));
    expect(overall.uplift!.holdout).toMatchObject(naive('holdout'));
  });

  test('of a member on both sides are refused: then the salt was changed', () => {
    const both = [response('m', 'FIT_001', 'sent', true), response('m', 'PREV_001', 'holdout', false)];
    expect(() => measureUplift(both)).toThrow('the salt must not change');
  });

  test('of nobody make no measurement', () => {
    expect(measureUplift([])).toEqual({ overall: { tooFew: true }, offers: [] });
  });
});
