import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { openSql } from '../../src/data/sql.ts';
import { type Finding, ownDaysOf, scanDirectory } from '../../src/privacy/scan.ts';
import { type Ended, type Runtime, openRuntime } from '../../src/runtime/runtime.ts';
import { zones } from '../../src/stages.ts';
import { generate } from '../../usecases/insurance-cost/generate.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';
import { canaries } from './canaries.ts';

/** The product's use case, its key an identifier, with a column for each canary in place of its own that identify. */
const withCanaries = (contract: string): string =>
  [
    contract.slice(0, contract.indexOf('      - name: name')).replace('value: pseudonym', 'value: identifier'),
    ...canaries.flatMap(({ column, privacy }) => [
      `      - name: ${column}`,
      `        logicalType: ${['birthDate', 'date'].includes(privacy) ? 'date' : 'string'}`,
      '        customProperties:',
      '          - property: privacy',
      `            value: ${privacy}`,
    ]),
  ].join('\n');

/** Rows in which a canary's identifiers stand; the others' are empty, so that not everybody is as old. */
const isCanary = (line: number): boolean => line % 10 === 3;
const header = (line: string): string => [line, ...canaries.map(({ column }) => column)].join(',');
const row = (line: string, i: number): string =>
  [line, ...canaries.map(({ text }) => (isCanary(i) ? text : ''))].join(',');
const lines = Buffer.from(generate({ rows: 700, dirtShare: 0 })[0].bytes)
  .toString()
  .trim()
  .split(/\r?\n/)
  .map((line) => line.split(',').slice(0, 9).join(','));
const good = [header(lines[0]), ...lines.slice(1).map(row)];
const broken = (change: (line: string) => string): string =>
  [good[0], ...good.slice(1).map((line, i) => (isCanary(i) ? change(line) : line))].join('\n');

const files: { [name: string]: string | Uint8Array } = {
  'good.csv': good.join('\n'),
  'some-quarantined.csv': broken((line) => line.replace(/^(\d+),\d+/, '$1,17').replace(/^1/, '7')),
  'halted.csv': [good[0], ...good.slice(1).map((_, i) => row(lines[i + 1].replace(/^(\d+),\d+/, '$1,17'), 3))].join(
    '\n',
  ),
  'without-header.csv': good.filter((_, i) => isCanary(i - 1)).join('\n'),
  'unknown-header.csv': [
    `${good[0]},${canaries.find(({ privacy }) => privacy === 'ssn')!.text}`,
    ...good.slice(1).map((line) => `${line},x`),
  ].join('\n'),
  'doubled-header.csv': [`${good[0]},full_name`, ...good.slice(1).map((line) => `${line},${canaries[1].text}`)].join(
    '\n',
  ),
  'wrong-delimiter.csv': good.join('\n').replaceAll(',', ';'),
  'open-quote.csv': broken((line) => line.replace(/,([^,]*)$/, ',"$1')),
  'utf-16.csv': Buffer.from(good.join('\n'), 'utf16le'),
  'latin-1.csv': Buffer.from(good.join('\n').replace('Quackenbush', 'Quäckenbush'), 'latin1'),
  'short.csv': broken((line) => line.slice(0, line.lastIndexOf(','))),
};

const places = temporaryDirectory();
afterAll(() => places.remove());

/** What a runtime does with the files, one after the other. */
async function deliver(
  name: string,
  contract: (text: string) => string,
  dropped: { [name: string]: string | Uint8Array },
) {
  const declaration = { ...smallSearch, gates: { beatsChampion: smallSearch.gates.beatsChampion } };
  const useCases = useCasesFolder(join(places.path, name, 'usecases'), declaration, { 'policies.odcs.yaml': contract });
  const directory = join(places.path, name, 'state');
  const runtime: Runtime = await openRuntime({ directory, useCases, threads: 1 });
  const ended: Ended[] = [];
  try {
    for (const [fileName, content] of Object.entries(dropped)) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      await runtime.drop({ useCase: 'insurance-cost', source: 'policies', fileName, bytes });
      ended.push(...(await runtime.deliver()));
    }
  } finally {
    await runtime.close();
  }
  return { directory, ended };
}

/** Everything that was written outside bronze and the keys, scanned for the classes and for the canaries themselves. */
async function findingsIn(directory: string): Promise<Finding[]> {
  const stores = [...zones.filter((zone) => zone !== 'bronze'), 'runtime', 'tmp'].map((place) => ({
    place: `${place}/`,
    store: new DirectoryStore(join(directory, place)),
  }));
  const ownDays = await ownDaysOf(stores.map(({ store }) => store));
  // five digits stand in any file of figures: the ZIP code is looked for where it would be
  const known = canaries
    .filter(({ privacy }) => privacy !== 'zip')
    .map(({ class: kind, text }) => ({ class: kind, text }));
  const sql = await openSql({ threads: 1 });
  try {
    const found = [];
    for (const { place, store } of stores) {
      found.push(...(await scanDirectory(store, { sql, place, known, ownDays, recordTimes: ['recorded_at'] })));
    }
    return found;
  } finally {
    await sql.close();
  }
}

describe('31. canaries of all 18 classes through the whole pipeline', () => {
  let outcome: { directory: string; ended: Ended[] };
  beforeAll(async () => {
    outcome = await deliver('whole', withCanaries, files);
  });

  test('every machine has run, and files were accepted, quarantined, halted and rejected', () => {
    const ran = new Set(outcome.ended.map(({ machine }) => machine));
    expect([...ran].sort()).toEqual(['govern', 'ingest', 'monitor', 'score', 'train']);
    const reasons = outcome.ended
      .filter(({ machine }) => machine === 'ingest')
      .map(({ error, announced }) => error ?? announced.join(' '));
    expect(reasons.filter((reason) => reason.includes('FeaturesReady')).length).toBeGreaterThan(2);
    expect(reasons.filter((reason) => reason.includes('Refused')).length).toBeGreaterThan(3);
  });

  test('none of them is outside bronze: tables, registry, models, reports, histories, queue and log', async () => {
    expect(await findingsIn(outcome.directory)).toEqual([]);
  });

  test('and the search would have found them: in bronze it does, each class', async () => {
    const sql = await openSql({ threads: 1 });
    const known = canaries.map(({ class: kind, text }) => ({ class: kind, text }));
    const found = await scanDirectory(new DirectoryStore(join(outcome.directory, 'bronze')), {
      sql,
      known,
      prefix: 'drops/',
    });
    await sql.close();
    expect(new Set(found.map((finding) => finding.class))).toEqual(new Set(canaries.map((canary) => canary.class)));
  });

  test('the vault holds no identifier in the clear, and the key file is its owner’s', async () => {
    const sql = await openSql({ threads: 1 });
    const known = canaries
      .filter(({ privacy }) => privacy === 'identifier')
      .map(({ class: kind, text }) => ({ class: kind, text }));
    const found = await scanDirectory(new DirectoryStore(join(outcome.directory, 'bronze')), {
      sql,
      known,
      prefix: 'vault/',
    });
    await sql.close();
    expect(found.filter((finding) => finding.class === 'other unique codes')).toEqual([]);
    expect(readFileSync(join(outcome.directory, 'keys/vault.key'), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

test('31. a rule that fails on a value does not say on which', async () => {
  const rule = [
    '        quality:',
    '          - { name: remarks_counted, type: custom, engine: bordereau, severity: warn, implementation: "CAST(remarks AS INTEGER) > 0" }',
  ].join('\n');
  const { directory, ended } = await deliver('failing', (contract) => `${withCanaries(contract)}\n${rule}`, {
    'good.csv': files['good.csv'],
  });
  expect(ended[0].status).toBe('FAILED');
  expect(await findingsIn(directory)).toEqual([]);
});
