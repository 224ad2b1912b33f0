import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { type Profile, profileTable, smallestGroup } from '../../../src/data/quality/profile.ts';
import { validateFile } from '../../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/insurance-cost/${name}`, import.meta.url));
const contract = parseContract(
  readFileSync(new URL('../../../usecases/insurance-cost/policies.odcs.yaml', import.meta.url), 'utf8'),
  'policies.odcs.yaml',
);
const request = {
  boxPlot: { value: 'charges', by: ['region', 'smoker'] },
  groups: { high_risk: 'smoker AND bmi > 30 AND age > 50', nobody: 'age > 99' },
};

let sql: SqlEngine;
let profile: Profile;
beforeAll(async () => {
  sql = await openSql();
  const drop = { fileName: 'policies.csv', digest: '0'.repeat(64), contract, arrivedAtMs: 0, dropId: 'd' };
  await validateFile({ sql, bytes: fixture('policies.csv'), ...drop });
  profile = await profileTable(sql, 'accepted', contract, request);
});
afterAll(() => sql.close());

describe('agrees with numpy and pandas (test/fixtures/insurance-cost)', () => {
  const expected = JSON.parse(fixture('profile.json').toString()) as {
    rows: number;
    numbers: Record<string, Record<string, number>>;
    levels: Record<string, Record<string, number>>;
    correlations: { a: string; b: string; r: number }[];
    boxes: ({ group: string[]; rows: number } & Record<string, number>)[];
    highRisk: number;
  };
  const columnOf = (name: string) => profile.columns.find((column) => column.name === name)!;
  const close = (found: Record<string, unknown>, wanted: Record<string, unknown>): void => {
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, value] of Object.entries(wanted)) {
      if (typeof value === 'number')
        expect(Math.abs(Number(found[name]) / value - 1) < 1e-9 || found[name] === value).toBe(true);
      else expect(found[name]).toEqual(value);
    }
  };

  test('means, deviations and quantiles', () => {
    expect(profile.rows).toBe(expected.rows);
    for (const [name, numbers] of Object.entries(expected.numbers)) close(columnOf(name).numbers!, numbers);
  });

  test('levels', () => {
    for (const [name, levels] of Object.entries(expected.levels)) {
      const found = columnOf(name).levels!.map(({ level, rows }) => [level, rows]);
      expect(Object.fromEntries(found)).toEqual(levels);
    }
  });

  test('correlations', () => {
    expect(profile.correlations.map(({ a, b }) => [a, b])).toEqual(expected.correlations.map(({ a, b }) => [a, b]));
    for (const [i, { r }] of expected.correlations.entries()) expect(profile.correlations[i].r).toBeCloseTo(r, 10);
  });

  test('the box plot and the group', () => {
    expect(profile.boxPlot!.boxes.map(({ group, rows }) => [group, rows])).toEqual(
      expected.boxes.map(({ group, rows }) => [group, rows]),
    );
    for (const [i, box] of expected.boxes.entries()) close(profile.boxPlot!.boxes[i], box);
    expect(profile.groups).toEqual([
      {
        name: 'high_risk',
        condition: request.groups.high_risk,
        rows: expected.highRisk,
        share: expected.highRisk / expected.rows,
      },
    ]);
  });
});

test('bins cover every row once, in order, none of them small', () => {
  for (const { name, bins } of profile.columns.filter((column) => column.bins)) {
    expect([name, bins!.reduce((sum, { rows }) => sum + rows, 0)]).toEqual([name, profile.rows]);
    expect(bins!.every(({ rows }) => rows >= smallestGroup)).toBe(true);
    expect([bins![0].from, bins!.at(-1)!.to]).toEqual([undefined, undefined]);
    for (const [i, { from }] of bins!.entries()) expect(from).toBe(i === 0 ? undefined : bins![i - 1].to);
  }
});

test('small groups, extremes and free texts do not show', async () => {
  await sql.run(`CREATE OR REPLACE TEMP TABLE few AS FROM accepted LIMIT ${smallestGroup - 1}`);
  const few = await profileTable(sql, 'few', contract, request);
  expect(few.columns.every((column) => !column.numbers && !column.levels && !column.bins)).toBe(true);
  expect([few.correlations, few.boxPlot!.boxes, few.groups]).toEqual([[], [], []]);
  expect(profile.columns.find(({ name }) => name === 'customer_id')).toEqual({
    name: 'customer_id',
    type: 'string',
    missingShare: 0,
    distinct: 700,
  });
});

test('a table without rows has a profile', async () => {
  await sql.run('CREATE OR REPLACE TEMP TABLE none AS FROM accepted WHERE false');
  expect(await profileTable(sql, 'none', contract)).toMatchObject({ rows: 0, correlations: [], groups: [] });
});
