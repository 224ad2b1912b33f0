import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type World, contents, govern, ingest, openWorld, policies, score, train } from '../stages/world.ts';
import { runCli, scratch } from './run-cli.ts';

/** A month is in the tables and scored, so that there is something to lose. */
let settled: World;
beforeAll(async () => {
  settled = await openWorld();
  const runId = await ingest(settled, 'january.csv', policies());
  await govern(settled, runId, await train(settled, runId));
  await score(settled, runId);
});
afterAll(() => settled.close());

let world: World;
beforeEach(async () => {
  world = await openWorld({ from: settled });
  onTestFinished(() => world.close());
});

const on = (...argv: string[]) => runCli(...argv, '--dir', world.directory);
const text = (content: string) => new TextEncoder().encode(content);
const good = new TextDecoder().decode(policies({ rows: 50, dirtShare: 0, month: '2026-02' })).replaceAll('\r', '');

/** What must be as it was, whatever is dropped. */
const tables = async () => [
  await contents(world.ports.silver),
  await contents(world.ports.gold),
  await contents(world.ports.registry, 'promotions/'),
];

describe('a file that is not what the contract describes is refused with 3, by name and with what to do', () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good, 'utf16le')]);
  const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.from([0, 1, 2, 0xff, 0xfe, 0, 0])]);
  test.each<[string, Uint8Array, string[]]>([
    ['lacks a column', text(good.replace(',charges,', ',fees,')), ['(missing-columns)', 'it lacks "charges"']],
    [
      'has its columns separated otherwise',
      text(good.replaceAll(',', ';')),
      ['(wrong-delimiter)', 'a semicolon', 'Export it with a comma.'],
    ],
    [
      'has a column that nobody knows',
      text(good.replace('bmi', 'bmi,shoe_size').replace(/(\n[^,]*,[^,]*,[^,]*,)/g, '$142,')),
      ['(unknown-columns)', '"shoe_size"'],
    ],
    ['has a column twice', text(good.replace('sex', 'age')), ['(duplicate-columns)', '"age"']],
    ['is empty', new Uint8Array(), ['(empty)', 'Drop a file with a header line.']],
    ['is no text at all', pdf, ['(not-text)']],
    ['is UTF-16', utf16, ['(not-text)']],
    [
      'has bad rows beyond what the contract bears',
      text(good.replaceAll('True', 'perhaps').replaceAll('False', 'perhaps')),
      ['is halted: 50 of 50 rows are quarantined', 'a share of 0.2', 'The quarantine tells which rules'],
    ],
  ])('a file that %s', async (_title, bytes, said) => {
    const before = await tables();
    const file = scratch()('bad.csv', bytes);
    const { code, out, err } = await on('drop', file, '--source', 'policies', '--json');
    expect(code).toBe(3);
    for (const words of [
      'The file bad.csv ',
      ...said,
      'The file stays in bronze; no row of it has entered silver.',
      'Next: ',
    ]) {
      expect(err).toContain(words);
    }
    expect(err).not.toMatch(/\n {4}at /);
    expect(JSON.parse(out)).toMatchObject({
      key: 'drops/insurance-cost/policies/bad.csv',
      machines: [{ machine: 'ingest', status: 'FAILED', error: 'DatasetRefused' }],
    });
    const kept = await world.ports.bronze.get('drops/insurance-cost/policies/bad.csv');
    expect(Buffer.compare(kept!, bytes)).toBe(0);
    expect(await tables()).toEqual(before);
    expect((await on('sql', 'SELECT count(*) AS n FROM predictions', '--json')).out).toContain('"n": 1176');
  });

  test('a header alone is a file of no rows: nothing is refused and nothing changes', async () => {
    const before = await tables();
    const file = scratch()('header.csv', good.slice(0, good.indexOf('\n') + 1));
    const { code, out } = await on('drop', file, '--source', 'policies');
    expect([code, out]).toEqual([0, expect.stringContaining('0 rows: 0 accepted, 0 quarantined, 0 rejected.')]);
    const [, gold, promotions] = await tables();
    // what a step leaves for the next one is no part of a table
    for (const key of gold.keys()) if (key.includes('/_parts/') && !before[1].has(key)) gold.delete(key);
    expect([gold, promotions]).toEqual(before.slice(1));
    expect(await world.rows('silver', 'tables/insurance-cost/policies', 'SELECT count(*) AS n FROM rows')).toEqual([
      { n: 1176 },
    ]);
  });

  test('the corrected file enters as if nothing had been', async () => {
    const path = scratch();
    expect(
      (await on('drop', path('february.csv', good.replace(',charges,', ',fees,')), '--source', 'policies')).code,
    ).toBe(3);
    const { code } = await on('drop', path('february.csv', good), '--source', 'policies');
    expect(code).toBe(0);
    expect(await world.rows('silver', 'tables/insurance-cost/policies', 'SELECT count(*) AS n FROM rows')).toEqual([
      { n: 1226 },
    ]);
  });

  test('a file name that no store could keep is refused before anything is put', async () => {
    const before = await contents(world.ports.bronze);
    const { code, err } = await on('drop', scratch()('what?.csv', good), '--source', 'policies');
    expect([code, err]).toEqual([2, expect.stringContaining('a name has a character outside the allowed ones')]);
    expect(await contents(world.ports.bronze)).toEqual(before);
  });
});

describe('a state directory that cannot be used', () => {
  test.each([
    ['is a file', (path: string) => path],
    ['lies below a file', (path: string) => join(path, 'deeper', 'still')],
  ])('because it %s is named, with 2', async (_title, directoryOf) => {
    const path = scratch();
    const directory = directoryOf(path('occupied', 'mine'));
    const file = path('good.csv', good);
    const { code, err } = await runCli('drop', file, '--source', 'policies', '--dir', directory);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(
        `The state directory ${directory} cannot be used: part of its path is a file. Name another one by --dir.`,
      ),
    ]);
  });

  test('because a zone of it is a file keeps what is there', async () => {
    const directory = scratch()('state');
    mkdirSync(directory);
    writeFileSync(join(directory, 'bronze'), 'in the way');
    const file = scratch()('good.csv', good);
    const { code, err } = await runCli('drop', file, '--source', 'policies', '--dir', directory);
    expect([code, err]).toEqual([1, expect.stringContaining('Part of the path is a file')]);
    expect(err).toContain(join(directory, 'bronze'));
  });
});

describe('a broken state file is named, and nothing is lost', () => {
  test('a waiting event: the drop is in bronze, and goes its way once the file is put aside', async () => {
    const events = join(world.directory, 'runtime', 'events');
    mkdirSync(events, { recursive: true });
    writeFileSync(join(events, '000000001.json'), '{"source":"aws.s3","detail-ty');
    const file = scratch()('february.csv', good);
    const { code, err } = await on('drop', file, '--source', 'policies');
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('The state file runtime/events/000000001.json cannot be read'),
    ]);
    expect(err).toContain('Move it away to go on');
    expect(await world.ports.bronze.get('drops/insurance-cost/policies/february.csv')).toEqual(text(good));
    expect((await on('sql', 'SELECT count(*) AS n FROM policies', '--json')).out).toContain('"n": 1176');

    renameSync(join(events, '000000001.json'), join(events, '000000001.json.broken'));
    expect((await on('score')).code).toBe(0);
    expect((await on('sql', 'SELECT count(*) AS n FROM policies', '--json')).out).toContain('"n": 1226');
  });

  test.each<[string, string, string[], string]>([
    [
      'a table’s log',
      'silver/tables/insurance-cost/policies/_delta_log/00000000000000000000.json',
      ['tables'],
      '_delta_log/00000000000000000000.json',
    ],
    [
      'a version’s manifest',
      'registry/versions/insurance-cost/0001/manifest.json',
      ['registry', 'list'],
      'versions/insurance-cost/0001/manifest.json is not readable as JSON',
    ],
    [
      'an entry of the promotion log',
      'registry/promotions/insurance-cost/00000001.json',
      ['registry', 'history'],
      'promotions/insurance-cost/00000001.json is not readable as JSON',
    ],
    [
      'an evaluation',
      'registry/versions/insurance-cost/0001/evaluation.json',
      ['registry', 'list'],
      'versions/insurance-cost/0001/evaluation.json is not the file that was published',
    ],
    [
      'the facts of a run',
      'reports/facts/insurance-cost/drop-january.csv/stages/Validate.json',
      ['monitor'],
      'reports/facts/insurance-cost/drop-january.csv/stages/Validate.json cannot be read: it was edited or cut short.',
    ],
  ])('%s', async (_title, path, command, said) => {
    writeFileSync(join(world.directory, path), '{"format": 1, "use');
    const { code, err } = await on(...command);
    expect([code, err]).toEqual([1, expect.stringContaining(said)]);
    expect(err).not.toMatch(/\n {4}at /);
  });
});
