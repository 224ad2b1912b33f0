import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deleteRows } from '../../src/lake/change.ts';
import { appendQuery } from '../../src/lake/write.ts';
import { type LakeFolder, lakeFolder } from './lake-folder.ts';
import { runCli, runJson } from './run-cli.ts';

const path = 'features/insurance-cost';
const daysAgo = (days: number) => Date.now() - days * 86_400_000;

/** Features of which one row was deleted, nine days ago; all files are from before. */
async function tidying(): Promise<LakeFolder & { files: () => Promise<string[]> }> {
  const lake = await lakeFolder();
  await appendQuery(lake.table('gold', path, daysAgo(30)), lake.sql, 'SELECT 1 AS id, 2 AS x');
  await appendQuery(lake.table('gold', path, daysAgo(20)), lake.sql, 'SELECT 2 AS id, 3 AS x');
  await deleteRows(lake.table('gold', path, daysAgo(9)), lake.sql, 'SELECT 1 AS id');
  const folder = join(lake.directory, 'gold', path);
  const files = async () => (await readdir(folder)).filter((name) => name.endsWith('.parquet')).sort();
  for (const name of await files()) await utimes(join(folder, name), daysAgo(20) / 1000, daysAgo(20) / 1000);
  return { ...lake, files };
}

test('the latest version of each table is listed, or with --history every one', async () => {
  const { directory } = await tidying();
  type Listed = { tables: { table: string; version: number; operation: string; rows: number; columns: string[] }[] };
  const latest = await runJson<Listed>('tables', '--dir', directory);
  expect(latest.tables).toEqual([
    expect.objectContaining({ table: 'features', version: 2, operation: 'DELETE', rows: 1, columns: ['id', 'x'] }),
  ]);
  const { tables } = await runJson<Listed>('tables', '--history', '--dir', directory);
  expect(tables.map(({ version, operation, rows }) => [version, operation, rows])).toEqual([
    [2, 'DELETE', 1],
    [1, 'WRITE', 2],
    [0, 'WRITE', 1],
  ]);
});

test('vacuum tells with --dry-run what it would delete, then deletes it', async () => {
  const { directory, files } = await tidying();
  const before = await files();
  type Tidied = { tables: { table: string; files: string[]; sizeBytes: number }[] };
  const planned = await runJson<Tidied>('tables', 'vacuum', '--dry-run', '--dir', directory);
  expect(planned.tables).toEqual([
    expect.objectContaining({ table: 'features', files: [expect.stringMatching(/^gold\/features\/.*\.parquet$/)] }),
  ]);
  expect(await files()).toEqual(before);

  const { code, out } = await runCli('tables', 'vacuum', '--dir', directory);
  expect(code).toBe(0);
  expect(out).toMatch(/features +1 +0\.0 +gold\/features/);
  const [gone] = planned.tables[0].files;
  expect(await files()).toEqual(before.filter((name) => !gone.endsWith(name)));
  expect((await runCli('sql', 'FROM features AT (VERSION => 0)', '--dir', directory)).err).toContain(
    'a vacuum has taken files',
  );
});

test('vacuum with a longer retention leaves what versions within it need', async () => {
  const { directory, files } = await tidying();
  const before = await files();
  expect((await runCli('tables', 'vacuum', '--retention', '10d', '--dir', directory)).code).toBe(0);
  expect(await files()).toEqual(before);
  expect((await runCli('tables', 'vacuum', '--retention', '192h', '--dir', directory)).code).toBe(0);
  expect(await files()).toHaveLength(before.length - 1);
});

test.each([
  [['vacuum', '--retention', '1d'], 'is not vacuumed with a retention of 24 hours: 48 are the least'],
  [['vacuum', '--retention', 'soon'], '--retention takes days or hours, as 7d or 72h, not "soon"'],
  [['vacuum', '--retention', '-7d'], '--retention'],
  [['--dry-run'], '--dry-run belongs to vacuum'],
  [['--retention', '7d'], '--retention belongs to vacuum'],
  [['sweep'], '"tables" knows vacuum, not "sweep"'],
])('tables %j is refused', async (words, message) => {
  const { directory, files } = await tidying();
  const before = await files();
  const { code, err } = await runCli('tables', ...words, '--dir', directory);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(await files()).toEqual(before);
});
