import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import { generate } from '../../../usecases/offer-prioritization/generate.ts';
import { offers } from '../../../usecases/offer-prioritization/offers.ts';
import { mountSilver, query, rowsOf, together } from './deliveries.ts';
import { type Figures, boosts, isFired, noise, ruleScore } from './oracle.ts';

const values = { members: 300, history: 3, dirtShare: 0, seed: 7 };
let sql: SqlEngine;
let features: Figures[];
let labels: Figures[];
beforeAll(async () => {
  sql = await openSql({ threads: 2 });
  const first = rowsOf(generate({ ...values, month: '2025-10' }));
  const next = rowsOf(generate({ ...values, month: '2025-11', monthsAfter: 1 }));
  const delivered = together(first, next);
  // a few who are the most at risk, so that every rule has somebody to fire for
  for (const [i, row] of delivered.members.entries()) if (i % 10 === 0) row.risk_score = '88.00';
  await mountSilver(sql, delivered);
  await sql.run(`CREATE TEMP TABLE features AS ${query('features.sql')}`);
  features = (await sql.rows('FROM features ORDER BY member_id, reference_date')) as Figures[];
  labels = (await sql.rows(`SELECT * FROM (${query('labels.sql')}) ORDER BY member_id, reference_date`)) as Figures[];
});
afterAll(() => sql.close());

const ids = offers.map(({ id }) => id);

test('each row of features has its labels: the rules, and the noise of its hash', () => {
  expect(labels).toHaveLength(features.length);
  for (const [i, row] of features.entries()) {
    expect(Object.keys(labels[i])).toEqual(['member_id', 'reference_date', ...ids, ...ids.map((id) => `rules_${id}`)]);
    for (const id of ids) {
      expect(labels[i][`rules_${id}`]).toBe(ruleScore(id, row));
      const label = Math.min(100, Math.max(0, ruleScore(id, row) + noise(id, row)));
      expect(Math.abs(Number(labels[i][id]) - label)).toBeLessThan(1e-4);
    }
  }
});

test('every rule is live: it fires for some and not for others', () => {
  expect(boosts).toHaveLength(39);
  const idle = boosts.filter((boost) => {
    const fired = features.filter((row) => isFired(boost, row)).length;
    return fired === 0 || fired === features.length;
  });
  expect(idle).toEqual([]);
});

test('the noise is normal with standard deviation 5, and of no two offers, members or dates the same', () => {
  const drawn = features.flatMap((row) => ids.map((id) => noise(id, row)));
  const n = drawn.length;
  const mean = drawn.reduce((sum, value) => sum + value, 0) / n;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  expect(Math.abs(mean)).toBeLessThan((4 * 5) / Math.sqrt(n));
  expect(Math.abs(variance / 25 - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  expect(Math.abs(drawn.filter((value) => Math.abs(value) > 9.8).length / n - 0.05)).toBeLessThan(
    4 * Math.sqrt(0.0475 / n),
  );
  expect(new Set(drawn).size).toBe(n);
});
