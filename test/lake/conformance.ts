import { execFile } from 'node:child_process';
import { cp, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quoteName, quoteText } from '../../src/data/quote.ts';
import { mount } from '../../src/lake/mount.ts';
import { deleteRows, mergeQuery } from '../../src/lake/change.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';
import { leastRetentionMs, vacuum } from '../../src/lake/vacuum.ts';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
import { openLake, type TestLake } from './lake.ts';

const changer = fileURLToPath(new URL('../fixtures/delta/change_with_deltalake.py', import.meta.url));
const reader = fileURLToPath(new URL('../fixtures/delta/read_with_deltalake.py', import.meta.url));
const golden = fileURLToPath(new URL('../fixtures/delta/golden/append-overwrite-delete', import.meta.url));

/** One of each type that a table can hold, for row `i`; every third value is null. */
const everyType = `
  SELECT i AS id, CASE WHEN i % 3 > 0 THEN i::TINYINT END AS tiny, (i * 100)::SMALLINT AS small, (-i)::INTEGER AS whole,
    i / 7::DOUBLE AS ratio, (i / 3)::FLOAT AS coarse, (i * 1.25)::DECIMAL(10, 2) AS premium, (i * 1e30)::DECIMAL(38, 4) AS huge,
    CASE WHEN i % 3 > 0 THEN 'Zürich ' || i ELSE '' END AS place, i % 2 = 0 AS smoker, 'raw'::BLOB AS bytes,
    DATE '1969-12-30' + i::INTEGER AS start, TIMESTAMPTZ '2026-03-29 00:59:59.999999+00' + INTERVAL (i) MINUTE AS received,
    TIMESTAMP '1960-01-01 00:00:00.000001' + INTERVAL (i) DAY AS wall, [i, NULL] AS list, {'a': i, 'b': {'c': 'x'}} AS nested,
    MAP {'k': i} AS lookup, CASE i WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN 'inf'::DOUBLE ELSE i END AS wild
  FROM range(5) r(i)`;

type Maker = (lake: TestLake, table: DeltaTable, python: string) => Promise<number | void>;

/** Each makes one table, and tells its first version that can still be read, where that is not 0. */
const makers: Record<string, Maker> = {
  async everyType(lake, table) {
    await appendQuery(table, lake.sql, everyType);
    await appendQuery(table, lake.sql, `${everyType} WHERE i < 3`, { txn: { appId: 'drop-1', version: 0 } });
    await appendQuery(table, lake.sql, everyType, { txn: { appId: 'drop-1', version: 0 } });
    await overwriteQuery(table, lake.sql, `${everyType} WHERE i > 2`);
  },
  async repeated(lake, table) {
    for (let i = 0; i < 3; i++) await appendQuery(table, lake.sql, `SELECT 1 AS n, 'same' AS t`);
    await overwriteQuery(table, lake.sql, `SELECT 1 AS n, 'same' AS t`);
    await overwriteQuery(table, lake.sql, `SELECT 2 AS n, 'other' AS t`);
    await overwriteQuery(table, lake.sql, `SELECT 1 AS n, 'same' AS t`);
  },
  async partitioned(lake, table) {
    const rows = `SELECT i AS id, [NULL, 'North East', 'a/b %c=é'][i % 3 + 1] AS region, DATE '2026-01-01' + (i % 2)::INTEGER AS day,
      i % 2 = 0 AS even FROM range(9) r(i)`;
    await appendQuery(table, lake.sql, rows, { partitionBy: ['region', 'day', 'even'] });
    await appendQuery(table, lake.sql, `SELECT id + 10 AS id, * EXCLUDE id FROM (${rows})`);
  },
  async empty(lake, table) {
    await appendQuery(table, lake.sql, `SELECT 1 AS n WHERE false`);
    await appendQuery(table, lake.sql, `SELECT 1 AS n`);
    await overwriteQuery(table, lake.sql, `SELECT 1 AS n WHERE false`);
  },
  async otherColumns(lake, table) {
    await appendQuery(table, lake.sql, `SELECT 1 AS n, 'x' AS t`);
    await overwriteQuery(table, lake.sql, `SELECT 2.5::DOUBLE AS n, now()::TIMESTAMP AS wall`, { replaceSchema: true });
  },
  async checkpointed(lake, table) {
    for (let i = 0; i < 12; i++)
      await appendQuery(table, lake.sql, `SELECT ${i} AS n`, { txn: { appId: 'a', version: i } });
    await overwriteQuery(table, lake.sql, `SELECT 99 AS n`);
    // the stock reader must find its way by the checkpoint alone
    for (let i = 0; i < 10; i++)
      await lake.store.delete(`${table.at.path}/_delta_log/${String(i).padStart(20, '0')}.json`);
    return 10;
  },
  async changedByKey(lake, table) {
    for (const start of [0, 10])
      await appendQuery(table, lake.sql, `SELECT i AS id, i % 3 AS part FROM range(${start}, ${start + 10}) r(i)`);
    await deleteRows(table, lake.sql, 'SELECT unnest([3, 4, 99]) AS id');
    await mergeQuery(table, lake.sql, 'SELECT unnest([5, 12, 77]) AS id, 9 AS part', { key: ['id'] });
    await deleteRows(table, lake.sql, 'SELECT id FROM range(100) r(id)');
    await mergeQuery(table, lake.sql, 'SELECT 5 AS id, 1 AS part', { key: ['id'] });
  },
  async partitionsChanged(lake, table) {
    const rows = (state: string) =>
      `SELECT i AS id, [NULL, 'x', 'y'][i % 3 + 1] AS region, '${state}' AS state FROM range(9) r(i)`;
    await appendQuery(table, lake.sql, rows('old'), { partitionBy: ['region'] });
    await overwriteQuery(table, lake.sql, `FROM (${rows('new')}) WHERE region IS DISTINCT FROM 'x'`, {
      replace: 'partitions',
    });
    await mergeQuery(table, lake.sql, `SELECT 1 AS id, 'z' AS region, 'moved' AS state`, { key: ['id'] });
    await deleteRows(table, lake.sql, `SELECT 'y' AS region`);
  },
  async grown(lake, table) {
    await appendQuery(table, lake.sql, `SELECT 1 AS id, 'x' AS region`, { partitionBy: ['region'] });
    await appendQuery(table, lake.sql, `SELECT 2 AS id, 'y' AS region, 2.5::DOUBLE AS score, {'a': 1} AS s`, {
      addColumns: true,
    });
    await mergeQuery(
      table,
      lake.sql,
      `SELECT 1 AS id, 'y' AS region, 3.5::DOUBLE AS score, NULL::STRUCT(a INTEGER) AS s, [1] AS l`,
      {
        key: ['id'],
        addColumns: true,
      },
    );
    await appendQuery(
      table,
      lake.sql,
      `SELECT 4 AS id, 'x' AS region, 1.5::DOUBLE AS score, {'a': 2} AS s, NULL::INTEGER[] AS l, TIMESTAMP '2026-02-01 00:00:00' AS wall`,
      {
        addColumns: true,
      },
    );
  },
  async vacuumed(lake, { at, context }) {
    const longAgo = Date.now() - 2 * leastRetentionMs;
    const table = deltaTable(at.store, at.path, { ...context, clock: { ...context.clock, nowMs: () => longAgo } });
    await appendQuery(table, lake.sql, 'SELECT i AS id FROM range(9) r(i)', {
      properties: { 'delta.appendOnly': 'false' },
    });
    await deleteRows(table, lake.sql, 'SELECT 3 AS id');
    for (const name of await readdir(join(lake.directory, at.path))) {
      if (name.endsWith('.parquet')) await utimes(join(lake.directory, at.path, name), longAgo / 1000, longAgo / 1000);
    }
    const today = deltaTable(at.store, at.path, { ...context, clock: { ...context.clock, nowMs: () => Date.now() } });
    const { files } = await vacuum(today, { retentionMs: leastRetentionMs });
    if (files.length !== 1) throw new Error(`the vacuum took ${files.length} files`);
    // what version 0 had is gone
    return 1;
  },
  async appendOnly(lake, table) {
    await appendQuery(table, lake.sql, `SELECT to_timestamp(1.5) AS at`, {
      properties: { 'delta.appendOnly': 'true' },
    });
    await appendQuery(table, lake.sql, `SELECT to_timestamp(2.5) AS at`);
    const { protocol } = await table.snapshot();
    if (protocol.minReaderVersion !== 1 || protocol.minWriterVersion !== 2)
      throw new Error('an old reader is shut out');
  },
  async changedByBoth(lake, table, python) {
    for (const start of [0, 5]) {
      await appendQuery(table, lake.sql, `SELECT i AS id, 'ours' AS state FROM range(${start}, ${start + 5}) r(i)`);
    }
    await promisify(execFile)(python, [changer, join(lake.directory, table.at.path)]);
    await deleteRows(table, lake.sql, 'SELECT unnest([3, 102]) AS id');
    await mergeQuery(table, lake.sql, `SELECT unnest([4, 200, 300]) AS id, 'merged' AS state`, { key: ['id'] });
    const left = JSON.stringify((await lake.rows(await table.snapshot())).map((row) => row['id']));
    if (left !== '[0,2,4,5,6,7,8,9,100,200,300]') throw new Error(`the rows ${left} are left`);
  },
  async continued(lake, table) {
    await cp(golden, join(lake.directory, table.at.path), { recursive: true });
    const rows = `SELECT 5::BIGINT AS policy_id, 'NE' AS region, 5.0::DOUBLE AS charges, 5::DECIMAL(10, 2) AS premium,
      DATE '2026-05-05' AS start, TIMESTAMPTZ '2026-05-05 05:05:05+00' AS received, true AS smoker, 1::TINYINT AS children`;
    await appendQuery(table, lake.sql, rows);
    await overwriteQuery(table, lake.sql, rows);
  },
};

/**
 * A stock reader against our writer: makes tables of every kind that we write, lets the Python package `deltalake` read each
 * of their versions, and compares with what our own reader sees, row by row and type by type. `python` is an interpreter that
 * has deltalake and pyarrow. Returns one line per table that is not read alike.
 */
export async function compareWithDeltalake(python: string): Promise<string[]> {
  const failures: string[] = [];
  for (const [name, make] of Object.entries(makers)) {
    const lake = await openLake();
    try {
      const versions = await compareTable(lake, name, make, python);
      console.log(`deltalake, ${name}: ${versions} versions read alike`);
    } catch (error) {
      failures.push(`deltalake, ${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await lake.close();
    }
  }
  return failures;
}

async function compareTable(lake: TestLake, name: string, make: Maker, python: string): Promise<number> {
  const table = deltaTable(lake.store, name, { ...lake.context, sql: lake.sql });
  const first = String((await make(lake, table, python)) ?? 0);
  const output = join(lake.directory, 'read');
  const { stdout } = await promisify(execFile)(python, [reader, join(lake.directory, name), output, first]);
  const versions = JSON.parse(stdout) as number[];
  for (const version of versions) await compare(lake, table, version, join(output, `${version}.parquet`));
  const { version: latest } = await table.snapshot();
  if (versions.at(-1) !== latest) throw new Error(`it ends at version ${versions.at(-1)} there, at ${latest} here`);
  return versions.length;
}

/** Throws where the two readers differ in a column, a type or a row. */
async function compare(lake: TestLake, table: DeltaTable, version: number, file: string): Promise<void> {
  const ours = await mount(lake.sql, await table.snapshot({ version }), 'ours');
  try {
    const theirs = `read_parquet(${quoteText(file)})`;
    const [left, right] = await Promise.all(
      ['ours', theirs].map((source) => lake.sql.rows(`DESCRIBE SELECT * FROM ${source}`)),
    );
    const columns = (rows: typeof left) =>
      rows
        .map((row) => `${row['column_name'] as string} ${row['column_type'] as string}`)
        .sort()
        .join(', ');
    if (columns(left) !== columns(right))
      throw new Error(`version ${version}: columns ${columns(left)} against ${columns(right)}`);
    const names = left.map((row) => quoteName(row['column_name'] as string)).join(', ');
    const [only] = await lake.sql.rows(
      `SELECT (SELECT count(*) FROM (SELECT ${names} FROM ours EXCEPT ALL SELECT ${names} FROM ${theirs})) AS here,
              (SELECT count(*) FROM (SELECT ${names} FROM ${theirs} EXCEPT ALL SELECT ${names} FROM ours)) AS there`,
    );
    if (only.here !== 0 || only.there !== 0) {
      throw new Error(`version ${version}: ${JSON.stringify(only)} rows in one only`);
    }
  } finally {
    await ours.release();
  }
}

if (import.meta.main) {
  const failures = await compareWithDeltalake(process.argv[2] ?? 'python3');
  for (const failure of failures) console.error(failure);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
