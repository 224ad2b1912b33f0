import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../../src/data/json.ts';
import declaration from '../../../usecases/offer-prioritization/usecase.ts';
import { generate } from '../../../usecases/offer-prioritization/generate.ts';
import { type World, build, inBuckets, openWorld } from '../../stages/world.ts';
import { type Delivered, type Row, type Source, differences, rowsOf, sources, useCase } from './deliveries.ts';
import { featuresAt, referenceDates } from './oracle.ts';

/*
 * The features as the stages build them, from dropped files, in buckets of members.
 */

const useCases = fileURLToPath(new URL('../../../usecases/', import.meta.url));
const delivered = rowsOf(
  generate({ members: 30, history: 3, lateShare: 0.3, partialShare: 0.2, dirtShare: 0, seed: 7 }),
);
const lastDate = '2026-02-01T00:00:00Z';

/** Everything has been validated, and no feature been built. */
let validated: World;
const worlds: World[] = [];
beforeAll(async () => {
  validated = await openWorld({ useCases });
  worlds.push(validated);
  validated.setClock(Date.parse('2026-03-05T09:00:00Z'));
  await deliver(validated, 'first.csv', delivered);
});
afterAll(() => worlds.forEach((world) => world.close()));

async function deliver(world: World, fileName: string, files: Partial<Delivered>): Promise<void> {
  for (const [source, rows] of Object.entries(files)) {
    const columns = Object.keys(rows[0]);
    const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) => line.join(','));
    const key = `drops/${useCase}/${source}/${fileName}`;
    await world.ports.bronze.put(key, new TextEncoder().encode(`${lines.join('\n')}\n`));
    const arrived = world.ports.clock.nowMs() / 1000;
    utimesSync(join(world.directory, 'bronze', key), arrived, arrived);
    const { etag } = (await world.ports.bronze.head(key))!;
    const runId = `drop-${source}-${fileName}`;
    const { status, rows: counts } = await world.run('Validate', { runId, key, etag });
    expect([source, status, counts.accepted]).toEqual([source, 'accepted', rows.length]);
  }
}

async function openIn(buckets: number, from = validated): Promise<World> {
  const world = await openWorld({ useCases, from });
  worlds.push(world);
  inBuckets(world, buckets);
  return world;
}

type Feature = { member_id: string; reference_date: string; [column: string]: Json };

const built = (world: World): Promise<Feature[]> =>
  world.rows('gold', `features/${useCase}`, 'FROM rows ORDER BY member_id, reference_date, _built_at') as Promise<
    Feature[]
  >;

test('the use case declares buckets', () => {
  expect(declaration.features.buckets).toBeGreaterThan(1);
});

test('the table is the same whatever the number of buckets, and agrees with the brute-force oracle', async () => {
  const tables: Feature[][] = [];
  for (const buckets of [1, 4, 7]) {
    const world = await openIn(buckets);
    expect(await build(world, 'first', useCase)).toMatchObject({ complete: true, dataVersion: 0 });
    tables.push(await built(world));
  }
  const [one, four, seven] = tables;
  expect(four).toEqual(one);
  expect(seven).toEqual(one);

  const members = [...new Set(delivered.members.map((row) => row.member_id))].sort();
  const wanted = members.flatMap((member) =>
    referenceDates(delivered, member).map((at) => featuresAt(delivered, member, at)),
  );
  expect(four).toHaveLength(wanted.length);
  for (const [i, row] of four.entries()) {
    const features = Object.fromEntries(Object.keys(wanted[i]).map((column) => [column, row[column]]));
    expect(differences(features, wanted[i])).toEqual([]);
  }
});

test('a planted row of the future changes nothing; one that had arrived by the last date does', async () => {
  const before = await openIn(4);
  const { rows } = await build(before, 'first', useCase);
  const keys: { [source in Source]: [string, string] } = {
    members: ['record_id', 'recorded_at'],
    claims: ['record_id', 'filed_at'],
    benefits: ['record_id', 'recorded_at'],
    engagement: ['event_id', 'occurred_at'],
  };
  const planted = (source: Source, received: string): Row[] => {
    const [key, time] = keys[source];
    const changed = {
      claim_id: 'planted',
      diagnosis_category: 'oncology',
      event_type: 'survey_complete',
      claims_count: '99',
    };
    return delivered[source].slice(0, 5).map((row) => ({
      ...row,
      ...Object.fromEntries(Object.entries(changed).filter(([column]) => column in row)),
      [key]: `${row[key]}-planted`,
      [time]: '2026-01-31T23:00:00Z',
      received_at: received,
    }));
  };
  // a later roster makes a date of its own, so members are not planted here
  const others = sources.filter((source) => source !== 'members');
  const files = (received: string) => Object.fromEntries(others.map((source) => [source, planted(source, received)]));

  const late = await openIn(4, before);
  await deliver(late, 'late.csv', files('2026-02-01T00:00:01Z'));
  expect(await build(late, 'late', useCase)).toMatchObject({ rows: 0, dataVersion: 0 });
  expect(await built(late)).toHaveLength(rows);

  const inTime = await openIn(4, before);
  await deliver(inTime, 'in-time.csv', files(lastDate));
  const changed = await build(inTime, 'in time', useCase);
  expect(changed.dataVersion).toBe(1);
  expect(changed.rows).toBeGreaterThan(0);
});

test('a correction that gives a record to another member moves it from one bucket to another', async () => {
  const record = delivered.claims.find((row) => row.received_at < '2025-12-01')!;
  const other = delivered.members.find((row) => row.member_id !== record.member_id)!.member_id;
  const corrected = await openIn(1);
  corrected.setClock(Date.parse('2026-03-05T10:00:00Z'));
  await deliver(corrected, 'corrected.csv', { claims: [{ ...record, member_id: other }] });
  const tables: Feature[][] = [];
  for (const buckets of [1, 4, 7]) {
    const world = await openIn(buckets, corrected);
    await build(world, 'first', useCase);
    tables.push(await built(world));
  }
  const [one, four, seven] = tables;
  expect(four).toEqual(one);
  expect(seven).toEqual(one);
  const claimsOf = (member: string) => Number(one.findLast((row) => row.member_id === member)!['total_claims']);
  const sent = (member: string) => Number(featuresAt(delivered, member, Date.parse(lastDate))['total_claims']);
  expect(claimsOf(record.member_id)).toBe(sent(record.member_id) - 1);
  expect(claimsOf(other)).toBe(sent(other) + 1);
});
