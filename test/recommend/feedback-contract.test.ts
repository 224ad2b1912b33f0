import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseContract } from '../../src/data/contract/parse.ts';
import { privacyClassOf } from '../../src/data/contract/privacy-class.ts';
import { validateFile } from '../../src/data/quality/validate.ts';
import { type SqlEngine, openSql } from '../../src/data/sql.ts';
import { privacyRules } from '../../src/privacy/classes.ts';
import { verdicts } from '../../src/recommend/feedback.ts';

const yaml = new URL('../../usecases/offer-prioritization/feedback.odcs.yaml', import.meta.url);
const contract = parseContract(readFileSync(yaml, 'utf8'), 'offer-prioritization/feedback.odcs.yaml');

describe('the contract of feedback files', () => {
  let sql: SqlEngine;
  beforeAll(async () => {
    sql = await openSql();
  });
  afterAll(() => sql.close());

  test('lets no word of a comment out of the PHI zone, and knows the member by the code of the other files', () => {
    const treatments = contract.columns.map((column) => [column.name, privacyRules[privacyClassOf(column)].treatment]);
    expect(Object.fromEntries(treatments)).toEqual({
      member_id: 'keep',
      offer_id: 'keep',
      verdict: 'keep',
      reviewer: 'keep',
      recommendation_id: 'keep',
      comment_text: 'drop',
      given_at: 'keep',
    });
  });

  test('takes what reviewers write, and quarantines what it cannot mean', async () => {
    const rows = [
      'member_id,offer_id,verdict,reviewer,comment,given_at',
      'MBR_0a1b2c3d,FIT_001,Approve,r-17,,2026-11-01T10:00:00Z',
      'MBR_0a1b2c3d,fit_001,REJECTED,r-18,"asked twice, said ""no""",2026-11-02T10:00:00Z',
      'MBR_0a1b2c3d,FIT_001,comment,r-17,=HYPERLINK(1),2026-11-03T10:00:00Z',
      'MBR_0a1b2c3d,FIT_001,perhaps,r-17,,2026-11-03T10:00:00Z',
      'MBR_0a1b2c3d,DROP TABLE,approved,r-17,,2026-11-03T10:00:00Z',
      'MBR_0a1b2c3d,FIT_001,approved,Dr. Jane Doe,,2026-11-03T10:00:00Z',
    ];
    const bytes = new TextEncoder().encode(`${rows.join('\n')}\n`);
    const { counts } = await validateFile({
      sql,
      bytes,
      fileName: 'feedback.csv',
      digest: createHash('sha256').update(bytes).digest('hex'),
      // with so few rows the bad ones are half of all
      contract: { ...contract, maximumQuarantinedShare: 0.9 },
      arrivedAtMs: Date.parse('2026-11-04T00:00:00Z'),
      dropId: 'drop-1',
    });
    expect(counts).toEqual({ rows: 6, accepted: 3, quarantined: 3 });
    const accepted = await sql.rows('SELECT verdict, offer_id, recommendation_id FROM accepted ORDER BY given_at');
    expect(accepted).toEqual(
      ['approved', 'rejected', 'comment'].map((verdict) => ({ verdict, offer_id: 'FIT_001', recommendation_id: null })),
    );
    expect(accepted.map(({ verdict }) => verdict)).toEqual([...verdicts]);
  });
});
