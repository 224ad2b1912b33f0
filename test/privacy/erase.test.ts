import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SqlEngine } from '../../src/data/sql.ts';
import { deleteRows } from '../../src/lake/change.ts';
import { recordProperties } from '../../src/lake/protocol.ts';
import { appendQuery } from '../../src/lake/write.ts';
import { readAudit } from '../../src/privacy/audit.ts';
import { type Erased, eraseMember } from '../../src/privacy/erase.ts';
import { Vault } from '../../src/privacy/vault.ts';
import { lakeTable, withSql } from '../../src/stages/common/sql.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { type World, february, ingest, openWorld, useCase } from '../stages/world.ts';

const [silver, quarantine, features] = ['tables', 'quarantine', 'features'].map(
  (kind) => `${kind}/insurance-cost${kind === 'features' ? '' : '/policies'}`,
);
const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const row = (id: string, age = 45) => `${id},${age},MALE,27.9,2,no,SOUTHEAST,4512.33,2026-01-03T08:15:42Z`;
const january = [header, ...['a-1', 'a-2', 'a-3', 'a-4', 'a-5'].map((id) => row(id)), row('a-2', 17), ''].join('\n');
const by = { actor: 'dpo', reason: 'request of 12 May' };

const folder = temporaryDirectory();
const useCases = useCasesFolder(folder.path, smallSearch, {
  'policies.odcs.yaml': (contract) => contract.replace('value: pseudonym', 'value: identifier'),
});

let prepared: World;
let world: World;
let vault: Vault;
beforeAll(async () => {
  prepared = await openWorld({ useCases });
  await ingest(prepared, 'january.csv', january);
});
beforeEach(async () => {
  world = await openWorld({ useCases, from: prepared });
  vault = new Vault({ ...world.ports, store: world.ports.bronze }, { useCase, domain: 'customer_id' });
});
afterEach(() => world.close());
afterAll(() => {
  prepared.close();
  folder.remove();
});

const erase = (identifier: string, hasRecord = false): Promise<Erased> =>
  withSql(world.ports, async (sql: SqlEngine) => {
    const table = (zone: 'silver' | 'gold' | 'bronze', path: string) =>
      lakeTable(world.ports, world.ports[zone], path, sql);
    return eraseMember({
      vault,
      identifier,
      by,
      sql,
      tables: [
        { name: 'policies', table: table('silver', silver), column: 'customer_id' },
        { name: 'features', table: table('gold', features), column: 'customer_id' },
        ...(hasRecord ? [{ name: 'record', table: table('gold', 'record'), column: 'customer_id' }] : []),
      ],
      quarantines: [{ name: 'quarantine', table: table('bronze', quarantine) }],
      exports: { store: world.ports.gold, prefix: 'exports/insurance-cost/' },
      learntFrom: async () => [3],
    });
  });

const idsIn = async (zone: 'silver' | 'gold', path: string) =>
  (await world.rows(zone, path, 'SELECT customer_id FROM rows')).map((found) => found['customer_id'] as string);

describe('between bronze and silver', () => {
  test('the key of every table outside is the surrogate, the same in every drop', async () => {
    world.setClock(february);
    await ingest(world, 'february.csv', [header, row('a-1', 46), row('a-9', 46), ''].join('\n'));
    const surrogates = await vault.surrogatesOf(['a-1', 'a-2', 'a-3', 'a-4', 'a-5', 'a-9']);
    expect(new Set(await idsIn('silver', silver))).toEqual(new Set(surrogates.values()));
    expect(new Set(await idsIn('gold', features))).toEqual(new Set(surrogates.values()));
    expect((await idsIn('silver', silver)).filter((id) => id === surrogates.get('a-1'))).toHaveLength(2);
  });

  test('what was quarantined keeps its identifier, in bronze', async () => {
    expect(await world.rows('bronze', quarantine, 'SELECT raw FROM rows')).toEqual([{ raw: row('a-2', 17) }]);
  });
});

describe('35. erasure of one member', () => {
  test('takes the member out of every current snapshot and of quarantine, and nobody else', async () => {
    const surrogate = (await vault.surrogatesOf(['a-2'])).get('a-2')!;
    expect(await erase('a-2')).toEqual({
      known: true,
      deleted: { quarantine: 1, policies: 1, features: 1 },
      exports: {},
      decisions: 0,
      retrain: [3],
    });
    for (const ids of [await idsIn('silver', silver), await idsIn('gold', features)]) {
      expect(ids).toHaveLength(4);
      expect(ids).not.toContain(surrogate);
    }
    expect(await world.rows('bronze', quarantine)).toEqual([]);
  });

  test('the models that have learnt from the member are listed, with who asked for it', async () => {
    const surrogate = (await vault.surrogatesOf(['a-2'])).get('a-2')!;
    await erase('a-2');
    expect(await readAudit(world.ports.bronze, vault.auditPath)).toMatchObject([
      { action: 'erase', surrogate, ...by, details: { retrain: [3], deleted: { policies: 1 } } },
    ]);
  });

  test('whoever delivers the member again finds them left out and counted', async () => {
    await erase('a-2');
    world.setClock(february);
    const { rows } = await world.run(
      'Validate',
      await world.drop('again.csv', [header, row('a-2', 46), row('a-3', 46), ''].join('\n')),
    );
    expect(rows).toEqual({ dropped: 2, accepted: 1, quarantined: 0, rejected: 1 });
    expect(await idsIn('silver', silver)).toHaveLength(5);
  });

  test('done twice it changes nothing more', async () => {
    await erase('a-2');
    expect(await erase('a-2')).toEqual({
      known: false,
      deleted: { quarantine: 0 },
      exports: {},
      decisions: 0,
      retrain: [],
    });
    expect(await readAudit(world.ports.bronze, vault.auditPath)).toHaveLength(1);
    expect(await idsIn('silver', silver)).toHaveLength(4);
  });

  test('only whole values count: a-2 is not a-22', async () => {
    await ingest(
      world,
      'more.csv',
      [header, row('a-6'), row('a-7'), row('a-8'), row('a-9'), row('a-22', 17), ''].join('\n'),
    );
    await erase('a-2');
    expect(await world.rows('bronze', quarantine, 'SELECT raw FROM rows')).toEqual([{ raw: row('a-22', 17) }]);
  });

  test('records of predictions and recommendations, from which nothing else may take rows, lose the member’s', async () => {
    const surrogates = await vault.surrogatesOf(['a-1', 'a-2']);
    const [other, gone] = [surrogates.get('a-1')!, surrogates.get('a-2')!];
    const take = (surrogate: string) =>
      withSql(world.ports, (sql) =>
        deleteRows(
          lakeTable(world.ports, world.ports.gold, 'record', sql),
          sql,
          `SELECT '${surrogate}' AS customer_id`,
        ),
      );
    await withSql(world.ports, async (sql) => {
      const record = lakeTable(world.ports, world.ports.gold, 'record', sql);
      const rows = `FROM (VALUES ('${other}', 1), ('${gone}', 2), ('${gone}', 3)) t(customer_id, run)`;
      await appendQuery(record, sql, rows, { properties: recordProperties });
    });
    await expect(take(gone)).rejects.toThrow('is a record');
    expect((await erase('a-2', true)).deleted).toMatchObject({ policies: 1, features: 1, record: 2 });
    expect(await world.rows('gold', 'record')).toEqual([{ customer_id: other, run: 1 }]);
    const [last] = await lakeTable(world.ports, world.ports.gold, 'record').history();
    expect(last).toMatchObject({ operation: 'DELETE', operationParameters: { reason: 'erasure' } });
    // and it is a record as before
    await expect(take(other)).rejects.toThrow('is a record');
  });

  test('exports are written anew without the member’s records, however many lines those have', async () => {
    const surrogates = await vault.surrogatesOf(['a-1', 'a-2']);
    const [other, gone] = [surrogates.get('a-1')!, surrogates.get('a-2')!];
    const key = 'exports/insurance-cost/run-1/crm.csv';
    const lines = [`${other},"call, then mail"`, `"${gone}","two\r\nlines, ""quoted"""`, `${other},x${gone}x`];
    await world.ports.gold.put(key, Buffer.from(['member,reason', ...lines, ''].join('\r\n')));
    expect((await erase('a-2')).exports).toEqual({ [key]: 1 });
    const text = Buffer.from((await world.ports.gold.get(key))!).toString();
    expect(text).toBe(['member,reason', lines[0], lines[2], ''].join('\r\n'));
  });
});
