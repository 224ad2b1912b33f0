import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConcurrentChange } from '../../src/lake/errors.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { FeaturesCrossEntities } from '../../src/stages/features.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, buckets, build, contents, inBuckets, january, openWorld, useCase } from './world.ts';

/*
 * Features in buckets: of policies, which have the entity's key, and of a list of rates by region, which has not.
 */

const rates = `apiVersion: v3.1.0
kind: DataContract
id: urn:bordereau:contract:test:rates
version: 1.0.0
status: active
schema:
  - name: rates
    logicalType: object
    physicalType: file
    customProperties:
      - { property: delimiter, value: ',' }
    properties:
      - name: region
        logicalType: string
        physicalType: VARCHAR
        primaryKey: true
        required: true
        customProperties:
          - { property: privacy, value: none }
      - name: rate
        logicalType: number
        physicalType: DOUBLE
        required: true
        customProperties:
          - { property: privacy, value: none }
`;
const { path, remove } = temporaryDirectory();
const { features } = smallSearch;
const useCases = useCasesFolder(
  path,
  {
    ...smallSearch,
    sources: { ...smallSearch.sources, rates: 'rates.odcs.yaml' },
    features: { ...features, numeric: [...features.numeric!, 'rate'] },
  },
  { 'features.sql': (sql) => `SELECT own.*, rate FROM (${sql}\n) AS own LEFT JOIN rates USING (region)` },
);
writeFileSync(join(useCases, useCase, 'rates.odcs.yaml'), rates);

const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const csv = (ids: readonly number[], charges = 100) =>
  [header, ...ids.map((id) => `${id},45,MALE,27.9,2,no,SOUTHEAST,${charges + id},2026-01-03T08:15:42Z`), ''].join('\n');
const table = `features/${useCase}`;

/** Both sources have been validated, and no feature been built. */
let validated: World;
const worlds: World[] = [];
beforeAll(async () => {
  validated = await openWorld({ useCases });
  worlds.push(validated);
  await validated.run('Validate', await validated.drop('january.csv', csv([1, 2, 3, 4, 5])));
  await dropRates(validated, 1.25);
});
afterAll(() => {
  worlds.forEach((world) => world.close());
  remove();
});

async function dropRates(world: World, rate: number): Promise<string> {
  const key = `drops/${useCase}/rates/${rate}.csv`;
  await world.ports.bronze.put(key, new TextEncoder().encode(`region,rate\nSOUTHEAST,${rate}\n`));
  const { etag } = (await world.ports.bronze.head(key))!;
  const { runId, status } = await world.run('Validate', { runId: `drop-${rate}`, key, etag });
  expect(status).toBe('accepted');
  return runId;
}

async function openIn(number: number, from = validated): Promise<World> {
  const world = await openWorld({ useCases, from });
  worlds.push(world);
  inBuckets(world, number);
  return world;
}

const rowsOf = (world: World) => world.rows('gold', table, 'FROM rows ORDER BY ALL');

test.each([4, 7])('%i buckets, empty ones too, make the table that one makes, in one version', async (number) => {
  const [one, many] = [await openIn(1), await openIn(number)];
  const input = await buckets(many, 'r');
  expect(input.parts).toHaveLength(number);
  expect(input.parts.filter(({ rows }) => rows === 0).length).toBeGreaterThanOrEqual(number - 5);
  expect(input.parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(5);
  expect(await rowsOf(many)).toEqual([]);
  const built = await many.run('Append', input);
  expect(built).toEqual({ useCase, runId: 'r', rows: 5, dataVersion: 0, hasChampion: false, complete: true });
  expect(await build(one, 'r')).toEqual(built);
  expect(await rowsOf(many)).toEqual(await rowsOf(one));
  expect((await rowsOf(many)).map(({ rate }) => rate)).toEqual([1.25, 1.25, 1.25, 1.25, 1.25]);
});

test('a repeat changes nothing, whether it stopped before the commit or behind it', async () => {
  const world = await openIn(4);
  await buckets(world, 'r');
  await build(world, 'r');
  const before = await contents(world.ports.gold);
  world.setClock(january + 1000);
  const again = await buckets(world, 'r');
  expect(again.parts).toEqual([]);
  expect(await world.run('Append', again)).toMatchObject({ rows: 0, dataVersion: 0, complete: true });
  expect(await contents(world.ports.gold)).toEqual(before);
});

test('where a commit was made and its answer lost, the commit is found', async () => {
  const world = await openIn(4);
  const input = await buckets(world, 'r');
  const first = await world.run('Append', input);
  const before = await contents(world.ports.gold);
  expect(await world.run('Append', input)).toEqual(first);
  expect(await contents(world.ports.gold)).toEqual(before);
});

test('a later drop appends what is new or has changed, of whichever bucket, later than all there is', async () => {
  const world = await openIn(4);
  await build(world, 'r');
  world.setClock(january + 1000);
  await world.run('Validate', await world.drop('february.csv', csv([2, 3, 6], 500)));
  // by a clock that is behind
  world.setClock(january - 1000);
  await build(world, 'drop-february.csv');
  const current = await world.rows(
    'gold',
    table,
    'SELECT customer_id, charges FROM rows QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY _built_at DESC) = 1 ORDER BY ALL',
  );
  expect(current.map(({ charges }) => charges)).toEqual([101, 502, 503, 104, 105, 506]);
  expect(await rowsOf(world)).toHaveLength(8);
});

test('drops of two sources at once: the one that has read less is sent back to plan, and both come to one table', async () => {
  const world = await openIn(4);
  const older = await buckets(world, 'older');
  const rate = await dropRates(world, 1.5);
  const newer = await buckets(world, rate);
  expect(older.plan.silver).toEqual({ policies: 0, rates: 0 });
  expect(newer.plan.silver).toEqual({ policies: 0, rates: 1 });

  expect(await world.run('Append', newer)).toMatchObject({ rows: 5, dataVersion: 0 });
  await expect(world.run('Append', older)).rejects.toThrow(ConcurrentChange);
  expect(await build(world, 'older')).toMatchObject({ rows: 0, dataVersion: 0 });
  const rows = await rowsOf(world);
  expect(rows.map((row) => `${row['rate'] as number} of ${row['_batch'] as string}`)).toEqual(
    Array(5).fill(`1.5 of ${rate}`),
  );
});

test('a drop that came first and brought less is built upon', async () => {
  const world = await openIn(4);
  await build(world, 'older');
  const rate = await dropRates(world, 1.5);
  const newer = await buckets(world, rate);
  const plannedBefore = { ...newer, plan: { ...newer.plan, dataVersion: -1 } };
  await expect(world.run('Append', plannedBefore)).rejects.toThrow(ConcurrentChange);
  expect(await build(world, rate)).toMatchObject({ rows: 5, dataVersion: 1 });
});

test('an append whose answer was lost is found done, whatever has been delivered since', async () => {
  const world = await openIn(4);
  const planned = await buckets(world, 'r');
  const appended = await world.run('Append', planned);
  await dropRates(world, 1.5);
  expect(await world.run('Append', planned)).toEqual(appended);
});

test('a plan never builds old silver upon a table that was made of newer', async () => {
  const world = await openIn(4);
  await build(world, 'r');
  const { gold } = world.ports;
  let isFirst = true;
  world.ports.gold = {
    ...methodsOf(gold),
    async get(key) {
      if (isFirst) {
        isFirst = false;
        world.ports.gold = gold;
        await build(world, await dropRates(world, 1.5));
      }
      return gold.get(key);
    },
  };
  expect(await build(world, 'slow')).toMatchObject({ rows: 0, dataVersion: 1 });
  expect(isFirst).toBe(false);
});

test('until every source has delivered nothing is planned', async () => {
  const world = await openWorld({ useCases });
  worlds.push(world);
  await world.run('Validate', await world.drop('january.csv', csv([1])));
  const { plan, partitions } = await world.run('Plan', { useCase, runId: 'r' });
  expect([plan.complete, plan.silver, partitions]).toEqual([false, { policies: 0, rates: -1 }, []]);
  expect(await build(world, 'r')).toMatchObject({ rows: 0, dataVersion: 0, complete: false });
});

test.each([
  ['a key in another form', (sql: string) => `SELECT * REPLACE ('no. ' || customer_id AS customer_id) FROM (${sql}\n)`],
  ['rows of a source without the key', (sql: string) => sql.replace('LEFT JOIN rates', 'RIGHT JOIN rates')],
])('%s, which no bucket can tell as its own, is an error by name', async (_what, change) => {
  const world = await openIn(7);
  const [definition] = world.ports.catalogue.useCases;
  definition.features = change(definition.features);
  const building = buckets(world, 'r');
  await expect(building).rejects.toThrow(FeaturesCrossEntities);
  await expect(building).rejects.toThrow(
    /^features\.sql of insurance-cost gives rows of entities that are not in the bucket/,
  );
});

/** The store's methods, to put others in their place. */
const methodsOf = (store: ObjectStore): ObjectStore => ({
  get: (key) => store.get(key),
  head: (key) => store.head(key),
  list: (prefix, options) => store.list(prefix, options),
  localCopy: (key, expected) => store.localCopy(key, expected),
  put: (key, bytes) => store.put(key, bytes),
  putIfAbsent: (key, bytes) => store.putIfAbsent(key, bytes),
  delete: (key) => store.delete(key),
});
