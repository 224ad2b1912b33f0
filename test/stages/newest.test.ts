import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConcurrentChange } from '../../src/lake/errors.ts';
import { readReceipt } from '../../src/stages/common/receipt.ts';
import { lakeTable } from '../../src/stages/common/sql.ts';
import { dropRunId } from '../../src/triggers.ts';
import { type World, buckets, build, openWorld, useCase } from './world.ts';

const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const policy = (charges: string, id = 'C1') =>
  `${header}\n${id},40,MALE,27.5,1,no,NORTHWEST,${charges},2026-01-05T08:00:00Z\n`;

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** One content of a key, as its event announces it, validated and built into features. */
async function arrives(charges: string, sequencer: string | undefined, name = 'p.csv') {
  const dropped = await world.drop(name, policy(charges));
  const runId = `drop-${charges}`;
  const { status } = await world.run('Validate', { ...dropped, runId, ...(sequencer !== undefined && { sequencer }) });
  expect(status).toBe('accepted');
  await build(world, runId);
}

const current = async () => {
  const rows = await world.rows(
    'gold',
    `features/${useCase}`,
    'SELECT charges FROM rows QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY _built_at DESC, _batch) = 1',
  );
  return rows.map(({ charges }) => Number(charges));
};

describe('10. a key overwritten, its events reversed, sequencers of unequal length: the newest wins', () => {
  test.each([
    ['of one length', '0055AED6DCD90281E5', '0055AED6DCD90281E6'],
    ['the later one longer', '0055AED6DCD9', '0055AED6DCD90281E6'],
    ['the later one shorter', '0055AED6DCD90281E6', '0055AED7'],
  ])('%s', async (_, older, newer) => {
    await arrives('200.00', newer);
    await arrives('100.00', older);
    expect(await current()).toEqual([200]);
    expect(
      await world.rows('silver', `tables/${useCase}/policies`, 'SELECT charges FROM rows ORDER BY charges'),
    ).toEqual([{ charges: 100 }, { charges: 200 }]);
  });

  test('though the older content has arrived later by the store’s clock', async () => {
    await arrives('200.00', '00B');
    world.setClock(world.ports.clock.nowMs() + 60_000);
    await arrives('100.00', '00A');
    expect(await current()).toEqual([200]);
  });

  test('in their own order as well', async () => {
    await arrives('100.00', '00A');
    await arrives('200.00', '00B');
    world.setClock(world.ports.clock.nowMs() + 60_000);
    await build(world, 'later');
    expect(await current()).toEqual([200]);
  });

  test('sequencers of different keys say nothing of each other: there the time of arrival decides', async () => {
    await arrives('100.00', '00F', 'a.csv');
    world.setClock(world.ports.clock.nowMs() + 60_000);
    await arrives('200.00', '00A', 'b.csv');
    expect(await current()).toEqual([200]);
  });

  test('a file that a sweep has found has no sequencer, and counts from when it arrived', async () => {
    await arrives('100.00', '00F');
    world.setClock(world.ports.clock.nowMs() + 60_000);
    await arrives('200.00', undefined);
    expect(await current()).toEqual([200]);
  });
});

describe('10. a key goes back to an earlier content', () => {
  const putAgain = async (charges: string, sequencer: string, name = 'p.csv') => {
    world.setClock(world.ports.clock.nowMs() + 60_000);
    const dropped = await world.drop(name, policy(charges));
    return { ...dropped, runId: dropRunId({ ...dropped, sequencer }), sequencer };
  };
  const handle = async (event: Awaited<ReturnType<typeof putAgain>>) => {
    const { status } = await world.run('Validate', event);
    if (status === 'accepted' || status === 'renewed') await build(world, event.runId);
    return status;
  };
  const silverVersion = async () =>
    (await lakeTable(world.ports, world.ports.silver, `tables/${useCase}/policies`).latest())!.version;
  const rowsInSilver = async () => (await world.rows('silver', `tables/${useCase}/policies`)).length;

  test('its rows hold again and are not there twice; a receipt of its own says so', async () => {
    await handle(await putAgain('100.00', '00A'));
    await handle(await putAgain('200.00', '00B'));
    const back = await putAgain('100.00', '00C');
    expect(await handle(back)).toBe('renewed');
    expect(await current()).toEqual([100]);
    expect(await rowsInSilver()).toBe(2);
    expect(await readReceipt(world.ports, { useCase, runId: back.runId })).toMatchObject({
      status: 'renewed',
      rows: { dropped: 0, accepted: 0 },
      reason: expect.stringMatching(/^p\.csv brought the same content before \(run drop-.*\): its rows hold again/),
    });
  });

  test('each event again, in any order: nothing changes any more, not even a version', async () => {
    const a = await putAgain('100.00', '00A');
    expect(await handle(a)).toBe('accepted');
    const c = { ...a, runId: dropRunId({ ...a, sequencer: '00C' }), sequencer: '00C' };
    expect(await handle(c)).toBe('repeated');
    const b = await putAgain('200.00', '00B');
    expect(await handle(b)).toBe('accepted');
    expect(await current()).toEqual([100]);
    const version = await silverVersion();
    for (const event of [b, c, a, b, a, c])
      await handle({
        ...event,
        ...(await world.drop('p.csv', policy(event === b ? '200.00' : '100.00'))),
        runId: event.runId,
      });
    expect(await silverVersion()).toBe(version);
    expect(await current()).toEqual([100]);
    expect(await rowsInSilver()).toBe(2);
  });

  test('while the features of the content in between are built: those are not appended any more', async () => {
    await handle(await putAgain('100.00', '00A'));
    const between = await putAgain('200.00', '00B');
    await world.run('Validate', between);
    const late = await buckets(world, between.runId);
    expect(await handle(await putAgain('100.00', '00C'))).toBe('renewed');
    await expect(world.run('Append', late)).rejects.toThrow(ConcurrentChange);
    expect(await build(world, between.runId)).toMatchObject({ rows: 0 });
    expect(await current()).toEqual([100]);
  });

  test('there and back again and again', async () => {
    for (let i = 0; i < 6; i++) await handle(await putAgain(i % 2 === 0 ? '100.00' : '200.00', `00${i}`));
    expect(await current()).toEqual([200]);
    expect(await rowsInSilver()).toBe(2);
  });

  test('what a sweep finds of it is no delivery of its own, unless it was put again since', async () => {
    await handle(await putAgain('100.00', '00A'));
    await handle(await putAgain('200.00', '00B'));
    const back = await putAgain('100.00', '00C');
    await handle(back);
    const version = await silverVersion();
    const found = { ...back, sequencer: '' };
    expect(await handle({ ...found, runId: dropRunId(found) })).toBe('renewed');
    expect(await silverVersion()).toBe(version);
    await handle(await putAgain('200.00', '00D'));
    expect(await current()).toEqual([200]);
    const unannounced = await putAgain('100.00', '');
    expect(await handle(unannounced)).toBe('renewed');
    expect(await current()).toEqual([100]);
  });

  test('a file of several does so too: then the whole drop holds again', async () => {
    await world.drop('m.manifest.json', JSON.stringify({ files: [{ name: 'p.csv' }], rows: 1 }));
    for (const [i, charges] of ['100.00', '200.00', '100.00'].entries()) {
      expect(await handle(await putAgain(charges, `00${i}`))).toBe('accepted');
      expect(await current()).toEqual([Number(charges)]);
    }
    expect(await rowsInSilver()).toBe(2);
  });

  test('a second key that comes to the content of a first one: the newest content of the second one holds', async () => {
    await handle(await putAgain('100.00', '00A', 'a.csv'));
    await handle(await putAgain('200.00', '00A', 'b.csv'));
    expect(await handle(await putAgain('100.00', '00B', 'b.csv'))).toBe('renewed');
    expect(await current()).toEqual([100]);
    expect(await rowsInSilver()).toBe(2);
  });
});

describe('the same content under another name', () => {
  test('is named as a repeat in its receipt, and adds nothing', async () => {
    await world.run('Validate', await world.drop('first.csv', policy('100.00')));
    const second = await world.drop('second.csv', policy('100.00'));
    expect(await world.run('Validate', second)).toMatchObject({
      status: 'repeated',
      rows: { dropped: 0, accepted: 0 },
    });
    expect(await readReceipt(world.ports, { useCase, runId: second.runId })).toMatchObject({
      name: 'second.csv',
      status: 'repeated',
      reason: 'first.csv brought the same content before (run drop-first.csv): nothing was added.',
      files: [{ name: 'second.csv' }],
    });
    expect(await world.rows('silver', `tables/${useCase}/policies`)).toHaveLength(1);
  });

  test('the same event again is no repeat: its receipt stays what it was', async () => {
    const dropped = await world.drop('first.csv', policy('100.00'));
    await world.run('Validate', dropped);
    const before = await readReceipt(world.ports, { useCase, runId: dropped.runId });
    await world.run('Validate', dropped);
    expect(await readReceipt(world.ports, { useCase, runId: dropped.runId })).toEqual(before);
  });
});
