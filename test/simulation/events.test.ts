import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileEventPattern } from '../../src/runtime/event-pattern.ts';
import { bronzeBucket } from '../../src/runtime/machines.ts';
import { validate } from '../../src/stages/validate.ts';
import { runStage } from '../../src/stages/run.ts';
import { rules } from '../../src/triggers.ts';
import { contentOf } from './ingest.ts';
import { type Theatre, openTheatre } from './play.ts';
import { type State, World, source, useCase } from './world.ts';

let theatre: Theatre & { close(): Promise<void> };
beforeAll(async () => {
  theatre = await openTheatre();
});
afterAll(() => theatre.close());

const keyOf = (name: string) => `drops/${useCase}/${source}/${name}`;

/** A world in which events are delivered by hand, one after the other. */
function openWorld(seed: string, from?: State): World {
  const world = new World(theatre.ground, { seed, ...(from && { from }) });
  world.only = [];
  return world;
}

/** Has the event of an object handled, as the machine would: the one that is there, or an earlier one. Gives its etag. */
async function deliver(world: World, name: string, announced?: string): Promise<string> {
  const ports = { ...world.portsOf(world.scheduler.actor(name)), ...world.stores };
  const etag = announced ?? (await world.stores.bronze.head(keyOf(name)))?.etag ?? 'gone';
  await runStage('Validate', validate, { runId: `run-${name}-${etag}`, key: keyOf(name), etag }, ports);
  return etag;
}

async function silver(world: World): Promise<{ charges: number; line: number }[]> {
  const rows = await theatre.reader.rows(world.stores.silver.objects, `tables/${useCase}/${source}`);
  return rows
    .map(({ charges, _line: line }) => ({ charges: Number(charges), line: Number(line) }))
    .sort((a, b) => a.charges - b.charges);
}

test('9. four drops, each announced one to five times, in all 24 orders: the same rows in silver, once', async () => {
  const sent = openWorld('orders');
  for (const drop of [0, 1, 2, 3]) {
    const members = [`M${drop}a`, `M${drop}b`, `M${drop}c`];
    await sent.drop(`${drop}.csv`, contentOf(sent.draw.fork(drop), members, 1000 * (drop + 1)).bytes);
  }
  const ends: string[] = [];
  // orders that begin alike share what they have in common
  const goOn = async (state: State, order: readonly number[]): Promise<void> => {
    for (const drop of [0, 1, 2, 3].filter((other) => !order.includes(other))) {
      const world = openWorld(`orders ${order.join()}`, state);
      await deliver(world, `${drop}.csv`);
      if (order.length < 3) await goOn(world.state(), [...order, drop]);
      else {
        const repeated = [...order, drop].flatMap((again, i) =>
          Array.from({ length: i === ends.length % 4 ? ends.length % 5 : 0 }, () => again),
        );
        for (const again of repeated) await deliver(world, `${again}.csv`);
        ends.push(JSON.stringify(await silver(world)));
      }
    }
  };
  await goOn(sent.state(), []);
  expect(ends).toHaveLength(24);
  expect(new Set(ends).size).toBe(1);
  expect((JSON.parse(ends[0]) as unknown[]).length).toBeGreaterThan(4);
});

test('10. a key that was overwritten, its events the wrong way round: the newest content holds', async () => {
  const world = openWorld('overwritten');
  const members = ['M1', 'M2', 'M3'];
  const older = contentOf(world.draw.fork('older'), members, 1000);
  const newer = contentOf(world.draw.fork('newer'), members, 2000);
  await world.drop('a.csv', older.bytes);
  const first = await deliver(world, 'a.csv');
  world.scheduler.clock.pass(60_000);
  await world.drop('a.csv', newer.bytes);
  // before its own event and after it: what is there now is not taken for what was there then
  await deliver(world, 'a.csv', first);
  await deliver(world, 'a.csv');
  await deliver(world, 'a.csv', first);
  const rows = await theatre.reader.rows(world.stores.silver.objects, `tables/${useCase}/${source}`);
  const last = rows.map((row) => Date.parse(row['_ingested_at'] as string)).reduce((a, b) => Math.max(a, b));
  const holding = rows.filter((row) => Date.parse(row['_ingested_at'] as string) === last);
  expect(new Set(holding.map((row) => row['charges']))).toEqual(new Set(newer.good.values()));
  expect(rows).toHaveLength(older.good.size + newer.good.size);
});

test('10. a key put to one content, another and back, its events in all orders, each once or twice: the newest holds', async () => {
  const members = ['M1', 'M2', 'M3'];
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]) {
    const world = new World(theatre.ground, { seed: `there and back ${order.join()}` });
    world.only = ['ingest'];
    const older = contentOf(world.draw.fork('older'), members, 1000);
    const newer = contentOf(world.draw.fork('newer'), members, 2000);
    const puts: { object: ReturnType<typeof objectOf>; bytes: Uint8Array }[] = [];
    for (const { bytes } of [older, newer, older]) {
      await world.stores.bronze.put(keyOf('a.csv'), bytes);
      puts.push({ object: objectOf(world), bytes });
    }
    for (const put of order) {
      const { object, bytes } = puts[put];
      // the middle one is handled while it is there: an event that finds other content brings nothing
      await world.stores.bronze.put(keyOf('a.csv'), bytes);
      for (let time = 0; time <= order[0] % 2; time++) {
        world.start('ingest', { object });
        await world.scheduler.run();
      }
    }
    expect(world.runs.map(({ status }) => status)).not.toContain('FAILED');
    const rows = await theatre.reader.rows(world.stores.silver.objects, `tables/${useCase}/${source}`);
    expect(rows).toHaveLength(older.good.size + newer.good.size);
    const features = await theatre.reader.rows(world.stores.gold.objects, `features/${useCase}`);
    const built = (row: (typeof features)[number]) => Date.parse(row['_built_at'] as string);
    const holding = features.filter((row) =>
      features.every((other) => other['member_no'] !== row['member_no'] || built(other) <= built(row)),
    );
    const charges = holding.map((row) => Number(row['charges']));
    expect(charges, `in the order ${order.join()}`).toEqual(expect.arrayContaining([...older.good.values()]));
  }
});

/** What the event of the present object says of it. */
function objectOf(world: World) {
  const { version, sha256 } = world.stores.bronze.objects.get(keyOf('a.csv'))!;
  return { key: keyOf('a.csv'), etag: sha256.slice(0, 32), sequencer: version.toString(16).padStart(16, '0') };
}

test('11. an object that is gone before its event is handled fails its own run by name, and nothing else', async () => {
  const world = openWorld('deleted');
  const { bytes } = contentOf(world.draw, ['M1', 'M2'], 1000);
  await world.drop('kept.csv', bytes);
  await deliver(world, 'kept.csv');
  const before = await silver(world);
  await world.drop('gone.csv', contentOf(world.draw, ['M3'], 2000).bytes);
  await world.stores.bronze.delete(keyOf('gone.csv'));
  await expect(deliver(world, 'gone.csv')).rejects.toThrow('There is no object drops/policy-cost/policies/gone.csv');
  world.start('ingest', { object: { key: keyOf('gone.csv'), etag: 'etag' } });
  await world.scheduler.run();
  expect(world.runs.map(({ status, error }) => [status, error])).toEqual([['FAILED', 'ObjectNotFound']]);
  expect(await silver(world)).toEqual(before);
});

test('12. nothing that the product writes starts the product: no loop', () => {
  const starts = (bucket: string, key: string) =>
    rules.filter(({ pattern }) => {
      const compiled = compileEventPattern(
        JSON.parse(JSON.stringify(pattern).replaceAll('${bronzeBucket}', bronzeBucket)) as never,
      );
      return compiled({
        source: 'aws.s3',
        'detail-type': 'Object Created',
        detail: { bucket: { name: bucket }, object: { key } },
      });
    });
  const written = Object.entries(theatre.champion).flatMap(([zone, objects]) =>
    [...objects.keys()].map((key) => ({ zone, key })),
  );
  const own = written.filter(({ key }) => !key.startsWith('drops/'));
  expect(own.length).toBeGreaterThan(80);
  expect(own.filter(({ zone, key }) => starts(zone, key).length > 0)).toEqual([]);
  expect(written.filter(({ zone, key }) => starts(zone, key).length > 0)).toEqual([
    { zone: 'bronze', key: keyOf('history.csv') },
  ]);
});
