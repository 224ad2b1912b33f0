import { tableFromArrays } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import { contactsQuery } from '../../src/recommend/contacts.ts';
import { type PolicyOutcome, applyPolicy } from '../../src/recommend/policy.ts';
import {
  pairTable,
  policyColumns,
  policySelection,
  recommendationId,
  recommendationsQuery,
  removalsQuery,
} from '../../src/recommend/tables.ts';
import { sampleRecommend } from './sample.ts';

const recommend = sampleRecommend({ holdout: { share: 0.3, salt: 'autumn' } });
const keys = ['ann', 'bob', 'cyd', "d'or", 'eve', 'fay'];
const query = { pairs: 'pairs', members: 'members', key: 'member_id', runId: 'run-7' };

let sql: SqlEngine;
let outcome: PolicyOutcome;
beforeAll(async () => {
  sql = await openSql();
  await sql.insert(
    'members',
    tableFromArrays({ _row: Int32Array.from(keys, (_, i) => i + 1), member_id: keys, age: [39, 40, 41, 70, 18, null] }),
  );
  // consent is a word for one, a number for another, and unknown for the last two
  await sql.run(`CREATE TEMP TABLE features AS SELECT *,
    CASE WHEN _row < 5 THEN true END AS consents_email, (_row > 1)::INTEGER AS consents_sms, true AS consents_mail
    FROM members`);
  const rows = await sql.query(`SELECT ${policySelection(recommend).join(', ')} FROM features ORDER BY _row`);
  outcome = applyPolicy(recommend, {
    keys,
    scores: Float64Array.from({ length: 30 }, (_, i) => 20 + ((i * 37) % 80)),
    ...policyColumns(recommend, rows),
    contacts: { rows: [], offers: [], channels: [], atMs: [] },
    asOfMs: Date.parse('2026-11-20T02:00:00Z'),
  });
  await sql.insert('pairs', pairTable(outcome));
});
afterAll(() => sql.close());

describe('what the policy asks of the feature table', () => {
  test('is a truth value for each condition and channel, and unknown is no', async () => {
    const rows = await sql.query(`SELECT ${policySelection(recommend).join(', ')} FROM features ORDER BY _row`);
    expect(policyColumns(recommend, rows)).toEqual({
      eligible: { PREV_002: Uint8Array.of(0, 1, 1, 1, 0, 0) },
      consent: {
        email: Uint8Array.of(1, 1, 1, 1, 0, 0),
        sms: Uint8Array.of(0, 1, 1, 1, 1, 1),
        mail: Uint8Array.of(1, 1, 1, 1, 1, 1),
      },
    });
  });
});

describe('the history of contacts', () => {
  const asOfMs = Date.parse('2026-11-20T02:00:00Z');
  const names = { contacts: 'history', members: 'members', key: 'member_id', asOfMs };
  const found = async (declared = recommend) =>
    (await sql.rows(`${contactsQuery(declared, names)} ORDER BY row, at_ms`)).map((row) => ({
      ...row,
      at_ms: new Date(row['at_ms'] as number).toISOString().slice(0, 16),
    }));
  beforeAll(async () => {
    await sql.run(`CREATE TEMP TABLE history AS SELECT * FROM (VALUES
      ('bob', 'FIT_001', 'sms', TIMESTAMP '2026-11-03 10:30:00'),
      ('d''or', 'OLD_001', 'fax', TIMESTAMP '2026-11-19 00:00:00'),
      ('somebody else', 'FIT_001', 'sms', TIMESTAMP '2026-11-03 10:30:00'),
      ('ann', 'COST_001', 'email', TIMESTAMP '2026-10-21 00:00:00'),
      ('ann', 'COST_001', 'email', TIMESTAMP '2026-10-20 23:59:00'),
      ('ann', 'COST_001', 'email', TIMESTAMP '2026-11-20 02:01:00'),
      ('ann', 'COST_001', 'email', NULL)) AS h(member_id, offer_id, channel, contacted_at)`);
  });

  test('is read for the members in question, offers and channels of today as indices', async () => {
    expect(await found()).toEqual([
      { row: 0, offer: 4, channel: 0, at_ms: '2026-10-21T00:00' },
      { row: 1, offer: 2, channel: 1, at_ms: '2026-11-03T10:30' },
      { row: 3, offer: -1, channel: -1, at_ms: '2026-11-19T00:00' },
    ]);
  });

  test('reaches back to the first of the month where no cooldown is longer', async () => {
    const brief = { ...recommend, offers: recommend.offers.map((offer) => ({ ...offer, cooldownDays: 2 })) };
    expect((await found(brief)).map(({ at_ms }) => at_ms)).toEqual(['2026-11-03T10:30', '2026-11-19T00:00']);
  });
});

describe('what comes out', () => {
  test('is every pair once: recommended, or removed with its rule', async () => {
    const pairs = await sql.rows(`SELECT member_id, offer_id, count(*) AS times FROM (
      SELECT member_id, offer_id FROM (${recommendationsQuery(recommend, query)})
      UNION ALL SELECT member_id, offer_id FROM (${removalsQuery(recommend, query)})) GROUP BY ALL`);
    expect(pairs).toHaveLength(30);
    expect(new Set(pairs.map(({ times }) => times))).toEqual(new Set([1]));
  });

  test('carries the score, the weight and their product side by side, with names and channel', async () => {
    const rows = await sql.rows(recommendationsQuery(recommend, query));
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      const { id, name, category, description, priorityWeight, channels } = recommend.offers.find(
        (offer) => offer.id === row['offer_id'],
      )!;
      expect(row).toMatchObject({
        offer_name: name,
        category,
        description,
        priority_weight: priorityWeight,
        weighted_score: (row['score'] as number) * priorityWeight,
        recommendation_id: recommendationId('run-7', row['member_id'] as string, id),
      });
      expect(channels).toContain(row['channel']);
    }
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['sent', 'holdout']));
  });

  test('names why an offer was removed, and the channel where it had got one', async () => {
    const rows = await sql.rows(removalsQuery(recommend, query));
    const ann = rows.filter(({ member_id }) => member_id === 'ann');
    expect(ann.find(({ offer_id }) => offer_id === 'PREV_002')).toMatchObject({
      removed_by: 'not-eligible',
      channel: null,
    });
    const capped = rows.filter(({ removed_by }) => removed_by === 'beyond-top' || removed_by === 'category-cap');
    expect(capped.length).toBeGreaterThan(0);
    expect(capped.filter(({ channel }) => channel === null)).toEqual([]);
  });
});

test('an id is stable, and differs by run, member and offer', () => {
  const id = recommendationId('run-7', 'ann', 'FIT_001');
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(recommendationId('run-7', 'ann', 'FIT_001')).toBe(id);
  const others = [
    recommendationId('run-8', 'ann', 'FIT_001'),
    recommendationId('run-7', 'ann', 'FIT_002'),
    recommendationId('run-7', 'bob', 'FIT_001'),
  ];
  expect(new Set([id, ...others]).size).toBe(4);
});
