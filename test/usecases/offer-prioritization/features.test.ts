import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import type { Json } from '../../../src/data/json.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import { generate } from '../../../usecases/offer-prioritization/generate.ts';
import {
  type Delivered,
  type Row,
  type Source,
  differences,
  mountSilver,
  query,
  rowsOf,
  sources,
  together,
} from './deliveries.ts';
import { featuresAt, referenceDates } from './oracle.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ threads: 2 });
});
afterAll(() => sql.close());

type Feature = { member_id: string; reference_date: string; [column: string]: Json };

async function features(delivered: Delivered): Promise<Feature[]> {
  await mountSilver(sql, delivered);
  return built();
}

const built = (): Promise<Feature[]> =>
  sql.rows(`SELECT * FROM (${query('features.sql')}) ORDER BY member_id, reference_date`) as Promise<Feature[]>;

/** Claims that were decided anew: the same claim in a later record with other amounts. */
function decidedAnew({ claims }: Delivered, share: number): Row[] {
  const draw = random('decided anew');
  return claims
    .filter(() => draw.uniform() < share)
    .map((claim) => ({
      ...claim,
      record_id: `${claim.claim_id}-2`,
      paid_amount: '0.00',
      status: 'denied',
      diagnosis_category: 'oncology',
      received_at: later(claim.received_at, 1 + draw.integer(120)),
    }));
}

const later = (time: string, days: number): string =>
  new Date(Date.parse(time) + days * 86_400_000).toISOString().replace('.000', '');

describe('features.sql agrees with the brute-force oracle in all 96 features', () => {
  test.each([
    { month: '2025-11', members: 40, history: 4, lateShare: 0.4, partialShare: 0.2, seed: 1 },
    { month: '2028-03', members: 40, history: 3, lateShare: 0.1, partialShare: 0.1, seasonality: 0.8, seed: 2 },
  ])('of every member and date of %o, and of the month after it', async (values) => {
    const first = rowsOf(generate({ ...values, dirtShare: 0 }));
    const month = values.month === '2025-11' ? '2025-12' : '2028-04';
    const next = rowsOf(generate({ ...values, month, monthsAfter: 1, dirtShare: 0 }));
    const delivered = together(first, next);
    delivered.claims.push(...decidedAnew(delivered, 0.1));
    const rows = await features(delivered);

    const wanted = [...new Set(delivered.members.map((row) => row.member_id))]
      .sort()
      .flatMap((member) => referenceDates(delivered, member).map((at) => featuresAt(delivered, member, at)));
    expect(rows).toHaveLength(wanted.length);
    for (const [i, row] of rows.entries()) expect(differences(row, wanted[i])).toEqual([]);
    expect(Object.keys(rows[0])).toHaveLength(2 + 96 + 6);
    // the case is worth the name: several dates, whose place in the year differs
    expect(new Set(rows.map((row) => row['month'])).size).toBe(4);
  });

  test('of members of whom hardly anything is known', async () => {
    const delivered = rowsOf(generate({ members: 8, dirtShare: 0, seed: 3 }));
    const [bare, ...others] = delivered.members.map((row) => row.member_id);
    const without = (rows: Row[]) => rows.filter((row) => row.member_id !== bare);
    const thin = {
      members: delivered.members,
      claims: without(delivered.claims),
      benefits: without(delivered.benefits),
      engagement: without(delivered.engagement),
    };
    const rows = await features(thin);
    expect(rows).toHaveLength(1 + others.length);
    const found = rows.find((row) => row.member_id === bare)!;
    const [at] = referenceDates(thin, bare);
    expect(differences(found, featuresAt(thin, bare, at))).toEqual([]);
    expect(found).toMatchObject({
      total_claims: 0,
      in_network_rate: null,
      days_since_last_claim: 365,
      medical_utilization_rate: null,
      remaining_deductible_pct: null,
      avg_response_rate: null,
      preferred_channel: null,
    });
  });
});

describe('nothing of the future is known', () => {
  const delivered = rowsOf(generate({ members: 40, history: 3, dirtShare: 0, seed: 4 }));
  const keys = { members: 'record_id', claims: 'record_id', benefits: 'record_id', engagement: 'event_id' };
  const times = { members: 'recorded_at', claims: 'filed_at', benefits: 'recorded_at', engagement: 'occurred_at' };
  const overstated = {
    members: '99 AS age, 99.0 AS risk_score',
    claims: `90000.00 AS billed_amount, 'oncology' AS diagnosis_category, claim_id || '-planted' AS claim_id`,
    benefits: '0.00 AS used_amount, annual_max AS remaining_amount, 99 AS claims_count',
    engagement: `'survey_complete' AS event_type, true AS response`,
  };
  let before: Feature[];
  beforeAll(async () => {
    before = await features(delivered);
    for (const source of sources) await sql.run(`ALTER TABLE ${source} RENAME TO honest_${source}`);
  });
  afterAll(async () => {
    for (const source of sources) await sql.run(`DROP VIEW IF EXISTS ${source}; DROP TABLE honest_${source}`);
  });

  /** The features where each record of the source stands there again, with other content, time and arrival. */
  async function withPlanted(source: Source, happened: string, received: string): Promise<Feature[]> {
    for (const other of sources) await sql.run(`CREATE OR REPLACE TEMP VIEW ${other} AS FROM honest_${other}`);
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${source} AS FROM honest_${source} UNION ALL
      SELECT * REPLACE (${keys[source]} || '-planted' AS ${keys[source]}, ${overstated[source]},
        TIMESTAMPTZ '${happened}' AS ${times[source]}, TIMESTAMPTZ '${received}' AS received_at) FROM honest_${source}`);
    return built();
  }

  test.each(sources)('records of %s count from the last date on if they had arrived by then', async (source) => {
    expect(await withPlanted(source, '2026-01-31 23:00:00+00', '2026-02-01 00:00:00+00')).not.toEqual(before);
  });

  test.each(sources)('records of %s that arrive a second after the last date change no row', async (source) => {
    const after = await withPlanted(source, '2026-01-31 23:00:00+00', '2026-02-01 00:00:01+00');
    const known = (row: Feature) => row.reference_date !== '2026-03-01T00:00:00.000Z';
    expect(after.filter(known)).toEqual(before);
  });

  // received before it happened, by a clock that is wrong: the contract does not let it in
  test.each(sources)('records of %s about a later time change no row, whatever their arrival says', async (source) => {
    expect(await withPlanted(source, '2026-02-01 00:00:01+00', '2026-01-31 12:00:00+00')).toEqual(before);
  });

  test('a new version of a claim counts from its arrival on, and not before', async () => {
    for (const other of sources) await sql.run(`CREATE OR REPLACE TEMP VIEW ${other} AS FROM honest_${other}`);
    const claim = delivered.claims.find((row) => row.received_at < '2025-11-01')!;
    await sql.run(`CREATE OR REPLACE TEMP VIEW claims AS FROM honest_claims UNION ALL
      SELECT * REPLACE (record_id || '-2' AS record_id, 0.00 AS paid_amount, TIMESTAMPTZ '2026-01-10 00:00:00+00' AS received_at)
      FROM honest_claims WHERE claim_id = '${claim.claim_id}'`);
    const after = await built();
    const changed = after.filter((row, i) => JSON.stringify(row) !== JSON.stringify(before[i]));
    expect(changed.map((row) => [row.member_id, row.reference_date])).toEqual([
      [claim.member_id, '2026-02-01T00:00:00.000Z'],
    ]);
  });
});

test('any part of the members gives its part of the rows', async () => {
  const whole = await features(rowsOf(generate({ members: 120, history: 2, lateShare: 0.3, dirtShare: 0, seed: 5 })));
  for (const source of sources) await sql.run(`ALTER TABLE ${source} RENAME TO all_${source}`);
  const parts: Feature[] = [];
  for (const bucket of [0, 1, 2]) {
    for (const source of sources)
      await sql.run(`CREATE TEMP VIEW ${source} AS FROM all_${source} WHERE hash(member_id) % 3 = ${bucket}`);
    const part = await built();
    expect(part.length).toBeGreaterThan(40);
    parts.push(...part);
    for (const source of sources) await sql.run(`DROP VIEW ${source}`);
  }
  for (const source of sources) await sql.run(`DROP TABLE all_${source}`);
  const order = (row: Feature) => `${row.member_id} ${row.reference_date}`;
  expect(parts.sort((a, b) => (order(a) < order(b) ? -1 : 1))).toEqual(whole);
});

test('a later delivery adds its date and leaves the rows of earlier ones as they were', async () => {
  const values = { members: 50, history: 2, lateShare: 0, dirtShare: 0, seed: 6 };
  const first = rowsOf(generate({ ...values, month: '2026-01' }));
  const next = rowsOf(generate({ ...values, month: '2026-02', monthsAfter: 1 }));
  const before = await features(first);
  const after = await features(together(first, next));
  const dates = new Set(after.map((row) => row.reference_date));
  expect(dates).toEqual(new Set(['2026-01-01', '2026-02-01', '2026-03-01'].map((date) => `${date}T00:00:00.000Z`)));
  expect(after.filter((row) => row.reference_date !== '2026-03-01T00:00:00.000Z')).toEqual(before);

  // the roster comes last: before it, what else the month brought makes no date of its own
  const withoutRoster = await features(together(first, { ...next, members: [] }));
  expect(withoutRoster).toEqual(before);
});
