import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { MisplacedDrop } from '../../src/stages/common/drop.ts';
import { UnknownSource, UnknownUseCase } from '../../src/usecase/errors.ts';
import { generate } from '../../usecases/insurance-cost/generate.ts';
import { type World, build, contents, february, ingest, january, openWorld, useCase } from './world.ts';

const silver = 'tables/insurance-cost/policies';
const quarantine = 'quarantine/insurance-cost/policies';
const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const csv = (...rows: string[]) => [header, ...rows, ''].join('\n');
const row = (id: number, change: { age?: string; charges?: string; smoker?: string } = {}) => {
  const { age = '45', charges = '4512.33', smoker = 'no' } = change;
  return `${id},${age},MALE,27.9,2,${smoker},SOUTHEAST,${charges},2026-01-03T08:15:42Z`;
};

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe('Validate', () => {
  test('sends good rows to silver, typed and with their origin', async () => {
    const dropped = await world.drop('p.csv', csv(row(1), row(2, { smoker: '1' })));
    expect(await world.run('Validate', dropped)).toEqual({
      useCase,
      runId: 'drop-p.csv',
      source: 'policies',
      status: 'accepted',
      reason: '',
      rows: { dropped: 2, accepted: 2, quarantined: 0, rejected: 0 },
      silverVersion: 0,
    });
    const [first, second] = await world.rows('silver', silver, 'FROM rows ORDER BY customer_id');
    expect(first).toMatchObject({
      customer_id: '1',
      age: 45,
      bmi: 27.9,
      smoker: false,
      charges: 4512.33,
      recorded_at: '2026-01-03T08:15:42.000Z',
      _drop_id: 'drop-p.csv',
      _source_file: 'p.csv',
      _line: 2,
      _ingested_at: new Date(january).toISOString(),
      _contract_version: '1.0.0',
    });
    expect(second).toMatchObject({ smoker: true, _line: 3 });
  });

  test('a quarantined row keeps its raw text, file, line, rule and contract version', async () => {
    await world.run(
      'Validate',
      await world.drop('p.csv', csv(...[1, 2, 3, 4, 5].map((id) => row(id)), row(6, { smoker: 'maybe' }))),
    );
    expect(await world.rows('bronze', quarantine)).toEqual([
      expect.objectContaining({
        drop_id: 'drop-p.csv',
        source_file: 'p.csv',
        line: 7,
        raw: row(6, { smoker: 'maybe' }),
        rule: 'smoker.values',
        column_name: 'smoker',
        contract_version: '1.0.0',
      }),
    ]);
  });

  test('every record of a dirty month is accepted once or quarantined once, by the rule that it was made to break', async () => {
    const [{ bytes, rows, dirt }] = generate({ rows: 1000, dirtShare: 0.1 });
    const { rows: counted } = await world.run('Validate', await world.drop('p.csv', bytes));
    expect(counted.accepted + counted.quarantined).toBe(rows);
    expect(counted).toMatchObject({ dropped: rows, rejected: 0 });

    const byRule = await world.rows('bronze', quarantine, 'SELECT rule, count(*) AS n FROM rows GROUP BY rule');
    expect(Object.fromEntries(byRule.map(({ rule, n }) => [rule, n]))).toEqual(dirt);
    const lines = [
      ...(await world.rows('silver', silver, 'SELECT _line AS line FROM rows')),
      ...(await world.rows('bronze', quarantine, 'SELECT line FROM rows')),
    ].map(({ line }) => Number(line));
    expect(lines.sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i + 2));
  });

  test('9. a file that is announced twice, or dropped again under another name, changes no table', async () => {
    const bytes = csv(row(1), row(2), row(3), row(4), row(5, { age: '17' }), row(6));
    const dropped = await world.drop('p.csv', bytes);
    await world.run('Validate', dropped);
    const before = [await contents(world.ports.silver), await contents(world.ports.bronze, 'quarantine/')];

    await world.run('Validate', dropped);
    await world.run('Validate', await world.drop('again.csv', bytes));
    expect([await contents(world.ports.silver), await contents(world.ports.bronze, 'quarantine/')]).toEqual(before);
  });

  test('a file without a column that it needs is rejected by name, and stays in bronze', async () => {
    await world.run('Validate', await world.drop('good.csv', csv(row(1))));
    const bytes = csv(row(2)).replaceAll(',charges', ',fees');
    const { status, reason, rows, silverVersion } = await world.run('Validate', await world.drop('bad.csv', bytes));
    expect(status).toBe('rejected');
    expect(reason).toMatch(/^The file bad\.csv is rejected \(missing-columns\): it lacks "charges";/);
    expect(rows).toEqual({ dropped: 0, accepted: 0, quarantined: 0, rejected: 0 });
    expect(silverVersion).toBe(0);
    expect(new TextDecoder().decode(await world.ports.bronze.get('drops/insurance-cost/policies/bad.csv'))).toBe(bytes);
    expect(await world.rows('silver', silver, 'SELECT customer_id FROM rows')).toEqual([{ customer_id: '1' }]);
  });

  test('a file with too many bad rows is halted: the bad ones are quarantined, the good ones wait for the corrected file', async () => {
    const bad = csv(row(1), row(2, { age: '17' }), row(3, { charges: '-1' }));
    const { status, reason, rows } = await world.run('Validate', await world.drop('p.csv', bad));
    expect(status).toBe('halted');
    expect(reason).toContain(
      'The file p.csv is halted: 2 of 3 rows are quarantined, the contract allows a share of 0.2',
    );
    expect(rows).toEqual({ dropped: 3, accepted: 0, quarantined: 2, rejected: 1 });
    expect(await world.rows('silver', silver)).toEqual([]);
    expect(await world.rows('bronze', quarantine, 'SELECT line FROM rows ORDER BY line')).toEqual([
      { line: 3 },
      { line: 4 },
    ]);
  });

  test('15. a crash between quarantine and silver is made good by the next delivery: no row twice, none lost', async () => {
    const dropped = await world.drop('p.csv', csv(...[1, 2, 3, 4, 5].map((id) => row(id)), row(6, { age: '17' })));
    const { silver: intact } = world.ports;
    world.ports.silver = failingToWrite(intact);
    await expect(world.run('Validate', dropped)).rejects.toThrow('no power');
    expect(await world.rows('bronze', quarantine, 'SELECT line FROM rows')).toEqual([{ line: 7 }]);

    world.ports.silver = intact;
    await world.run('Validate', dropped);
    expect(await world.rows('bronze', quarantine, 'SELECT line FROM rows')).toEqual([{ line: 7 }]);
    expect(await world.rows('silver', silver, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: 5 }]);
  });

  test('a key that is no drop of a known source is refused by name', async () => {
    const validate = (key: string) => world.run('Validate', { runId: 'r', key, etag: '' });
    await expect(validate('drops/insurance-cost/p.csv')).rejects.toThrow(MisplacedDrop);
    await expect(validate('drops/insurance-costs/policies/p.csv')).rejects.toThrow(UnknownUseCase);
    await expect(validate('drops/insurance-cost/polices/p.csv')).rejects.toThrow(UnknownSource);
  });
});

describe('Features', () => {
  const table = 'features/insurance-cost';
  const current = `SELECT customer_id, charges, _batch FROM rows
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY _built_at DESC) = 1 ORDER BY customer_id`;

  test('appends the rows that are new or have changed as a batch named after the drop, and no other', async () => {
    await ingest(world, 'january.csv', csv(row(1), row(2), row(3)));
    world.setClock(february);
    await ingest(world, 'february.csv', csv(row(2, { charges: '5000' }), row(3), row(4)));
    expect(
      await world.rows('gold', table, 'SELECT customer_id, charges, _batch FROM rows ORDER BY _batch, customer_id'),
    ).toEqual([
      { customer_id: '2', charges: 5000, _batch: 'drop-february.csv' },
      { customer_id: '4', charges: 4512.33, _batch: 'drop-february.csv' },
      { customer_id: '1', charges: 4512.33, _batch: 'drop-january.csv' },
      { customer_id: '2', charges: 4512.33, _batch: 'drop-january.csv' },
      { customer_id: '3', charges: 4512.33, _batch: 'drop-january.csv' },
    ]);
  });

  test('a value that is changed and changed back holds again', async () => {
    await ingest(world, 'first.csv', csv(row(1, { charges: '100' })));
    world.setClock(january + 1000);
    await ingest(world, 'second.csv', csv(row(1, { charges: '200' })));
    world.setClock(january + 2000);
    await ingest(world, 'third.csv', csv(row(1, { charges: '100' }), row(2)));
    expect(await world.rows('gold', table, current)).toEqual([
      { customer_id: '1', charges: 100, _batch: 'drop-third.csv' },
      { customer_id: '2', charges: 4512.33, _batch: 'drop-third.csv' },
    ]);
  });

  test('delivered again it changes nothing, also after a later drop', async () => {
    const first = await ingest(world, 'january.csv', csv(row(1)));
    world.setClock(february);
    await ingest(world, 'february.csv', csv(row(1, { charges: '9' })));
    const before = await contents(world.ports.gold);
    const again = await build(world, first);
    expect(again).toEqual({ useCase, runId: first, rows: 0, dataVersion: 1, hasChampion: false, complete: true });
    expect(await contents(world.ports.gold)).toEqual(before);
  });

  test('of a drop that brings nothing new there is no new version', async () => {
    await ingest(world, 'january.csv', csv(row(1), row(2)));
    world.setClock(february);
    await world.run('Validate', await world.drop('same.csv', csv(row(2))));
    const { rows, dataVersion } = await build(world, 'drop-same.csv');
    expect({ rows, dataVersion }).toEqual({ rows: 0, dataVersion: 0 });
  });
});

/** A store that takes no object any more. */
function failingToWrite(store: ObjectStore): ObjectStore {
  const fail = async () => {
    throw new Error('no power');
  };
  return {
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    list: (prefix, options) => store.list(prefix, options),
    localCopy: (key, expect) => store.localCopy(key, expect),
    put: fail,
    putIfAbsent: fail,
    delete: fail,
  };
}
