import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallSearch } from '../stages/use-cases.ts';
import { policies } from '../stages/world.ts';
import { type Clone, type Ran, cloned } from './clone.ts';

const quarantinedCanary = 'QCANARY7F3A9';
const acceptedCanary = 'ACANARY51C2E';

/** The whole way by hand, command after command, on one clone. */
let clone: Clone;
let ran: { [step: string]: Ran };
beforeAll(async () => {
  const [, boosting] = smallSearch.models;
  clone = cloned({ ...smallSearch, models: [boosting] });
  const { bordereau } = clone;
  const file = (name: string) => join(clone.directory, name);
  ran = {};
  // values that must be found in no log, history, page or message: of rows that break the contract, and of a good one
  const rows = new TextDecoder().decode(policies()).trimEnd();
  const canaries = [
    `2000001,45,MALE,27.9,2,no,${quarantinedCanary},4512.33,2026-01-03T08:15:42Z,,,,,`,
    `2000002,${quarantinedCanary},MALE,27.9,2,no,SOUTHEAST,4512.33,2026-01-03T08:15:42Z,,,,,`,
    `2000003,45,MALE,27.9,2,no,SOUTHEAST,4512.33,2026-01-03T08:15:42Z,,,,,,${quarantinedCanary}`,
    `2000004,45,MALE,27.9,2,"${quarantinedCanary},SOUTHEAST,4512.33,2026-01-03T08:15:42Z,,,,,`,
    `${acceptedCanary},45,MALE,27.9,2,no,SOUTHEAST,4512.33,2026-01-03T08:15:42Z,,,,,`,
  ];
  writeFileSync(file('january.csv'), [rows, ...canaries, ''].join('\n'));
  ran['drop'] = await bordereau('drop', 'january.csv', '--source', 'policies');
  [ran['tables'], ran['quarantine']] = await Promise.all([
    bordereau('tables', '--json'),
    bordereau('quarantine', 'list', '--rows'),
  ]);
  ran['retrain'] = await bordereau('retrain');
  writeFileSync(file('february.csv'), policies({ month: '2026-02', inflation: 1.15, agedBy: 8 }));
  ran['february'] = await bordereau('drop', 'february.csv', '--source', 'policies', '--json', '--quiet');
  ran['score'] = await bordereau('score', '--json');
  ran['list'] = await bordereau('registry', 'list', '--json');
}, 180_000);
afterAll(() => clone.remove());

const documentOf = (step: string): unknown => JSON.parse(ran[step].stdout);

describe('from one dropped file to governed predictions, by the real binary', () => {
  test('a dropped file is ingested, learnt from, judged, scored and monitored, one line per state', () => {
    const { code, stdout, stderr } = ran['drop'];
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1205 rows: 1177 accepted, 28 quarantined, 0 rejected\.\n/);
    const states = [...stderr.matchAll(/^✓ (\w+) +(\w+) +\d+\.\d s/gm)].map(
      ([, machine, state]) => `${machine} ${state}`,
    );
    expect(states).toEqual(
      expect.arrayContaining([
        'ingest Validate',
        'ingest BuildFeatures',
        'train Train',
        'govern Promote',
        'score Publish',
        'monitor Monitor',
      ]),
    );
    expect(stderr).not.toContain('\u001B');
    const page = stdout.trimEnd().split('\n').at(-1)!;
    expect(page).toMatch(/\.bordereau\/reports\/pages\/insurance-cost\/drop-[0-9a-f]{12}-[0-9a-f]{6}\.html$/);
    expect(existsSync(page)).toBe(true);
  });

  test('what it made can be looked at by the next commands', () => {
    const { tables } = documentOf('tables') as { tables: { table: string; rows: number }[] };
    expect(Object.fromEntries(tables.map(({ table, rows }) => [table, rows]))).toEqual({
      policies: 1177,
      quarantine: 28,
      features: 1177,
      predictions: 1177,
      drift: 14,
    });
    expect(ran['quarantine'].stdout.trimEnd().split('\n')).toHaveLength(30);
  });

  test('a retraining that brings nothing is refused with 4 and the reason', () => {
    expect(ran['retrain'].code).toBe(4);
    expect(ran['retrain'].stdout).toMatch(/^The champion stays\. /);
  });

  test('a month that has drifted ends with 5, or with 4 where its challenger is refused', () => {
    expect([ran['february'].code, ran['february'].stderr]).toEqual([0, '']);
    type Machines = { machine: string; announced: string[]; reasons: string[] }[];
    const { machines } = documentOf('score') as { machines: Machines };
    const monitored = machines.find(({ machine }) => machine === 'monitor')!;
    expect(monitored.announced).toEqual(['DriftDetected', 'RetrainRequested']);
    expect(monitored.reasons[0]).toMatch(/age/);
    const refused = machines.some(({ announced }) => announced.includes('ModelRefused'));
    expect(ran['score'].code).toBe(refused ? 4 : 5);
    expect(documentOf('list')).toMatchObject({
      champion: refused ? 1 : 3,
      versions: [{ version: 1 }, { version: 2, status: '' }, { version: 3 }],
    });
  });
});

describe('no value of an insured row leaves the tables', () => {
  const found = (canary: string, below: string) =>
    readdirSync(below, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path).includes(canary))
      .map((path) => path.slice(below.length + 1));
  const state = (...names: string[]) => join(clone.directory, '.bordereau', ...names);

  test('a quarantined row is in bronze and nowhere else', async () => {
    const places = found(quarantinedCanary, state());
    expect(places.length).toBeGreaterThan(0);
    expect(places.filter((path) => !path.startsWith('bronze/'))).toEqual([]);
    const rows = ['policies', 'features', 'predictions', 'drift'].map(
      (table) => `SELECT t::VARCHAR AS row FROM ${table} t`,
    );
    const query = `SELECT count(*) AS n, count(*) FILTER (row LIKE '%${quarantinedCanary}%') AS canaries FROM (${rows.join(' UNION ALL ')})`;
    const { stdout } = await clone.bordereau('sql', query, '--json');
    expect(JSON.parse(stdout)).toEqual({ rows: [{ n: expect.any(Number), canaries: 0 }] });
  });

  test('a good row is in tables and frozen sets, and in no log, event, history, version, card or page', () => {
    for (const place of [
      'runtime',
      'reports',
      'registry/versions',
      'registry/cards',
      'registry/promotions',
      'registry/leases',
    ]) {
      expect([place, existsSync(state(place)), found(acceptedCanary, state(place))]).toEqual([place, true, []]);
    }
  });

  test('nor in what any command has printed', () => {
    for (const [step, { stdout, stderr }] of Object.entries(ran)) {
      expect([step, (stdout + stderr).match(/[QA]CANARY\w+/g)]).toEqual([step, null]);
    }
  });
});
