import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { quoteName } from '../../src/data/quote.ts';
import { LogDamaged, VersionNotFound } from '../../src/lake/errors.ts';
import { mount } from '../../src/lake/mount.ts';
import { sqlType } from '../../src/lake/schema.ts';
import type { Snapshot } from '../../src/lake/snapshot.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { openLake, type TestLake } from './lake.ts';

// tables written by the Python package deltalake, with what it reads from them: see test/fixtures/delta/README.md
const golden = fileURLToPath(new URL('../fixtures/delta/golden/', import.meta.url));
const names = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

let lake: TestLake;
beforeEach(async () => {
  lake = await openLake();
});
afterEach(() => lake.close());

function open(name: string) {
  return deltaTable(new DirectoryStore(golden), name, { ...lake.context, sql: lake.sql });
}

/** The rows as the fixture has them: decimals, dates and timestamps as text. */
async function rows(snapshot: Snapshot): Promise<unknown[]> {
  const mounted = await mount(lake.sql, snapshot, 'seen');
  const columns = snapshot.schema.fields.map(({ name, type }) => {
    const asText = /^(DECIMAL|DATE|TIMESTAMP)/.test(sqlType(type));
    return asText ? `CAST(${quoteName(name)} AS VARCHAR) AS ${quoteName(name)}` : quoteName(name);
  });
  const found = await lake.sql.rows(`SELECT ${columns.join(', ')} FROM seen`);
  await mounted.release();
  return found;
}

describe.each(names)('the table %s of another writer', (name) => {
  const expected = JSON.parse(readFileSync(`${golden}${name}.expected.json`, 'utf8')) as {
    version: number;
    rows: unknown[];
  }[];

  test.each(expected)('reads the same at version $version', async ({ version, rows: wanted }) => {
    const found = await rows(await open(name).snapshot({ version }));
    expect(found).toHaveLength(wanted.length);
    expect(found).toEqual(expect.arrayContaining(wanted));
  });

  test('its latest version is the last one listed', async () => {
    expect((await open(name).snapshot()).version).toBe(expected.at(-1)!.version);
  });
});

test('the fixture holds every kind of table it is to hold', () => {
  expect(names.sort()).toEqual(['append-overwrite-delete', 'cleaned-up', 'grown-schema', 'partitioned', 'wall-clock']);
});

test('a version whose commits were cleaned up is told apart from one that never was', async () => {
  await expect(open('cleaned-up').snapshot({ version: 1 })).rejects.toThrow(VersionNotFound);
  await expect(open('cleaned-up').snapshot({ version: 1 })).rejects.toThrow('only 3 and later ones');
  await expect(open('cleaned-up').snapshot({ version: 9 })).rejects.toThrow('has no version 9; it has 0 to 4');
});

test('a log that begins with a checkpoint says that it takes an SQL engine', async () => {
  const table = deltaTable(new DirectoryStore(golden), 'cleaned-up', lake.context);
  await expect(table.snapshot()).rejects.toThrow(LogDamaged);
  await expect(table.snapshot()).rejects.toThrow('open the table with an SQL engine');
});

test('the history of another writer has its operations and times', async () => {
  const history = await open('append-overwrite-delete').history();
  expect(history.map((entry) => entry.version)).toEqual([4, 3, 2, 1, 0]);
  expect(history.map((entry) => entry.operation)).toEqual(['WRITE', 'WRITE', 'DELETE', 'WRITE', 'WRITE']);
  const snapshot = await open('append-overwrite-delete').snapshot({ timestampMs: history[1].timestampMs });
  expect(snapshot.timestampMs).toBe(history[1].timestampMs);
});
