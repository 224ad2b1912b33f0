import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { commands } from '../../src/cli/main.ts';
import {
  type World,
  contents,
  govern,
  ingest,
  january,
  openWorld,
  policies,
  score,
  train,
  useCase,
} from '../stages/world.ts';
import { runCli, scratch } from './run-cli.ts';

/** One month has gone the whole way. */
let settled: World;
beforeAll(async () => {
  settled = await openWorld();
  const runId = await ingest(settled, 'january.csv', policies());
  await govern(settled, runId, await train(settled, runId));
  await settled.run('Monitor', await score(settled, runId));
  await settled.run('Report', { useCase, runId, machine: 'monitor', execution: 'none', failure: '' });
});
afterAll(() => settled.close());

/** The same for a test that changes it. */
async function copied(): Promise<World> {
  const world = await openWorld({ from: settled });
  onTestFinished(() => world.close());
  return world;
}

const on = (world: World, ...argv: string[]) => runCli(...argv, '--dir', world.directory);
const json = async (world: World, ...argv: string[]) => {
  const ran = await on(world, ...argv, '--json');
  return { ...ran, document: JSON.parse(ran.out) as { [name: string]: unknown } };
};

describe('help', () => {
  test.each(Object.keys(commands))('of %s shows examples that can be typed, before its options', async (name) => {
    const { code, out, err } = await runCli(name, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`Usage: bordereau ${name}`);
    expect(out.indexOf('Examples:')).toBeGreaterThan(0);
    expect(out.indexOf('Examples:')).toBeLessThan(out.indexOf('Usage:'));
    const examples = out.split('\n').filter((line) => line.startsWith('  bordereau '));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(example).toMatch(new RegExp(`^  bordereau ${name}( |$)`));
  });

  test('as a whole lists every command', async () => {
    const { code, out } = await runCli('--help');
    expect(code).toBe(0);
    for (const name of Object.keys(commands)) expect(out).toMatch(new RegExp(`^${name} +\\S`, 'm'));
    expect((await runCli()).code).toBe(2);
  });
});

describe('a command line that is wrong ends with 2, says what is wrong, and what to type', () => {
  test.each<[string[], string[]]>([
    [['retrian'], ['There is no command "retrian". Did you mean "retrain"?', 'Next: bordereau retrain']],
    [['frobnicate'], ['There is no command "frobnicate".', 'Next: bordereau --help']],
    [
      ['drop', 'p.csv', '--sorce', 'policies'],
      ['"drop" has no option --sorce. Did you mean --source?', 'bordereau drop --help'],
    ],
    [['drop'], ['"drop" takes 1 word after its name, 0 given.', 'Next: bordereau drop FILE --source NAME']],
    [
      ['drop', 'p.csv'],
      ['Which source is p.csv? insurance-cost has: policies.', 'Next: bordereau drop p.csv --source policies'],
    ],
    [['drop', 'none.csv', '--source', 'policies'], ['There is no file none.csv.']],
    [['drop', '.', '--source', 'policies'], ['. is a directory: name a file.']],
    [['drop', 'p.csv', '--source', 'polices'], ['has no source "polices". Did you mean "policies"?']],
    [
      ['tables', '--use-case', 'insurance-costs'],
      ['There is no use case "insurance-costs". Did you mean "insurance-cost"?'],
    ],
    [['generate', 'insurence-cost'], ['There is no use case "insurence-cost". Did you mean "insurance-cost"?']],
    [['generate', 'insurance-cost', '--rows', 'many'], ['--rows takes a number, not "many".']],
    [['generate', 'insurance-cost', '--rows', '0'], ['--rows takes a whole number of at least 1, not 0.']],
    [
      ['generate', 'insurance-cost', '--dirt-share', '1.5'],
      ['--dirt-share takes a number of at least 0 and at most 1, not 1.5.'],
    ],
    [['generate', 'insurance-cost', '--month', '2026-13'], ['--month takes YYYY-MM, not "2026-13".']],
    [
      ['generate', 'insurance-cost', '--out', 'no/such/directory/p.csv'],
      ['p.csv cannot be written: its directory does not exist.'],
    ],
    [['run', 'trian', '--input', '{}'], ['There is no machine "trian". Did you mean "train"?']],
    [['run', 'train'], ['"run train" needs --input.']],
    [['run', 'train', '--input', '{"useCase":'], ['The input is not JSON: ']],
    [['run', 'train', '--input', 'none.json'], ['There is no file none.json.']],
    [
      ['report', 'none'],
      ['No run "none" has a report here.', 'Next: bordereau report'],
    ],
    [['monitor', 'none'], ['none has not been scored yet.']],
    [
      ['quarantine', 'frob'],
      ['"quarantine" knows list', 'not "frob".'],
    ],
    [['registry', 'lst'], ['"registry" knows list, history, promote, rollback, live-at, not "lst".']],
    [
      ['registry', 'promote', 'two', '--reason', 'r'],
      ['takes the number of a version', 'Next: bordereau registry list'],
    ],
    [['registry', 'promote', '1'], ['A decision by hand needs --reason']],
    [['registry', 'promote', '9', '--reason', 'r'], ['There is no version 9 of insurance-cost']],
    [
      ['registry', 'live-at', 'yesterday'],
      ['takes a date or a time with its zone', 'live-at 2026-02-01T12:00Z'],
    ],
    [
      ['sql', 'SELEC 1'],
      ['syntax error', 'The tables are: policies, quarantine, features, predictions, drift.'],
    ],
    [
      ['sql', 'FROM prediction'],
      ['prediction does not exist', 'predictions'],
    ],
    [['asl', 'none.asl.json'], ['There is no file none.asl.json.']],
  ])('%j', async (argv, said) => {
    const world = argv[0] === 'asl' || argv[0] === 'generate' ? undefined : settled;
    const { code, out, err } = await runCli(...argv, ...(world ? ['--dir', world.directory] : []));
    expect([code, out]).toEqual([2, '']);
    for (const words of said) expect(err).toContain(words);
    expect(err).not.toMatch(/\n {4}at /);
    expect(err).not.toContain('\u001B');
  });

  test('a directory in which nothing has been done yet is said to be empty', async () => {
    const { code, err } = await runCli('tables', '--dir', scratch()('nowhere'));
    expect(code).toBe(2);
    expect(err).toMatch(/There is nothing at .*nowhere yet: no file has been dropped\.\n {2}Next: bordereau demo/);
  });
});

describe('every command prints data to stdout and all else to stderr', () => {
  test.each<[string[], string[]]>([
    [['tables'], ['tables']],
    [['sql', 'SELECT count(*) AS n FROM features'], ['rows']],
    [['quarantine', 'list'], ['quarantine']],
    [
      ['registry', 'list'],
      ['useCase', 'champion', 'versions'],
    ],
    [
      ['registry', 'history'],
      ['useCase', 'entries'],
    ],
    [
      ['registry', 'live-at', '2026-01-06'],
      ['useCase', 'at', 'version', 'entry'],
    ],
    [['report'], ['reports']],
  ])('%j: one JSON document with --json, a table without, nothing on stderr', async (argv, keys) => {
    const { code, document, err } = await json(settled, ...argv);
    expect([code, err]).toEqual([0, '']);
    expect(Object.keys(document)).toEqual(keys);
    const plain = await on(settled, ...argv);
    expect([plain.code, plain.err]).toEqual([0, '']);
    expect(plain.out).not.toMatch(/^[{[]/);
    expect(plain.out).not.toContain('\u001B');
    expect(plain.out).toMatch(/\S\n$/);
  });

  test('a command that runs machines tells its progress line by line on stderr, unless it is to be quiet', async () => {
    const world = await copied();
    const { code, document, err } = await json(world, 'score');
    expect(code).toBe(0);
    expect(document['machines']).toEqual([
      { machine: 'score', status: 'SUCCEEDED', error: null, cause: null, announced: [], reasons: [] },
    ]);
    expect(err).toMatch(/^✓ score {4}Pin +\d+\.\d s\n✓ score {4}Report +\d+\.\d s\n$/);
    const quiet = await on(world, 'monitor', '--quiet');
    expect([quiet.code, quiet.err]).toEqual([0, '']);
    expect(quiet.out.trim().split('\n').at(-1)).toBe(
      join(world.directory, 'reports/pages/insurance-cost/drop-january.csv.html'),
    );
  });
});

describe('colour', () => {
  const { isTTY } = process.stderr;
  afterEach(() => {
    process.stderr.isTTY = isTTY;
    vi.unstubAllEnvs();
  });
  const coloured = async (...argv: string[]) => (await runCli('retrian', ...argv)).err.includes('\u001B');

  test('is for a terminal, unless NO_COLOR or --no-color asks for none', async () => {
    vi.stubEnv('NO_COLOR', '');
    process.stderr.isTTY = false;
    expect(await coloured()).toBe(false);
    process.stderr.isTTY = true;
    expect(await coloured()).toBe(true);
    expect(await coloured('--no-color')).toBe(false);
    vi.stubEnv('NO_COLOR', '1');
    expect(await coloured()).toBe(false);
  });
});

describe('what the commands say', () => {
  test('tables: version, rows and place of each, and with --history each version', async () => {
    const { document } = await json(settled, 'tables');
    expect(document['tables']).toMatchObject([
      { table: 'policies', version: 0, rows: 1176, location: 'silver/tables/insurance-cost/policies' },
      { table: 'quarantine', version: 0, rows: 24, location: 'bronze/quarantine/insurance-cost/policies' },
      { table: 'features', version: 0, rows: 1176, location: 'gold/features/insurance-cost' },
      { table: 'predictions', version: 0, rows: 1176, location: 'gold/predictions/insurance-cost' },
      { table: 'drift', version: 0, rows: 14, location: 'gold/drift/insurance-cost' },
    ]);
    const world = await copied();
    world.setClock(january + 1000);
    await ingest(world, 'more.csv', policies({ rows: 20, month: '2026-02', dirtShare: 0 }));
    const { document: history } = await json(world, 'tables', '--history');
    const features = (history['tables'] as { table: string; version: number; rows: number }[]).filter(
      ({ table }) => table === 'features',
    );
    expect(features.map(({ version, rows }) => [version, rows])).toEqual([
      [1, 1196],
      [0, 1176],
    ]);
  });

  test('explain: an unknown key is said to be one, with a way to find those that are known', async () => {
    const { code, out, err } = await on(settled, 'explain', useCase, 'nobody');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`The feature table of ${useCase} knows no such customer_id.`);
    expect(err).toContain('bordereau sql "SELECT DISTINCT customer_id FROM features LIMIT 5"');
  });

  test('sql: whatever DuckDB answers, as a table or as JSON', async () => {
    const query = 'SELECT category, count(*) AS n FROM predictions GROUP BY ALL ORDER BY n DESC';
    const { document } = await json(settled, 'sql', query);
    const rows = document['rows'] as { category: string; n: number }[];
    expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(1176);
    const { out } = await on(settled, 'sql', query);
    const [headings, , ...lines] = out
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(headings).toEqual(['category', 'n']);
    expect(lines).toEqual(rows.map(({ category, n }) => [category, expect.stringMatching(new RegExp(`^${n}$`))]));
  });

  test('quarantine list: counts by rule; rows without their content; content only where it is asked for', async () => {
    const file = new TextDecoder().decode(policies()).split(/\r?\n/);
    const { document } = await json(settled, 'quarantine', 'list', '--rows', '--raw');
    const rows = document['quarantine'] as { line: number; raw: string }[];
    expect(rows).toHaveLength(24);
    for (const { line, raw } of rows) expect(raw).toBe(file[line - 1]);

    const { out } = await on(settled, 'quarantine', 'list');
    const places = await on(settled, 'quarantine', 'list', '--rows');
    expect(places.out.trim().split('\n')).toHaveLength(26);
    for (const { raw } of rows) {
      expect(out + places.out).not.toContain(raw);
      expect(out + places.out).not.toContain(raw.split(',')[0]);
    }
  });

  test('report: the pages of the runs, or the path of one', async () => {
    const path = join(settled.directory, 'reports/pages/insurance-cost/drop-january.csv.html');
    const { document } = await json(settled, 'report');
    expect(document['reports']).toEqual([
      { run: 'drop-january.csv', path, writtenAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    const { out } = await on(settled, 'report', 'drop-january.csv');
    expect(out).toBe(`${path}\n`);
    expect(existsSync(path)).toBe(true);
  });

  test('generate: the same seed gives the same file, and says what is broken in it', async () => {
    const path = scratch();
    const [first, second] = [path('a.csv'), path('b.csv')];
    const generated = await runCli(
      'generate',
      'insurance-cost',
      '--rows',
      '300',
      '--seed',
      '7',
      '--out',
      first,
      '--json',
    );
    const { rows, dirt } = JSON.parse(generated.out) as { rows: number; dirt: { [rule: string]: number } };
    expect(rows).toBe(300);
    expect(Object.values(dirt).reduce((sum, n) => sum + n, 0)).toBe(6);
    expect(generated.err).toContain('300 records, 6 of them broken on purpose');
    await runCli('generate', 'insurance-cost', '--rows', '300', '--seed', '7', '--out', second);
    expect(readFileSync(second, 'utf8')).toBe(readFileSync(first, 'utf8'));
  });

  test('drop --dry-run puts nothing; --no-run leaves it to the next command', async () => {
    const world = await copied();
    const file = scratch()('february.csv', policies({ month: '2026-02', rows: 100, dirtShare: 0 }));
    const before = await contents(world.ports.bronze);
    const dry = await on(world, 'drop', file, '--source', 'policies', '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringContaining('at drops/insurance-cost/policies/february.csv.'),
    });
    expect(await contents(world.ports.bronze)).toEqual(before);

    const waiting = await json(world, 'drop', file, '--source', 'policies', '--no-run');
    expect(waiting.document).toMatchObject({ key: 'drops/insurance-cost/policies/february.csv', delivered: false });
    expect(await world.rows('silver', 'tables/insurance-cost/policies', 'SELECT count(*) AS n FROM rows')).toEqual([
      { n: 1176 },
    ]);
    // whatever runs next delivers it first
    expect((await on(world, 'retrain', '--use-case', 'nobody')).code).toBe(2);
    await on(world, 'score');
    expect(await world.rows('silver', 'tables/insurance-cost/policies', 'SELECT count(*) AS n FROM rows')).toEqual([
      { n: 1276 },
    ]);
  });
});
