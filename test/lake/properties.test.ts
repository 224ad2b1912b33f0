import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteRows, mergeQuery } from '../../src/lake/change.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';
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

describe('changes by key', () => {
  type Row = { k: number; p: string | null; v: number; w?: number };
  const p = fc.constantFrom('x', 'y', null);
  const parts = { k: fc.integer({ min: 0, max: 5 }), p, v: fc.integer({ min: 0, max: 2 }) };
  const row = fc.record(parts);
  const longerRow = fc.record({ ...parts, w: fc.nat({ max: 1 }) });
  const rowsOf = fc.array(row, { maxLength: 3 });
  const change = fc.oneof(
    fc.record({ kind: fc.constantFrom('append' as const, 'overwrite' as const, 'partitions' as const), rows: rowsOf }),
    fc.record({
      kind: fc.constant('merge' as const),
      rows: fc.uniqueArray(row, { maxLength: 3, selector: ({ k }) => k }),
    }),
    fc.record({
      kind: fc.constant('delete' as const),
      rows: rowsOf,
      by: fc.constantFrom<(keyof Row)[]>(['k'], ['p'], ['p', 'k']),
    }),
    // from then on the table has a further column
    fc.record({ kind: fc.constant('grow' as const), rows: fc.array(longerRow, { minLength: 1, maxLength: 2 }) }),
  );
  type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

  /** The naive twin: all rows in one list, each change by looking at every row. */
  function after(rows: readonly Row[], change: Change): Row[] {
    if (change.kind === 'append' || change.kind === 'grow') return [...rows, ...change.rows];
    if (change.kind === 'overwrite') return change.rows;
    if (change.kind === 'delete') {
      const isGone = (row: Row) =>
        change.rows.some((key: Row) =>
          change.by.every((column) => row[column] !== null && row[column] === key[column]),
        );
      return rows.filter((row) => !isGone(row));
    }
    const by = change.kind === 'merge' ? 'k' : 'p';
    return [...rows.filter((row) => !change.rows.some((other) => other[by] === row[by])), ...change.rows];
  }

  const literal = (value: string | number | null) => (typeof value === 'string' ? `'${value}'` : String(value));

  function query(rows: readonly Row[], columns: readonly (keyof Row)[], where = 'true'): string {
    const values = rows.map((row) => `(${columns.map((column) => literal(row[column] ?? null)).join(', ')})`);
    const typed = columns
      .map((column) => `${column}::${column === 'p' ? 'VARCHAR' : 'INTEGER'} AS ${column}`)
      .join(', ');
    const none = `(${columns.map(() => 'NULL').join(', ')})`;
    return `SELECT ${typed} FROM (VALUES ${[...values, none].join(', ')}) v(${columns.join(', ')}) WHERE ${where} LIMIT ${values.length}`;
  }

  async function apply(table: DeltaTable, change: Change, columns: (keyof Row)[]): Promise<void> {
    const rows = query(change.rows, columns);
    if (change.kind === 'append') await appendQuery(table, lake.sql, rows);
    if (change.kind === 'grow')
      await appendQuery(table, lake.sql, query(change.rows, ['k', 'p', 'v', 'w']), { addColumns: true });
    if (change.kind === 'overwrite') await overwriteQuery(table, lake.sql, rows);
    if (change.kind === 'partitions') await overwriteQuery(table, lake.sql, rows, { replace: 'partitions' });
    if (change.kind === 'merge') await mergeQuery(table, lake.sql, rows, { key: ['k'] });
    if (change.kind === 'delete') {
      const known = change.by.map((column) => `${column} IS NOT NULL`).join(' AND ');
      await deleteRows(table, lake.sql, query(change.rows, change.by, known));
    }
  }

  test('in any sequence, in tables with partitions, columns added and files pruned, read as their naive twin', async () => {
    const property = fc.asyncProperty(
      fc.array(rowsOf, { minLength: 1, maxLength: 3 }),
      fc.array(change, { maxLength: 8 }),
      async (drops, changes) => {
        const path = `t${++tables}`;
        const open = () => deltaTable(lake.store, path, { ...lake.context, sql: lake.sql });
        const columns: (keyof Row)[] = ['k', 'p', 'v'];
        const texts = (rows: readonly object[]) =>
          rows.map((row) => JSON.stringify(columns.map((c) => (row as Row)[c] ?? null))).sort();
        for (const rows of drops) {
          const partitionBy = ['p'];
          await appendQuery(open(), lake.sql, query(rows, columns), {
            partitionBy,
            properties: { 'delta.checkpointInterval': '3' },
          });
        }
        let expected: Row[] = drops.flat();
        const versions = new Map<number, object[]>();
        for (const change of changes) {
          if (change.kind === 'grow' && !columns.includes('w')) columns.push('w');
          await apply(open(), change, columns);
          expected = after(expected, change);
          const snapshot = await open().snapshot();
          const seen = await lake.rows(snapshot);
          expect(texts(seen)).toEqual(texts(expected));
          versions.set(snapshot.version, seen);
        }
        // no later change may reach into an earlier version
        for (const [version, seen] of versions) {
          expect(await lake.rows(await open().snapshot({ version }))).toEqual(seen);
        }
      },
    );
    await fc.assert(property, { numRuns: 12 });
  });
});
