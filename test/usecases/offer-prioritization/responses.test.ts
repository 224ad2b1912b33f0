import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import { random } from '../../../src/ml/random.ts';
import { releasedContract } from '../../../src/privacy/de-identify.ts';
import { type Response, measureUplift } from '../../../src/recommend/uplift.ts';
import { generate } from '../../../usecases/offer-prioritization/generate.ts';
import { offers } from '../../../usecases/offer-prioritization/offers.ts';
import type { Member } from '../../../usecases/offer-prioritization/synthetic/member.ts';
import { liftOf, reactionOf } from '../../../usecases/offer-prioritization/synthetic/reactions.ts';
import { sentIn } from '../../../usecases/offer-prioritization/synthetic/sent.ts';
import { contractOf, toSilver } from '../silver.ts';
import { useCase } from './deliveries.ts';
import { membersOf, plantedUplift } from './planted.ts';

const sentAt = '2026-02-01T06:00:00.000Z';
const header = 'ContactId,CampaignCode,CampaignName,Priority,Score,Channel,Reason,RecommendationId,RecommendedAt';

/** Members of a generator's seed, four or five offers for each, and a tenth of them held out. */
function campaign({ members, seed }: { members: number; seed: number }) {
  const lists = membersOf({ members, seed }).map((member, index) => {
    const draw = random(`campaign ${seed}`).fork(index);
    const chosen = [...draw.sample(offers.length, 4 + draw.integer(2))].map((i) => offers[i].id);
    return { member, chosen, isHeld: draw.uniform() < 0.1 };
  });
  const records = lists.flatMap(({ member, chosen, isHeld }, i) =>
    isHeld
      ? []
      : chosen.map((offer, k) => {
          const id = `${i.toString(16).padStart(16, '0')}${k.toString(16).padStart(16, '0')}`;
          return `${member.id},${offer},"A name, quoted",${k + 1},80,email,"Said ""so"", and more.",${id},${sentAt}`;
        }),
  );
  return { lists, sent: `${[header, ...records].join('\r\n')}\r\n` };
}

const februaryOf = (values: { members: number; seed: number; sent: string; dirtShare?: number }) =>
  generate({ dirtShare: 0, month: '2026-02', monthsAfter: 1, ...values })[0];

const recordsOf = (bytes: Uint8Array) => {
  const [head, ...lines] = new TextDecoder().decode(bytes).trimEnd().split('\n');
  const columns = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((field, i) => [columns[i], field])));
};

describe('the effect that is planted', () => {
  test('lies within the interval of the measured uplift, together and of each offer, as often as it should', () => {
    let [within, offersWithin, offersMeasured] = [0, 0, 0];
    const worlds = 40;
    for (let seed = 1; seed <= worlds; seed++) {
      const { lists, sent } = campaign({ members: 300, seed });
      const responded = new Set(
        recordsOf(februaryOf({ members: 300, seed, sent }).bytes)
          .filter(({ outcome }) => outcome === 'responded')
          .map((row) => `${row['member_id']} ${row['offer_id']}`),
      );
      const responses = lists.flatMap(({ member, chosen, isHeld }) =>
        chosen.map((offerId): Response => ({
          entityKey: member.id,
          offerId,
          group: isHeld ? 'holdout' : 'sent',
          responded: responded.has(`${member.id} ${offerId}`),
        })),
      );
      const { overall, offers: each } = measureUplift(responses);
      const contacted = lists.filter(({ isHeld }) => !isHeld);
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const planted = mean(contacted.map(({ member, chosen }) => plantedUplift(member, chosen)));
      const { low, high } = overall.uplift!.difference;
      if (low <= planted && planted <= high) within++;
      expect(planted).toBeGreaterThan(0.2);
      for (const { offerId, result } of each) {
        if (!result.uplift) continue;
        const told = contacted.filter(({ chosen }) => chosen.includes(offerId));
        const ofOffer = mean(told.map(({ member }) => plantedUplift(member, [offerId])));
        offersMeasured++;
        if (result.uplift.difference.low <= ofOffer && ofOffer <= result.uplift.difference.high) offersWithin++;
      }
    }
    // 95 of 100, less four standard deviations of a binomial
    expect(within / worlds).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / worlds));
    expect(offersMeasured).toBeGreaterThan(50);
    expect(offersWithin / offersMeasured).toBeGreaterThan(0.95);
  });

  test('depends on need, and on a household’s liking that no rule asks for', () => {
    const { lists } = campaign({ members: 400, seed: 3 });
    const lift = (member: Member, changes: Partial<Member>, offer: string) =>
      liftOf(reactionOf({ ...member, ...changes }, offer));
    for (const { member } of lists) {
      expect(lift(member, { chronicConditions: 2 }, 'NAV_001')).toBeGreaterThan(
        lift(member, { chronicConditions: 0 }, 'NAV_001'),
      );
      expect(lift(member, { familySize: 4 }, 'MH_001')).toBeGreaterThan(3 * lift(member, { familySize: 1 }, 'MH_001'));
      expect(lift(member, { familySize: 1 }, 'PREV_001')).toBeGreaterThan(
        3 * lift(member, { familySize: 4 }, 'PREV_001'),
      );
    }
  });
});

describe('the file of responses', () => {
  const values = { members: 300, seed: 8 };
  const { sent } = campaign(values);
  let sql: SqlEngine;
  beforeAll(async () => {
    sql = await openSql({ threads: 2 });
  });
  afterAll(() => sql.close());

  test('is the same for the same seed, with a first record of all that was sent, and steps in their order', () => {
    const file = februaryOf({ ...values, sent });
    expect(februaryOf({ ...values, sent }).bytes).toEqual(file.bytes);
    const order = ['sent', 'opened', 'clicked', 'responded'];
    const byRecommendation = Map.groupBy(
      recordsOf(file.bytes).filter((row) => row['recommendation_id'] !== ''),
      (row) => row['recommendation_id'],
    );
    expect(byRecommendation.size).toBe([...sentIn(sent).values()].flat().length);
    for (const steps of byRecommendation.values()) {
      expect(steps.map(({ outcome }) => outcome)).toEqual(order.slice(0, steps.length));
      const times = steps.map((row) => Date.parse(row['occurred_at']));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times[0]).toBe(Date.parse(sentAt));
      expect(times.at(-1)).toBeLessThan(Date.parse('2026-03-01T00:00:00Z'));
    }
  });

  test('follows the offers, whatever ids a run gave to its recommendations', () => {
    const renamed = sent.replaceAll(/,([0-9a-f]{32}),/g, (_, id: string) => `,${id.slice(16)}${id.slice(0, 16)},`);
    expect(renamed).not.toBe(sent);
    const happened = (text: string) =>
      recordsOf(februaryOf({ ...values, sent: text }).bytes).map((row) =>
        ['member_id', 'offer_id', 'outcome', 'occurred_at'].map((column) => row[column]).join(),
      );
    expect(happened(renamed)).toEqual(happened(sent));
  });

  test('has what members did by themselves, of those too to whom nothing was sent', () => {
    const alone = recordsOf(februaryOf({ ...values, sent: '' }).bytes);
    expect(alone.length).toBeGreaterThan(50);
    expect(new Set(alone.map((row) => `${row['recommendation_id']} ${row['outcome']}`))).toEqual(
      new Set([' responded']),
    );
    const both = new Set(
      recordsOf(februaryOf({ ...values, sent }).bytes).map((row) => `${row['member_id']} ${row['occurred_at']}`),
    );
    for (const row of alone) expect(both.has(`${row['member_id']} ${row['occurred_at']}`)).toBe(true);
  });

  test('breaks its contract exactly where it is meant to', async () => {
    const file = februaryOf({ ...values, sent, dirtShare: 0.1 });
    const { counts, halts } = await toSilver(sql, useCase, file);
    const found = await sql.rows('SELECT rule, count(*) AS n FROM quarantined GROUP BY rule');
    expect(Object.fromEntries(found.map(({ rule, n }) => [rule, n]))).toEqual(file.dirt);
    expect(Object.keys(file.dirt)).toHaveLength(6);
    expect(counts.accepted + counts.quarantined).toBe(file.rows);
    expect(halts).toEqual([]);
  });

  test('has no field but codes and the times of records outside the PHI zone', () => {
    expect(releasedContract(contractOf(useCase, 'responses')).columns.map(({ name }) => name)).toEqual([
      'response_id',
      'recommendation_id',
      'member_id',
      'offer_id',
      'outcome',
      'occurred_at',
    ]);
  });

  test('takes no other file for what was sent', () => {
    expect(() => sentIn('member_id,offer\r\n1,2\r\n')).toThrow(
      'its header needs ContactId, CampaignCode, RecommendationId',
    );
  });
});
