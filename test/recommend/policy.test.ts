import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import { policyCounts } from '../../src/recommend/funnel.ts';
import {
  type PolicyInput,
  type PolicyOutcome,
  applyPolicy,
  noChannel,
  policyRules,
  recommended,
} from '../../src/recommend/policy.ts';
import type { Recommend } from '../../src/usecase/recommend.ts';
import { type Contact, type Decided, type Member, naivePolicy } from './naive-policy.ts';
import { sampleRecommend } from './sample.ts';

const at = new Date('2026-11-20T02:00:00Z');

function inputOf(recommend: Recommend, members: Member[], history: Contact[]): PolicyInput {
  // as the SQL joins them: those with others are not among them
  const contacts = history.filter(({ key }) => members.some((member) => member.key === key));
  const channels = Object.keys(recommend.consent);
  const flags = (of: (member: Member) => boolean) => Uint8Array.from(members, (member) => Number(of(member)));
  return {
    keys: members.map(({ key }) => key),
    scores: Float64Array.from(members.flatMap(({ scores }) => recommend.offers.map(({ id }) => scores[id]))),
    eligible: Object.fromEntries(recommend.offers.map(({ id }) => [id, flags(({ eligible }) => eligible[id])])),
    consent: Object.fromEntries(
      Object.keys(recommend.consent).map((channel) => [channel, flags(({ consent }) => consent[channel])]),
    ),
    contacts: {
      rows: contacts.map(({ key }) => members.findIndex((member) => member.key === key)),
      offers: contacts.map(({ offer }) => recommend.offers.findIndex(({ id }) => id === offer)),
      channels: contacts.map(({ channel }) => channels.indexOf(channel)),
      atMs: contacts.map((contact) => contact.at.getTime()),
    },
    asOfMs: at.getTime(),
  };
}

function decisions(recommend: Recommend, { keys }: PolicyInput, outcome: PolicyOutcome): Decided[] {
  const channels = Object.keys(recommend.consent);
  return keys.flatMap((key, row) =>
    recommend.offers.map(({ id }, offer) => {
      const pair = row * recommend.offers.length + offer;
      const channel = outcome.channel[pair];
      return {
        key,
        offer: id,
        rule: outcome.rule[pair] === recommended ? 'sent' : policyRules[outcome.rule[pair]],
        ...(channel !== noChannel && { channel: channels[channel] }),
        weighted: outcome.weighted[pair],
      };
    }),
  );
}

const ids = sampleRecommend().offers.map(({ id }) => id);
const someone = (changes: Partial<Member> = {}): Member => ({
  key: 'a-member-of-the-treated',
  scores: Object.fromEntries(ids.map((id, i) => [id, 90 - i])),
  eligible: Object.fromEntries(ids.map((id) => [id, true])),
  consent: { email: true, sms: true, mail: true },
  ...changes,
});

function decide(recommend: Recommend, members: Member[], contacts: Contact[] = []): { [offer: string]: string } {
  const input = inputOf(recommend, members, contacts);
  const found = decisions(recommend, input, applyPolicy(recommend, input));
  return Object.fromEntries(
    found.map(({ key, offer, rule }) => [members.length > 1 ? `${key} ${offer}` : offer, rule]),
  );
}

const daysAgo = (days: number) => new Date(at.getTime() - days * 86_400_000);

// ---- every declaration, every member

const flag = fc.boolean();
const member = (i: number): fc.Arbitrary<Member> =>
  fc.record({
    key: fc.constant(`member-${i}`),
    // whole scores make ties, the outer ones leave the range
    scores: fc.record(Object.fromEntries(ids.map((id) => [id, fc.integer({ min: -2, max: 11 }).map((n) => n * 10)]))),
    eligible: fc.record(Object.fromEntries(ids.map((id) => [id, flag]))),
    consent: fc.record({ email: flag, sms: flag, mail: flag }),
  });
const contact = (members: number): fc.Arbitrary<Contact> =>
  fc.record({
    key: fc.nat(members + 1).map((i) => `member-${i}`),
    offer: fc.constantFrom(...ids, 'OLD_001'),
    channel: fc.constantFrom('email', 'sms', 'mail', 'fax'),
    at: fc.integer({ min: -5, max: 40 * 24 }).map((hours) => new Date(at.getTime() - hours * 3_600_000)),
  });
const scenario = fc
  .record({
    members: fc.integer({ min: 0, max: 9 }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => member(i)))),
    contacts: fc.array(contact(9), { maxLength: 40 }),
    top: fc.integer({ min: 1, max: 5 }),
    perCategory: fc.integer({ min: 1, max: 3 }),
    perMonth: fc.integer({ min: 1, max: 6 }),
    excluded: fc.subarray(['fitness', 'cost_savings']),
    cooldownDays: fc.constantFrom(0, 1, 30),
    share: fc.constantFrom(0, 0.3, 0.5),
    perRunUsd: fc.option(fc.integer({ min: 1, max: 900 }).map((cents) => cents / 100)),
  })
  .map(({ members, contacts, top, perCategory, perMonth, excluded, cooldownDays, share, perRunUsd }) => {
    const recommend = sampleRecommend({
      top,
      caps: { perCategory, perMonth },
      excludedCategories: excluded,
      holdout: { share, salt: 'spring' },
      ...(perRunUsd !== null && { budget: { perRunUsd, costPerContactUsd: { email: 0.02, sms: 0.1, mail: 1.15 } } }),
    });
    return {
      recommend: { ...recommend, offers: recommend.offers.map((offer) => ({ ...offer, cooldownDays })) },
      members,
      contacts,
    };
  });

describe('every member and every offer', () => {
  test('is decided as by the naive twin', () => {
    fc.assert(
      fc.property(scenario, ({ recommend, members, contacts }) => {
        const input = inputOf(recommend, members, contacts);
        const sorted = (list: Decided[]) => list.toSorted((a, b) => (a.key + a.offer < b.key + b.offer ? -1 : 1));
        expect(sorted(decisions(recommend, input, applyPolicy(recommend, input)))).toEqual(
          sorted(naivePolicy(recommend, members, contacts, at)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('keeps consent, caps and budget, whatever the input', () => {
    fc.assert(
      fc.property(scenario, ({ recommend, members, contacts }) => {
        const input = inputOf(recommend, members, contacts);
        const outcome = applyPolicy(recommend, input);
        const sent = decisions(recommend, input, outcome).filter(({ rule }) => rule === 'sent');
        for (const { key, channel } of sent)
          expect(members.find((one) => one.key === key)!.consent[channel!]).toBe(true);

        let cents = 0;
        for (const { channel } of sent) cents += { email: 2, sms: 10, mail: 115 }[channel!]!;
        expect(cents).toBeLessThanOrEqual(Math.round((recommend.budget?.perRunUsd ?? Infinity) * 100));
        expect(outcome.spentUsd).toBeCloseTo(recommend.budget ? cents / 100 : 0, 9);

        for (const { key } of members) {
          const own = sent.filter((pair) => pair.key === key);
          const categories = own.map(({ offer }) => recommend.offers.find(({ id }) => id === offer)!.category);
          for (const category of categories)
            expect(categories.filter((other) => other === category).length).toBeLessThanOrEqual(
              recommend.caps.perCategory,
            );
          const earlier = contacts.filter(
            (one) => one.key === key && one.at <= at && one.at.toISOString().startsWith('2026-11'),
          );
          const most = own.length === 0 ? Infinity : recommend.caps.perMonth;
          expect(own.length + earlier.length).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is accounted for exactly once, in the counts too', () => {
    fc.assert(
      fc.property(scenario, ({ recommend, members, contacts }) => {
        const counts = policyCounts(recommend, applyPolicy(recommend, inputOf(recommend, members, contacts)));
        const [first, ...later] = counts.steps;
        const removed = Object.values(counts.removed).reduce((sum, pairs) => sum + pairs, 0);
        expect(first).toEqual({ name: 'candidates', pairs: members.length * ids.length, members: members.length });
        expect(removed + later.at(-1)!.pairs).toBe(first.pairs);
        later.forEach((step, i) => {
          expect(step.pairs).toBeLessThanOrEqual(counts.steps[i].pairs);
          expect(step.members).toBeLessThanOrEqual(counts.steps[i].members);
        });
        expect(counts.offers.reduce((sum, { sent }) => sum + sent, 0)).toBe(later.at(-1)!.pairs);
      }),
      { numRuns: 100 },
    );
  });

  test('is decided alike in whatever order members and contacts come', () => {
    fc.assert(
      fc.property(scenario, fc.nat(), ({ recommend, members, contacts }, seed) => {
        const draw = random(seed);
        const [first, second] = [
          [members, contacts] as const,
          [draw.shuffle([...members]), draw.shuffle([...contacts])] as const,
        ].map(([members, contacts]) => {
          const input = inputOf(recommend, members, contacts);
          const found = decisions(recommend, input, applyPolicy(recommend, input));
          return found.toSorted((a, b) => (a.key + a.offer < b.key + b.offer ? -1 : 1));
        });
        expect(second).toEqual(first);
      }),
      { numRuns: 50 },
    );
  });

  test('has the ranks 1, 2, 3 … over what is left, by weighted score', () => {
    fc.assert(
      fc.property(scenario, ({ recommend, members, contacts }) => {
        const { rank, rule, weighted } = applyPolicy(recommend, inputOf(recommend, members, contacts));
        members.forEach((_, row) => {
          const pairs = ids.map((_, offer) => row * ids.length + offer);
          const ranked = pairs.filter((pair) => rank[pair] > 0).sort((a, b) => rank[a] - rank[b]);
          expect(ranked.map((pair) => rank[pair])).toEqual(ranked.map((_, i) => i + 1));
          const kept = pairs.filter((pair) => rule[pair] >= policyRules.indexOf('holdout'));
          expect(new Set(ranked)).toEqual(new Set(kept));
          for (let i = 1; i < ranked.length; i++)
            expect(weighted[ranked[i]]).toBeLessThanOrEqual(weighted[ranked[i - 1]]);
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('the first rule that says no is the reason', () => {
  const open = sampleRecommend({ top: 5, caps: { perCategory: 5, perMonth: 9 }, holdout: { share: 0, salt: 's' } });

  test('an offer that several rules would remove', () => {
    const nobody = someone({
      scores: Object.fromEntries(ids.map((id) => [id, 5])),
      eligible: Object.fromEntries(ids.map((id) => [id, false])),
      consent: { email: false, sms: false, mail: false },
    });
    expect(decide({ ...open, excludedCategories: ['fitness'] }, [nobody])).toEqual({
      PREV_001: 'below-minimum-score',
      PREV_002: 'not-eligible',
      FIT_001: 'excluded-category',
      FIT_002: 'excluded-category',
      COST_001: 'below-minimum-score',
    });
  });

  test('a score exactly at the minimum is enough', () => {
    const scores = { PREV_001: 30, PREV_002: 29.999, FIT_001: 300, FIT_002: -1, COST_001: 30 };
    expect(decide(open, [someone({ scores })])).toEqual({
      PREV_001: 'sent',
      PREV_002: 'below-minimum-score',
      FIT_001: 'sent',
      FIT_002: 'below-minimum-score',
      COST_001: 'sent',
    });
  });

  test('a weight decides between offers and is no part of the minimum', () => {
    // 50 × 1.3 = 65 before 60 × 1; 33 × 0.9 is below 30 and stays
    const scores = { PREV_001: 0, PREV_002: 50, FIT_001: 33, FIT_002: 0, COST_001: 60 };
    const recommend = { ...open, top: 1 };
    expect(decide(recommend, [someone({ scores })])).toMatchObject({ PREV_002: 'sent', COST_001: 'beyond-top' });
    expect(decide(open, [someone({ scores })])['FIT_001']).toBe('sent');
  });

  test('of equal weighted scores the offer declared first comes first', () => {
    // 75 × 1.2 = 100 × 0.9 = 90 × 1
    const scores = { PREV_001: 75, PREV_002: 0, FIT_001: 100, FIT_002: 0, COST_001: 90 };
    const recommend = { ...open, top: 2 };
    expect(decide(recommend, [someone({ scores })])).toMatchObject({
      PREV_001: 'sent',
      FIT_001: 'sent',
      COST_001: 'beyond-top',
    });
  });

  test('of a category with more than its share the weaker offers go', () => {
    expect(decide({ ...open, caps: { perCategory: 1, perMonth: 9 } }, [someone()])).toEqual({
      PREV_001: 'category-cap',
      PREV_002: 'sent',
      FIT_001: 'category-cap',
      FIT_002: 'sent',
      COST_001: 'sent',
    });
  });
});

describe('cooldown is counted in days, for each offer and channel', () => {
  const open = sampleRecommend({ top: 5, caps: { perCategory: 5, perMonth: 9 }, holdout: { share: 0, salt: 's' } });
  const after = (days: number, channel = 'mail', offer = 'PREV_002') =>
    decide(open, [someone()], [{ key: someone().key, offer, channel, at: daysAgo(days) }])['PREV_002'];

  test('it lasts to the last day and no longer', () => {
    expect([0, 1, 29].map((days) => after(days))).toEqual(['cooldown', 'cooldown', 'cooldown']);
    expect([30, 31].map((days) => after(days))).toEqual(['sent', 'sent']);
  });

  test('a contact later in the day of a month ago does not delay the run', () => {
    expect(after(30 - 0.5)).toBe('sent');
  });

  test('another offer, another channel or another member is none of it', () => {
    expect(after(1, 'sms')).toBe('sent');
    expect(after(1, 'mail', 'PREV_001')).toBe('sent');
  });

  test('where one channel cools down the next one is taken', () => {
    const input = inputOf(
      open,
      [someone()],
      [{ key: someone().key, offer: 'PREV_001', channel: 'email', at: daysAgo(3) }],
    );
    const [first] = decisions(open, input, applyPolicy(open, input));
    expect(first).toMatchObject({ offer: 'PREV_001', rule: 'sent', channel: 'sms' });
  });
});

describe('the month', () => {
  const recommend = sampleRecommend({
    top: 5,
    caps: { perCategory: 5, perMonth: 3 },
    holdout: { share: 0, salt: 's' },
  });
  const sent = (contacts: Contact[]) =>
    Object.values(decide(recommend, [someone()], contacts)).filter((rule) => rule === 'sent').length;
  const earlier = (day: string): Contact => ({
    key: someone().key,
    offer: 'OLD_001',
    channel: 'phone',
    at: new Date(day),
  });

  test('counts contacts of any kind since its first second, and none of the month before', () => {
    expect(sent([earlier('2026-11-01T00:00:00Z'), earlier('2026-11-19T12:00:00Z')])).toBe(1);
    expect(sent([earlier('2026-10-31T23:59:59Z')])).toBe(3);
    expect(sent([earlier('2026-11-20T02:00:01Z')])).toBe(3);
  });
});

describe('the holdout', () => {
  const recommend = sampleRecommend({ holdout: { share: 0.05, salt: 'autumn' } });
  const many = (n: number) => Array.from({ length: n }, (_, i) => someone({ key: `m${i}` }));
  const heldIn = (declared: Recommend, members: Member[]) =>
    applyPolicy(declared, inputOf(declared, members, [])).holdout;

  test('is about its share, the same members however many come, and others under another salt', () => {
    const held = heldIn(recommend, many(4000));
    const share = held.reduce((sum, one) => sum + one, 0) / 4000;
    // 4 standard errors of a share of 5 %
    expect(Math.abs(share - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / 4000));
    expect(heldIn(recommend, many(500))).toEqual(held.slice(0, 500));
    const resalted = heldIn(sampleRecommend({ holdout: { share: 0.05, salt: 'winter' } }), many(4000));
    expect(resalted).not.toEqual(held);
  });

  test('never costs anything and gets the ranks that it would have had', () => {
    const members = many(300);
    const all = sampleRecommend({
      holdout: { share: 0.5, salt: 'autumn' },
      budget: { perRunUsd: 1e6, costPerContactUsd: { email: 1, sms: 1, mail: 1 } },
    });
    const { rule, rank, spentUsd, holdout } = applyPolicy(all, inputOf(all, members, []));
    expect(spentUsd).toBe(rule.filter((one) => one === recommended).length);
    members.forEach((_, row) => {
      const own = rank.slice(row * ids.length, (row + 1) * ids.length);
      expect(own.toSorted()).toEqual(Uint8Array.of(0, 0, 1, 2, 3));
      const ended = new Set(rule.slice(row * ids.length, (row + 1) * ids.length));
      expect(ended.has(recommended)).toBe(!holdout[row]);
    });
  });

  test('would have been sent under a short budget as often as the others are', () => {
    const members = Array.from({ length: 6000 }, (_, i) => {
      const draw = random(`member ${i}`);
      return someone({ key: `m${i}`, scores: Object.fromEntries(ids.map((id) => [id, 40 + draw.integer(5) * 10])) });
    });
    const short = sampleRecommend({
      holdout: { share: 0.5, salt: 'autumn' },
      budget: { perRunUsd: 3000, costPerContactUsd: { email: 1, sms: 1, mail: 1 } },
    });
    const { rule, holdout } = applyPolicy(short, inputOf(short, members, []));
    const perMember = [0, 1].map((side) => {
      const ended = side ? policyRules.indexOf('holdout') : recommended;
      return rule.filter((one) => one === ended).length / holdout.filter((one) => one === side).length;
    });
    expect(perMember[0] / perMember[1]).toBeGreaterThan(0.93);
    expect(perMember[0] / perMember[1]).toBeLessThan(1.07);
  });
});

describe('input that does not fit', () => {
  const recommend = sampleRecommend();
  const input = inputOf(recommend, [someone()], []);

  test.each<[string, Partial<PolicyInput>, string]>([
    ['too few scores', { scores: new Float64Array(3) }, '3 scores for 1 rows and 5 offers'],
    ['a score that is no number', { scores: new Float64Array(5).fill(NaN) }, 'scores is not a finite number in row 0'],
    ['consent that nobody asked for', { consent: { email: [1], mail: [1] } }, 'no values of consent to sms for 1 rows'],
    [
      'eligibility of other rows',
      { eligible: { PREV_002: [1, 1] } },
      '2 values of eligibility for PREV_002 for 1 rows',
    ],
  ])('%s is refused', (_, change, message) => {
    expect(() => applyPolicy(recommend, { ...input, ...change })).toThrow(message);
  });

  test('a contact with nobody is refused', () => {
    const contacts = { rows: [1], offers: [0], channels: [0], atMs: [0] };
    expect(() => applyPolicy(recommend, { ...input, contacts })).toThrow('Contact 0 is with row 1 of 1 rows');
  });
});
