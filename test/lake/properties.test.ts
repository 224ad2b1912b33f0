import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';

let lake: TestLake;
beforeAll(async () => {
  lake = await openLake();
});
afterAll(() => lake.close());

/** Values of the one column that the rows have; few enough that contents repeat. */
const rows = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), rows }),
  fc.record({ kind: fc.constant('overwrite' as const), rows }),
  // few applications and low versions, so that deliveries repeat and fall behind
  fc.record({
    kind: fc.constant('deliver' as const),
    rows,
    app: fc.constantFrom('a', 'b'),
    version: fc.nat({ max: 2 }),
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** The naive twin: the rows of every version, kept whole. */
function twin(operations: readonly Operation[]): number[][] {
  const versions: number[][] = [];
  const done = new Map<string, number>();
  for (const operation of operations) {
    const current = versions.at(-1);
    if (operation.kind === 'overwrite') versions.push(operation.rows);
    else if (operation.kind === 'deliver') {
      if ((done.get(operation.app) ?? -1) >= operation.version) continue;
      done.set(operation.app, operation.version);
      versions.push([...(current ?? []), ...operation.rows]);
    } else if (!current || operation.rows.length > 0) versions.push([...(current ?? []), ...operation.rows]);
  }
  return versions.map((version) => [...version].sort((a, b) => a - b));
}

let tables = 0;

test('any sequence of appends, overwrites and deliveries reads as its naive twin does, at every version', async () => {
  const property = fc.asyncProperty(
    fc.array(operation, { maxLength: 14 }),
    fc.boolean(),
    async (operations, checkpoints) => {
      const path = `t${++tables}`;
      const open = () => deltaTable(lake.store, path, { ...lake.context, ...(checkpoints && { sql: lake.sql }) });
      let table = open();
      for (const [i, operation] of operations.entries()) {
        // every other write comes from a process that has just started
        if (i % 2 === 0) table = open();
        const query = `SELECT unnest([${operation.rows.join(', ')}]::INTEGER[]) AS n`;
        const txn = operation.kind === 'deliver' ? { appId: operation.app, version: operation.version } : undefined;
        if (operation.kind === 'overwrite') await overwriteQuery(table, lake.sql, query);
        else await appendQuery(table, lake.sql, query, { txn });
      }
      const seen = [];
      const latest = await open().latest();
      for (let version = 0; version <= (latest?.version ?? -1); version++) {
        const found = await lake.rows(await open().snapshot({ version }));
        seen.push(found.map((row) => row['n']));
      }
      expect(seen).toEqual(twin(operations));
    },
  );
  await fc.assert(property, { numRuns: 25 });
});
