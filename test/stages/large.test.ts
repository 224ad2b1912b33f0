import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lakeTable, withSql } from '../../src/stages/common/sql.ts';
import { appendParts } from '../../src/stages/common/large.ts';
import type { Drop } from '../../src/stages/common/drop.ts';
import { readReceipt } from '../../src/stages/common/receipt.ts';
import { generate } from '../../usecases/insurance-cost/generate.ts';
import { type World, openWorld, useCase } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe('a large drop', () => {
  test('is read by segments to the rows, reasons and receipt of the same file read whole', async () => {
    const [{ bytes }] = generate({ rows: 20_000, dirtShare: 0.02 });
    const packed = gzipSync(bytes, { level: 0 });
    // more than a stage holds in memory of a compressed file, less than of one that is not
    expect(packed.length).toBeGreaterThan(2 ** 20);
    expect(bytes.length).toBeLessThan(16 * 2 ** 20);

    const other = await openWorld();
    const outcomes = [];
    for (const [inWorld, content] of [
      [world, packed],
      [other, bytes],
    ] as const) {
      const dropped = await inWorld.drop('p.csv', content);
      const { status, rows: counted } = await inWorld.run('Validate', dropped);
      const { totals, broken } = (await readReceipt(inWorld.ports, { useCase, runId: dropped.runId }))!;
      const silver = await inWorld.rows(
        'silver',
        `tables/${useCase}/policies`,
        'SELECT count(*) AS n, bit_xor(hash(COLUMNS(* EXCLUDE (_ingested_at, customer_id))))::VARCHAR FROM rows',
      );
      const quarantine = await inWorld.rows(
        'bronze',
        `quarantine/${useCase}/policies`,
        'SELECT line, byte_offset, raw, rules, reason, format, header FROM rows ORDER BY line',
      );
      outcomes.push({ status, counted, totals, broken, silver, quarantine });
    }
    other.close();
    expect(outcomes[0]).toEqual(outcomes[1]);
    expect(outcomes[0].status).toBe('accepted');
    expect(outcomes[0].counted.quarantined).toBeGreaterThan(100);
  });

  test('enters silver in one commit of several files, each of so many lines, in their order', async () => {
    const { ports } = world;
    await withSql(ports, async (sql) => {
      await sql.run(`CREATE TEMP VIEW released AS
        SELECT i::INTEGER AS _line, CASE WHEN i % 2 = 0 THEN 'a.csv' ELSE 'b.csv' END AS _source_file FROM range(2, 2502) r(i)`);
      const table = lakeTable(ports, ports.silver, 'tables/x/parts', sql);
      const drop = { files: [{ name: 'a.csv' }, { name: 'b.csv' }] } as Drop;
      const txn = { appId: 'drop:x', version: 1 };
      expect(await appendParts(table, sql, drop, { txn }, 1000)).toMatchObject({ version: 0, rows: 2500 });
      expect(await appendParts(table, sql, drop, { txn }, 1000)).toMatchObject({
        status: 'already-committed',
        rows: 0,
      });
      const { files } = await table.snapshot();
      const stats = [...files.values()].map(
        ({ stats }) => JSON.parse(stats!) as { numRecords: number; maxValues: object },
      );
      expect(stats.map(({ numRecords }) => numRecords)).toEqual([499, 500, 251, 499, 500, 251]);
      expect(stats.map(({ maxValues }) => maxValues)).toEqual(
        [998, 1998, 2500, 999, 1999, 2501].map((line) => expect.objectContaining({ _line: line }) as object),
      );
    });
  });
});
