import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendQuery, overwriteQuery } from '../../src/lake/write.ts';
import { lakeFolder } from './lake-folder.ts';
import { runCli, runJson } from './run-cli.ts';

const path = 'predictions/insurance-cost';
const [january, february] = ['2026-01-10T12:00:00Z', '2026-02-10T12:00:00Z'].map((text) => Date.parse(text));

/** Two versions of predictions, a month apart, and one of drift. */
async function asking() {
  const lake = await lakeFolder();
  const row = (id: number, category: string) => `SELECT ${id} AS id, '${category}' AS category, [${id}] AS list`;
  await appendQuery(lake.table('gold', path, january), lake.sql, row(1, 'low'));
  await appendQuery(lake.table('gold', path, february), lake.sql, row(2, 'high'));
  await appendQuery(lake.table('gold', 'drift/insurance-cost', january), lake.sql, `SELECT 'NONE' AS severity`);
  const ask = (query: string) => runCli('sql', query, '--dir', lake.directory);
  const rows = async (query: string) => (await runJson<{ rows: object[] }>('sql', query, '--dir', lake.directory)).rows;
  return { lake, ask, rows };
}

test('tables are asked by their names', async () => {
  const { ask, rows } = await asking();
  expect(await rows('SELECT count(*) AS n FROM predictions, drift')).toEqual([{ n: 2 }]);
  const { code, out } = await ask('FROM predictions ORDER BY id');
  expect(code).toBe(0);
  expect(out.split('\n').slice(2, 4)).toEqual([' 1  low       [1]', ' 2  high      [2]']);
});

describe('time travel', () => {
  test('by version, by time and against today, in one query', async () => {
    const { rows } = await asking();
    expect(await rows('SELECT predictions.category FROM predictions AT (VERSION => 0)')).toEqual([{ category: 'low' }]);
    expect(await rows("SELECT p.id FROM predictions AT (TIMESTAMP => '2026-02-01') p")).toEqual([{ id: 1 }]);
    const added = 'SELECT id FROM predictions EXCEPT SELECT id FROM predictions AT (VERSION => 0)';
    expect(await rows(added)).toEqual([{ id: 2 }]);
    const compared = `SELECT old.id AS was, new.id AS "is" FROM Predictions AT (VERSION => 0) AS old, predictions AT (TIMESTAMP => '2026-02-10 13:00:00') AS new WHERE new.id > 1`;
    expect(await rows(compared)).toEqual([{ was: 1, is: 2 }]);
  });

  test('does not touch a text that looks like it', async () => {
    const { rows } = await asking();
    const text = 'FROM predictions AT (VERSION => 9)';
    expect(await rows(`SELECT '${text}' AS text FROM drift -- ${text}`)).toEqual([{ text }]);
  });

  test.each([
    ['predictions AT (VERSION => 7)', 'has no version 7; it has 0 to 1', 'bordereau tables --history'],
    [
      "predictions AT (TIMESTAMP => '2025-12-24')",
      'no version as of 2025-12-24T00:00:00.000Z; it has versions from 2026-01-10T12:00:00.000Z on',
      'bordereau tables --history',
    ],
    [
      'premiums AT (VERSION => 0)',
      'There is no table premiums to go back in. The tables are: predictions, drift.',
      'bordereau tables',
    ],
    ['features AT (VERSION => 0)', 'There is no table features to go back in.', 'bordereau tables'],
    [
      'drift AT (VERSION => next)',
      'next is no version, which is a whole number from 0 on',
      'bordereau tables --history',
    ],
    ["drift AT (TIMESTAMP => '30.02.2026')", "'30.02.2026' is no time", 'bordereau tables --history'],
  ])('FROM %s says what there is instead', async (from, message, next) => {
    const { ask } = await asking();
    const { code, err } = await ask(`SELECT count(*) FROM ${from}`);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).toContain(`Next: ${next}`);
  });

  test('to rows whose files were vacuumed says so', async () => {
    const { lake, ask } = await asking();
    const table = lake.table('gold', path, february);
    const [gone] = (await table.snapshot({ version: 0 })).files.keys();
    await overwriteQuery(table, lake.sql, `SELECT 3 AS id, 'low' AS category, [3] AS list`);
    await rm(join(lake.directory, 'gold', path, gone));
    const { code, err } = await ask('FROM predictions AT (VERSION => 0)');
    expect(code).toBe(2);
    expect(err).toContain('Rows of predictions as of then are gone: a vacuum has taken files');
    expect((await ask('FROM predictions AT (VERSION => 2)')).code).toBe(0);
  });
});

test('a query that SQL cannot read is shown with the tables there are', async () => {
  const { ask } = await asking();
  const { code, err } = await ask('SELECT nothing FROM nowhere');
  expect(code).toBe(2);
  expect(err).toContain('nowhere');
  expect(err).toContain('The tables are: predictions, drift.');
});
