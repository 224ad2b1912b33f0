import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import { applyOutcomes, outcomesQuery } from '../../src/recommend/outcomes.ts';
import { outcomeSteps } from '../../src/usecase/recommend.ts';
import { sampleRecommend } from './sample.ts';

const recommend = sampleRecommend();
const offers = recommend.offers.map(({ id }) => id);
const day = 86_400_000;
const start = Date.parse('2026-02-01T06:00:00Z');

type Recommendation = { id: string; member: string; offer: string; status: 'sent' | 'holdout'; at: number };
type Told = { id: string | null; member: string; offer: string; outcome: string; at: number };

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ threads: 1 });
});
afterAll(() => sql.close());

/** What the query makes of these, by recommendation. */
async function outcomes(made: readonly Recommendation[], told: readonly Told[], withinDays: number, knownDays: number) {
  const stamp = (at: number) => `make_timestamptz(${at} * 1000)`;
  const text = (value: string | null) => (value === null ? 'NULL::VARCHAR' : `'${value}'`);
  const nobody = { id: 'none', member: 'none', offer: 'none', at: start };
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE recommendations AS SELECT * FROM (VALUES ${[...made, { ...nobody, status: 'sent' }]
      .map(({ id, member, offer, status, at }) => `('${id}', '${member}', '${offer}', '${status}', ${stamp(at)})`)
      .join(', ')}) AS r(recommendation_id, member_id, offer_id, status, recommended_at)`,
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE responses AS SELECT * FROM (VALUES ${[...told, { ...nobody, outcome: 'sent' }]
      .map(({ id, member, offer, outcome, at }) => `(${text(id)}, '${member}', '${offer}', '${outcome}', ${stamp(at)})`)
      .join(', ')}) AS a(recommendation_id, member_id, offer_id, outcome, occurred_at)`,
  );
  const query = outcomesQuery(recommend, {
    recommendations: 'recommendations',
    responses: 'responses',
    key: 'member_id',
    withinMs: withinDays * day,
    knownUntilMs: start + knownDays * day,
  });
  const rows = await sql.rows(`${query} ORDER BY recommendation_id`);
  return rows.map(({ recommendation_id: id, offer, is_sent: isSent, step }) => [id, offer, isSent, step]);
}

/** The same by going through all records for each recommendation. */
function naively(made: readonly Recommendation[], told: readonly Told[], withinDays: number, knownDays: number) {
  return made
    .filter(({ at }) => at + withinDays * day <= start + knownDays * day)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((recommendation) => {
      const steps = told
        .filter(({ member, offer }) => member === recommendation.member && offer === recommendation.offer)
        .filter(({ at }) => at < recommendation.at + withinDays * day)
        .filter(({ id, at }) => (id === null ? at >= recommendation.at : id === recommendation.id))
        .map(({ outcome }) => outcomeSteps.indexOf(outcome as 'sent'));
      const step = steps.length === 0 ? null : Math.max(...steps);
      return [recommendation.id, offers.indexOf(recommendation.offer), recommendation.status === 'sent', step];
    });
}

describe('what came of a recommendation', () => {
  const ann = { id: 'a1', member: 'ann', offer: 'FIT_001', status: 'sent', at: start } as const;
  const told = (outcome: string, days: number, changes: Partial<Told> = {}): Told => ({
    id: 'a1',
    member: 'ann',
    offer: 'FIT_001',
    outcome,
    at: start + days * day,
    ...changes,
  });

  test('is the furthest step within its time, in whatever order the records stand', async () => {
    const records = [told('clicked', 3), told('opened', 2), told('sent', 0), told('responded', 28)];
    expect(await outcomes([ann], records, 28, 30)).toEqual([['a1', 2, true, 2]]);
    expect(await outcomes([ann], records, 29, 30)).toEqual([['a1', 2, true, 3]]);
  });

  test('is nothing before its time is over, nor before it is known what happened until then', async () => {
    expect(await outcomes([ann], [told('responded', 1)], 28, 27)).toEqual([]);
    expect(await outcomes([ann], [told('responded', 1)], 28, 28)).toEqual([['a1', 2, true, 3]]);
  });

  test('of the holdout is what members did by themselves, and that counts for contacted ones too', async () => {
    const held = { ...ann, id: 'b1', member: 'bob', status: 'holdout' } as const;
    const silent = { ...held, id: 'c1', member: 'cyd' };
    const alone = (member: string, days: number) => told('responded', days, { id: null, member });
    const records = [told('sent', 0), alone('ann', 5), alone('bob', 5), alone('cyd', -1)];
    expect(await outcomes([ann, held, silent], records, 28, 28)).toEqual([
      ['a1', 2, true, 3],
      ['b1', 2, false, 3],
      ['c1', 2, false, null],
    ]);
  });

  test('is found as a naive search finds it', async () => {
    const at = fc.integer({ min: 0, max: 12 }).map((days) => start + days * day);
    const member = fc.constantFrom('ann', 'bob');
    const offer = fc.constantFrom(...offers.slice(0, 2));
    const recommendation = fc.record({
      member,
      offer,
      at,
      status: fc.constantFrom('sent' as const, 'holdout' as const),
    });
    const record = fc.record({
      id: fc.option(fc.constantFrom('0', '1', '2', '3')),
      member,
      offer,
      outcome: fc.constantFrom(...outcomeSteps),
      at,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(recommendation, { maxLength: 4 }),
        fc.array(record, { maxLength: 8 }),
        fc.integer({ min: 1, max: 6 }),
        async (drawn, records, within) => {
          const made = drawn.map((one, i) => ({ ...one, id: String(i) }));
          expect(await outcomes(made, records, within, 10)).toEqual(naively(made, records, within, 10));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the next training', () => {
  const learnt = { points: { sent: 50, opened: 70, clicked: 90, responded: 100 }, share: 1, minimumOutcomes: 2 };
  // three rows of two offers; the last row is held for judging
  const data = {
    targets: Float64Array.of(11, 12, 21, 22, 31, 32),
    steps: Float64Array.of(NaN, 0, 3, 1, 2, 2),
    offers: 2,
  };

  test('gets what outcomes are worth in place of the labels of the rows it learns from, and no other', () => {
    const taught = applyOutcomes(learnt, data, [0, 1])!;
    expect([...taught.targets]).toEqual([11, 50, 100, 70, 31, 32]);
    expect(taught.moved).toBe(3);
    expect([...data.targets]).toEqual([11, 12, 21, 22, 31, 32]);
  });

  test('gets the declared share of that, and keeps the rest of the label', () => {
    const { targets } = applyOutcomes({ ...learnt, share: 0.25 }, data, [0, 1])!;
    expect([...targets]).toEqual([11, 0.75 * 12 + 0.25 * 50, 0.75 * 21 + 0.25 * 100, 0.75 * 22 + 0.25 * 70, 31, 32]);
  });

  test('learns nothing of fewer than declared, and does not count those that it is judged by', () => {
    expect(applyOutcomes({ ...learnt, minimumOutcomes: 4 }, data, [0, 1])).toBeNull();
    expect(applyOutcomes(learnt, data, [0])).toBeNull();
    expect(applyOutcomes(learnt, data, [1])!.moved).toBe(2);
  });

  test('takes outcomes of other rows than there are labels for no outcomes', () => {
    expect(() => applyOutcomes(learnt, { ...data, steps: data.steps.slice(2) }, [0])).toThrow(
      '4 outcomes for 6 labels',
    );
  });
});
