import { afterAll, beforeEach, expect, test } from 'vitest';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { exportCsv, type SentRecommendation } from '../../src/recommend/export.ts';
import { writeExports } from '../../src/stages/common/exports.ts';
import type { PairFactors } from '../../src/stages/common/pair-factors.ts';
import { insertReasons } from '../../src/stages/common/pair-reasons.ts';
import { MemoryStore } from '../governance/memory-store.ts';
import { sampleRecommend } from '../recommend/sample.ts';

const policy = sampleRecommend();
let sql: SqlEngine;
beforeEach(async () => {
  await sql?.close();
  sql = await openSql();
});
afterAll(() => sql.close());

test('reasons and texts that come in pages are those that come at once', async () => {
  const pairs = 11;
  const places = 12;
  const factors: PairFactors = {
    features: ['age', 'claims'],
    strongest: Int32Array.from({ length: pairs * places }, (_, i) => (i % places < 2 ? i % 2 : -1)),
    contributions: Float64Array.from({ length: pairs * places }, (_, i) => (i % places < 2 ? i - 30 : 0)),
  };
  const sent = {
    rows: Int32Array.from({ length: pairs }, (_, i) => i >> 1),
    outputs: Int32Array.from({ length: pairs }, (_, i) => i & 1),
  };
  const texts = [0, 1, 2, 3, 4].map((i) => ({ text: `text ${i}`, source: 'template' as const }));
  const textOf = Int32Array.from({ length: pairs }, (_, i) => i % texts.length);
  const inserted = async (page?: number) => {
    await insertReasons(sql, policy, { sent, factors, texts, textOf }, page);
    const rows = await sql.rows('SELECT * FROM reasons JOIN texts USING (_text) ORDER BY _row, offer_id');
    await sql.run('DROP TABLE reasons; DROP TABLE texts');
    return rows;
  };
  const atOnce = await inserted();
  expect(atOnce).toHaveLength(pairs);
  // the last page is full for none, one, and all of them
  for (const page of [1, 3, 5, 11]) expect(await inserted(page)).toEqual(atOnce);
});

test('an export written in pages is the one that is made of all rows', async () => {
  const rows: SentRecommendation[] = Array.from({ length: 14 }, (_, i) => ({
    entityKey: `m${i >> 1}`,
    recommendationId: `r${i}`,
    rank: 1 + (i & 1),
    offerId: policy.offers[i & 1].id,
    offerName: policy.offers[i & 1].name,
    category: policy.offers[i & 1].category,
    description: policy.offers[i & 1].description,
    score: 50 + i,
    priorityWeight: 1,
    weightedScore: 50 + i,
    channel: 'email',
    reason: i === 3 ? '=1+1' : `reason ${i}`,
    recommendedAt: '2026-02-01',
    modelVersion: 1,
  }));
  const text = (value: unknown) => (typeof value === 'number' ? `${value}` : `'${String(value)}'`);
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const columns = Object.keys(rows[0]).map((name) => (name === 'entityKey' ? 'member_id' : snake(name)));
  const values = rows.map((row, i) => `(${[...Object.values(row).map(text), "'sent'", (i >> 1) + 1].join(', ')})`);
  // somebody who was held out, between the others
  const heldOut = rows.map((row, i) => `(${[...Object.values(row).map(text), "'holdout'", (i >> 1) + 1].join(', ')})`);
  await sql.run(
    `CREATE TEMP TABLE recommended AS FROM (VALUES ${[...values, heldOut[5]].reverse().join(', ')})
      AS t(${[...columns, 'status', '_row'].join(', ')})`,
  );
  for (const page of [undefined, 1, 2, 3, 7]) {
    const gold = new MemoryStore();
    const run = { useCase: 'u', runId: 'r', key: 'member_id', members: 7 };
    await writeExports(sql, { gold } as unknown as Ports, policy, run, page);
    for (const name of Object.keys(policy.exports)) {
      const { header, lines } = exportCsv(policy, name);
      expect(new TextDecoder().decode(gold.objects.get(`exports/u/r/${name}.csv`))).toBe(header + lines(rows));
    }
  }
});
