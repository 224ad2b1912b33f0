import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import { rocAuc } from '../../../src/ml/metrics/roc.ts';
import type { Claim } from '../../../usecases/claim-decision/draw-claims.ts';
import { generateMonth } from '../../../usecases/claim-decision/generate.ts';
import { ingest, textOf } from './silver.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ threads: 2 });
});
afterAll(() => sql.close());

describe('the dirt is known', () => {
  test.each([{ rows: 1200 }, { rows: 300, dirtShare: 0.12, failedShare: 0.1, seed: 7, month: '2027-11' }])(
    'what each contract quarantines of %o, and what makes no whole claim, is exactly what was put in',
    async (options) => {
      const { files, failed, claims } = generateMonth(options);
      const ingested = await ingest(sql, files);
      for (const { source, rows, dirt } of files) {
        const { validation, quarantined } = ingested[source];
        expect({ source, quarantined }).toEqual({ source, quarantined: dirt });
        const dirty = Object.values(dirt).reduce((sum, n) => sum + n, 0);
        expect(validation.counts).toEqual({ rows, accepted: rows - dirty, quarantined: dirty });
        expect(validation.halts).toEqual([]);
      }
      const reasons = await sql.rows(
        `SELECT reason, count(*) AS n FROM (${textOf('failed-claims.sql')}) GROUP BY reason`,
      );
      expect(Object.fromEntries(reasons.map(({ reason, n }) => [reason, n]))).toEqual(failed);

      // every claim that passed its own file is either whole or failed, and never both
      const [whole] = await sql.rows(`SELECT count(*) AS n FROM (${textOf('features.sql')})`);
      const failedClaims = Object.entries(failed).reduce(
        (sum, [reason, n]) => sum + (reason === 'no_claim' ? 0 : n),
        0,
      );
      expect(Number(whole['n']) + failedClaims).toBe(ingested['claims'].validation.counts.accepted);
      expect(claims).toHaveLength(options.rows);
    },
  );

  test('every kind of dirt and of failure occurs in an ordinary month', () => {
    const { files, failed } = generateMonth({ rows: 5000 });
    const found = Object.fromEntries(files.map(({ source, dirt }) => [source, Object.keys(dirt).length]));
    expect(found).toEqual({ claims: 9, lines: 6, decisions: 2, rvus: 0 });
    expect(Object.keys(failed).sort()).toEqual([
      'line_number_repeated',
      'lines_not_total',
      'lines_of_another_period',
      'no_claim',
      'no_lines',
    ]);
  });
});

describe('the noise is known', () => {
  const approvals = (claims: Claim[]) => Float64Array.from(claims, (claim) => Number(claim.approved));

  test('without fraud no model of the seven features ranks better than AUC .87, none of all that is known better than .91', () => {
    // two sets of patients and providers: what they differ by is the draw of sixty providers
    for (const seed of [42, 7]) {
      const { claims } = generateMonth({ rows: 8000, seed, fraudShare: 0 });
      const auc = (of: (claim: Claim) => number) => rocAuc(approvals(claims), Float64Array.from(claims, of));
      expect(Math.abs(auc(({ logOdds }) => logOdds.features) - 0.87)).toBeLessThan(0.02);
      expect(Math.abs(auc(({ logOdds }) => logOdds.all) - 0.91)).toBeLessThan(0.015);
    }
  });

  test('three claims in a hundred are fraud, and hardly any of those is approved; of all it is 77 in a hundred', () => {
    const { claims } = generateMonth({ rows: 10_000 });
    const fraud = claims.filter(({ isFraud }) => isFraud);
    const share = (some: Claim[]) => some.filter(({ approved }) => approved).length / some.length;
    expect(Math.abs(fraud.length / claims.length - 0.03)).toBeLessThan(0.006);
    expect(share(fraud)).toBeLessThan(0.1);
    expect(Math.abs(share(claims) - 0.77)).toBeLessThan(0.02);
  });
});

describe('options', () => {
  test('the same seed gives the same bytes, another seed or month other claims', () => {
    const bytesOf = (options: object) =>
      generateMonth({ rows: 200, ...options }).files.map(({ bytes }) => Buffer.from(bytes));
    expect(bytesOf({})).toEqual(bytesOf({}));
    for (const options of [{ seed: 43 }, { month: '2026-02' }]) expect(bytesOf(options)[1]).not.toEqual(bytesOf({})[1]);
  });

  test('inflation raises the charges of the same patients', () => {
    const [before, after] = [1, 1.2].map((inflation) => generateMonth({ rows: 300, inflation }).claims);
    for (const [i, claim] of before.entries()) {
      expect(after[i].patient).toEqual(claim.patient);
      expect(after[i].totalCents / claim.totalCents).toBeCloseTo(1.2, 2);
    }
  });

  test('patients and providers come back in later months', () => {
    const [january, february] = ['2026-01', '2026-02'].map((month) => generateMonth({ rows: 400, month }).claims);
    const known = new Set(january.map(({ patient }) => patient.account));
    expect(february.filter(({ patient }) => known.has(patient.account)).length).toBeGreaterThan(100);
    expect(() => generateMonth({ month: '2026-13' })).toThrow('A month is written like 2026-01');
  });
});
