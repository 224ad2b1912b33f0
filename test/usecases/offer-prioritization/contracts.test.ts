import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import type { GeneratedFile } from '../../../src/usecase/synthetic.ts';
import { releasedContract } from '../../../src/privacy/de-identify.ts';
import { generate } from '../../../usecases/offer-prioritization/generate.ts';
import { offers } from '../../../usecases/offer-prioritization/offers.ts';
import { toSilver } from '../silver.ts';
import { type Source, contracts, query, rowsOf, sources, useCase } from './deliveries.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ threads: 2 });
});
afterAll(() => sql.close());

const fileOf = (files: readonly GeneratedFile[], source: Source): GeneratedFile =>
  files.find((file) => file.source === source)!;

describe('the dirt is known', () => {
  const files = new Map(generate({ members: 300, dirtShare: 0.1, seed: 8 }).map((file) => [file.source, file]));

  test.each(sources)('what the contract of %s quarantines is exactly what was put in', async (source) => {
    const { rows, dirt } = files.get(source)!;
    const { counts, halts } = await toSilver(sql, useCase, files.get(source)!);
    const found = await sql.rows('SELECT rule, count(*) AS n FROM quarantined GROUP BY rule');
    expect(Object.fromEntries(found.map(({ rule, n }) => [rule, n]))).toEqual(dirt);
    const dirty = Object.values(dirt).reduce((sum, n) => sum + n, 0);
    expect(counts).toEqual({ rows, accepted: rows - dirty, quarantined: dirty });
    expect(Math.abs(dirty - rows / 10)).toBeLessThan(4 * Math.sqrt(rows * 0.09));
    expect(halts).toEqual([]);
  });

  test.each([
    ['members', 9],
    ['claims', 12],
    ['benefits', 8],
    ['engagement', 9],
  ] as const)('every kind of it occurs in %s', (source, kinds) => {
    expect(Object.keys(files.get(source)!.dirt)).toHaveLength(kinds);
  });

  test('a member is the same beside dirty records as without', () => {
    const clean = new Set(lines(generate({ members: 300, dirtShare: 0, seed: 8 }), 'claims'));
    const dirty = lines([...files.values()], 'claims');
    const spoilt = dirty.filter((line) => !clean.has(line)).length;
    expect(spoilt).toBe(Object.values(files.get('claims')!.dirt).reduce((sum, n) => sum + n, 0));
  });

  const lines = (files: readonly GeneratedFile[], source: Source) =>
    new TextDecoder().decode(fileOf(files, source).bytes).split('\n');
});

describe('nothing that identifies leaves the PHI zone', () => {
  test('names, addresses, numbers and days stay behind; the member has a code', () => {
    const released = (source: Source) =>
      releasedContract(contracts[source]).columns.map(({ name, sqlType }) => `${name} ${sqlType}`);
    expect(released('members')).toEqual(
      expect.arrayContaining([
        'member_id VARCHAR',
        'date_of_birth INTEGER',
        'enrollment_date INTEGER',
        'zip_code VARCHAR',
      ]),
    );
    for (const gone of ['first_name', 'last_name', 'email', 'phone'])
      expect(releasedContract(contracts.members).columns.map(({ name }) => name)).not.toContain(gone);
    expect(released('claims')).toContain('service_date INTEGER');
    expect(released('benefits')).toContain('last_used_date INTEGER');
  });

  test('of a delivered roster no name, address, number, ZIP code or birthday is left in silver', async () => {
    const files = generate({ members: 200, dirtShare: 0, seed: 9 });
    await toSilver(sql, useCase, fileOf(files, 'members'));
    const silver = JSON.stringify(await sql.rows('FROM members'));
    const { members } = rowsOf(files);
    const protectedColumns = [
      'first_name',
      'last_name',
      'email',
      'phone',
      'zip_code',
      'date_of_birth',
      'enrollment_date',
    ];
    const left = protectedColumns.filter((column) => members.some((row) => silver.includes(`"${row[column]}"`)));
    expect(left).toEqual([]);
    expect(await sql.rows('SELECT count(DISTINCT member_id) AS n FROM members')).toEqual([{ n: 200 }]);
  });

  test('of a benefit the days since its last use get out, and not the day', async () => {
    const files = generate({ members: 20, dirtShare: 0, seed: 9 });
    await toSilver(sql, useCase, fileOf(files, 'benefits'));
    const silver = await sql.rows(
      'SELECT record_id, days_since_last_use AS days, last_used_date AS year FROM benefits',
    );
    const days = new Map(silver.map(({ record_id: id, ...row }) => [id, row]));
    for (const row of rowsOf(files).benefits) {
      const last = row.last_used_date;
      const since = (Date.UTC(2026, 0, 31) - Date.parse(last)) / 86_400_000;
      expect(days.get(row.record_id)).toEqual(
        last === '' ? { days: null, year: null } : { days: since, year: +last.slice(0, 4) },
      );
    }
  });
});

test('a file without a received_at was received when it arrived', async () => {
  const claims = fileOf(generate({ members: 5, dirtShare: 0 }), 'claims');
  const text = new TextDecoder().decode(claims.bytes).replaceAll(/,[^,\n]*$/gm, '');
  await toSilver(sql, useCase, { ...claims, bytes: new TextEncoder().encode(text) });
  expect(await sql.rows('SELECT DISTINCT received_at FROM claims')).toEqual([
    { received_at: '2026-02-27T00:00:00.000Z' },
  ]);
});

test('the catalogue, the labels and the contract of engagement know the same offers', () => {
  const named = new Set(query('labels.sql').match(/(?<=')[A-Z]+_\d{3}(?=')/g));
  expect([...named]).toEqual(offers.map(({ id }) => id));
  const pattern = new RegExp(contracts.engagement.columns.find(({ name }) => name === 'offer_id')!.pattern!);
  expect(offers.filter(({ id }) => !pattern.test(id))).toEqual([]);
});
