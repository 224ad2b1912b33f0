import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quoteText } from '../../src/data/quote.ts';
import { mount } from '../../src/lake/mount.ts';
import { pruned, type Filter, type Scalar } from '../../src/lake/prune.ts';
import type { Snapshot } from '../../src/lake/snapshot.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { appendQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';

let lake: TestLake;
let tables = 0;
beforeAll(async () => {
  lake = await openLake();
});
afterAll(() => lake.close());

/** A column type with values of it, as filters have them, and what makes an SQL literal of one. */
type Kind = { type: string; values: readonly Scalar[]; canPart: boolean };
const kinds: Kind[] = [
  { type: 'INTEGER', values: [-7, 0, 3, 4, 2_000_000_000], canPart: true },
  { type: 'BIGINT', values: [-1, 5, 9_007_199_254_740_991], canPart: true },
  { type: 'DOUBLE', values: [-0.5, 0, 0.1, 2.5, 1e300], canPart: false },
  { type: 'FLOAT', values: [-0.5, 0.1, 16_777_216], canPart: false },
  { type: 'DECIMAL(8,2)', values: [-3.25, 0, 0.1, 99.99], canPart: false },
  { type: 'DECIMAL(38,4)', values: [-1, 0.1, 5], canPart: false },
  { type: 'DATE', values: ['1969-12-31', '2026-02-01', '2026-02-02'], canPart: true },
  {
    type: 'TIMESTAMPTZ',
    values: ['1969-12-31T23:59:59.999Z', '2026-02-01T00:00:00Z', '2026-02-01T00:00:00.0005Z'],
    canPart: false,
  },
  { type: 'TIMESTAMP', values: ['2026-02-01T00:00:00', '2026-02-01T00:00:00.000999'], canPart: false },
  { type: 'VARCHAR', values: ['', 'a', 'b c', 'Z', "it's", 'é'], canPart: true },
  { type: 'BOOLEAN', values: [true, false], canPart: true },
];

const cases = fc.constantFrom(...kinds).chain(({ type, values, canPart }) => {
  const value = fc.constantFrom(...values);
  const parted = fc.boolean().map((wish) => wish && canPart);
  const filter: fc.Arbitrary<Filter> = fc.oneof(
    fc.array(value, { maxLength: 2 }).map((wanted) => ({ column: 'x', in: wanted })),
    fc
      .record({ from: fc.option(value, { nil: undefined }), to: fc.option(value, { nil: undefined }) })
      .map((ends) => ({ column: 'x', ...ends })),
  );
  // several files of few rows, so that most files have narrow statistics
  const files = fc.array(fc.array(fc.option(value, { nil: null }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 4,
  });
  return fc.record({
    type: fc.constant(type),
    files,
    parted,
    filters: fc.array(filter, { minLength: 1, maxLength: 2 }),
  });
});

async function ids(snapshot: Snapshot, filters: readonly Filter[] = []): Promise<unknown[]> {
  const mounted = await mount(lake.sql, snapshot, 'seen', filters);
  try {
    return (await lake.sql.rows('SELECT id FROM seen ORDER BY id')).map((row) => row['id']);
  } finally {
    await mounted.release();
  }
}

test('a filtered table has the rows that a filter over the whole table leaves, whatever files it passes over', async () => {
  let skipped = 0;
  const property = fc.asyncProperty(cases, async ({ type, files, parted, filters }) => {
    const table = deltaTable(lake.store, `t${++tables}`, lake.context);
    const literal = (value: Scalar | null) =>
      value === null ? `NULL::${type}` : `CAST(${quoteText(String(value))} AS ${type})`;
    let id = 0;
    for (const values of files) {
      // an empty text cannot part files
      const rows = values.map((value) => `(${id++}, ${literal(parted && value === '' ? null : value)})`);
      await appendQuery(table, lake.sql, `FROM (VALUES ${rows.join(', ')}) v(id, x)`, {
        partitionBy: parted ? ['x'] : [],
      });
    }
    const snapshot = await table.snapshot();

    // the naive twin: every file is read, and SQL compares each row with the filters
    const mounted = await mount(lake.sql, snapshot, 'whole');
    const conditions = filters.map((filter) => {
      const of = (value: Scalar) => (typeof value === 'number' ? `${value}::DOUBLE` : literal(value));
      if ('in' in filter)
        return filter.in.length === 0 ? 'false' : `(${filter.in.map((value) => `x = ${of(value)}`).join(' OR ')})`;
      const { from, to } = filter;
      const ends = [from !== undefined && `x >= ${of(from)}`, to !== undefined && `x <= ${of(to)}`, 'x IS NOT NULL'];
      return ends.filter(Boolean).join(' AND ');
    });
    const wanted = await lake.sql.rows(`SELECT id FROM whole WHERE ${conditions.join(' AND ')} ORDER BY id`);
    await mounted.release();

    expect(await ids(snapshot, filters)).toEqual(wanted.map((row) => row['id']));
    skipped += snapshot.files.size - pruned(snapshot, filters).files.size;
  });
  await fc.assert(property, { numRuns: 80 });
  expect(skipped).toBeGreaterThan(25);
});

test.each<[string, Filter, number]>([
  ['numbers by their ends', { column: 'n', from: 12, to: 13 }, 1],
  ['numbers by several values', { column: 'n', in: [3, 25] }, 2],
  ['times by their ends', { column: 'at', from: '2026-01-01T00:20:00Z' }, 1],
  ['texts not at all, for the log keeps none', { column: 't', in: ['5'] }, 3],
])('of three files with ascending rows those are read that it takes: %s', async (_, filter, files) => {
  const table = deltaTable(lake.store, `t${++tables}`, lake.context);
  for (const start of [0, 10, 20]) {
    const rows = `SELECT i AS n, TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) MINUTE AS at, i::VARCHAR AS t`;
    await appendQuery(table, lake.sql, `${rows} FROM range(${start}, ${start + 10}) r(i)`);
  }
  expect(pruned(await table.snapshot(), [filter]).files.size).toBe(files);
});

test.each<[string, object | undefined, boolean]>([
  ['none', undefined, true],
  ['only a row count', { numRecords: 3 }, true],
  ['nothing but nulls', { numRecords: 3, nullCount: { n: 3 } }, false],
  ['an end that is cut off', { numRecords: 3, minValues: { n: 100 } }, false],
  ['an end of another kind', { numRecords: 3, minValues: { n: 'x' }, maxValues: { n: null } }, true],
])('a file of another writer with the statistics %s', async (_, stats, isRead) => {
  const table = deltaTable(lake.store, `t${++tables}`, lake.context);
  await appendQuery(table, lake.sql, 'SELECT 5 AS n');
  const snapshot = await table.snapshot();
  const [[path, add]] = snapshot.files;
  const foreign = { ...snapshot, files: new Map([[path, { ...add, stats: stats && JSON.stringify(stats) }]]) };
  expect(pruned(foreign, [{ column: 'n', from: 1, to: 9 }]).files.size).toBe(isRead ? 1 : 0);
});

test('a filter by a column that is not there is refused', async () => {
  const table = deltaTable(lake.store, `t${++tables}`, lake.context);
  await appendQuery(table, lake.sql, 'SELECT 5 AS n');
  await expect(mount(lake.sql, await table.snapshot(), 'v', [{ column: 'm', in: [1] }])).rejects.toThrow(
    'has no column m to filter by',
  );
});
