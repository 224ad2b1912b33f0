import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { openSql } from '../../src/data/sql.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { openPorts } from '../../src/runtime/ports.ts';
import { readReceipt } from '../../src/stages/common/receipt.ts';
import { redrive } from '../../src/stages/common/redrive.ts';
import { lakeTable, mountTable, silverPath } from '../../src/stages/common/sql.ts';
import { validate } from '../../src/stages/validate.ts';
import { catalogueFromFolder, catalogueFromJson } from '../../src/usecase/catalogue.ts';
import { long } from '../long.ts';

const useCases = fileURLToPath(new URL('../../usecases', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'bordereau-redrive-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const useCase = 'insurance-cost';
const source = 'policies';
const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const row = (id: string, charges: string, { bmi = '27.5', age = '40' } = {}) =>
  `${id},${age},MALE,${bmi},1,no,NORTHWEST,${charges},2026-01-05T08:00:00Z`;

const good = Array.from({ length: 30 }, (_, i) => row(`C${i}`, `${100 + i}.${String(i).padStart(2, '0')}`));
const tooHeavy = [row('H1', '1000.10', { bmi: '65' }), row('H2', '2000.205', { bmi: '66.5' })];
const broken = [row('A1', '300.30', { age: 'forty' }), `${row('F1', '400.40')},more`, row('N1', '"1,5"')];
// the key of a row that was accepted: it must not come in beside it
const repeated = [row('C3', '500.50', { bmi: '64' })];
const file = [header, ...good, ...tooHeavy, ...broken, ...repeated, ''].join('\n');

const edited = (change: (yaml: string) => string) => async () => {
  const { useCases: all } = await catalogueFromFolder(useCases);
  const declared = all.find(({ declaration }) => declaration.id === useCase)!;
  const yaml = change(declared.contracts[source].yaml);
  return catalogueFromJson(
    JSON.stringify({ useCases: [{ ...declared, contracts: { [source]: { ...declared.contracts[source], yaml } } }] }),
  );
};
/** With totals, and with the key as a pseudonym, so that rows are known in silver by their numbers. */
const withTotals = (yaml: string) =>
  yaml
    .replace(
      '- property: maximumQuarantinedShare',
      '- property: controlTotals\n        value: [charges]\n      - property: maximumQuarantinedShare',
    )
    .replace('classification: restricted', 'classification: confidential')
    .replace('value: identifier', 'value: pseudonym');
const first = edited(withTotals);
const corrected = edited((yaml) =>
  withTotals(yaml).replace('version: 1.0.0', 'version: 1.1.0').replace('maximum: 60', 'maximum: 70'),
);

let directory: string;
let ports: Ports;
beforeEach(async () => {
  ports = await freshPorts();
});

async function freshPorts(): Promise<Ports> {
  directory = mkdtempSync(join(root, 'state-'));
  return { ...(await openPorts({ directory, useCases, codeVersion: 'test' })), catalogue: await first() };
}

/** Stores of which the write number `point`, counted over all of them, fails: before it is done, or after. */
function crashAt(
  point: number,
  when: 'before' | 'after',
): { of: (store: ObjectStore) => ObjectStore; reached: () => boolean } {
  let writes = 0;
  const failing =
    <Given extends unknown[], Done>(write: (...given: Given) => Promise<Done>) =>
    async (...given: Given): Promise<Done> => {
      const fails = writes++ === point;
      if (fails && when === 'before') throw new Error('cut short');
      const done = await write(...given);
      if (fails) throw new Error('cut short');
      return done;
    };
  const of = (store: ObjectStore): ObjectStore => ({
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key) => store.delete(key),
    localCopy: (key, expected) => store.localCopy(key, expected),
    put: failing((key: string, bytes: Uint8Array) => store.put(key, bytes)),
    putIfAbsent: failing((key: string, bytes: Uint8Array) => store.putIfAbsent(key, bytes)),
  });
  return { of, reached: () => writes > point };
}
afterEach(() => vi.restoreAllMocks());

async function drop(name: string, text: string, runId = `drop-${name}`) {
  const key = `drops/${useCase}/${source}/${name}`;
  await ports.bronze.put(key, new TextEncoder().encode(text));
  return validate({ runId, key, etag: '' }, ports);
}

async function tryAgain(with_: Ports, runId = 'redrive-1', only?: string) {
  const sql = await openSql({ temporaryDirectory: with_.temporaryDirectory });
  try {
    return await redrive(with_, sql, { useCase, source, runId, ...(only && { file: only }) });
  } finally {
    await sql.close();
  }
}

async function silver(query: string) {
  const sql = await openSql();
  try {
    await mountTable(lakeTable(ports, ports.silver, silverPath(useCase, source), sql), sql, 'silver');
    return await sql.rows(query);
  } finally {
    await sql.close();
  }
}

/** The naive sum, in hundredths of a cent. */
const amount = (rows: readonly string[]) =>
  rows.reduce((sum, text) => sum + Math.round(Number(text.split(',')[7]) * 10_000), 0) / 10_000;

describe('a drop', () => {
  test('has a receipt of what came, what was kept and what was not, to the cent', async () => {
    await drop('a.csv', file);
    const receipt = (await readReceipt(ports, { useCase, runId: 'drop-a.csv' }))!;
    expect(receipt).toMatchObject({
      status: 'accepted',
      files: [{ name: 'a.csv', sizeBytes: file.length }],
      contract: { version: '1.0.0' },
      rows: { dropped: 36, accepted: 30, quarantined: 6, rejected: 0 },
      broken: expect.arrayContaining([
        { rule: 'bmi.maximum', column: 'bmi', outcome: 'quarantine', rows: 3 },
        { rule: 'csv.fields', column: null, outcome: 'quarantine', rows: 1 },
      ]) as unknown,
    });
    const [total] = receipt.totals;
    expect(Number(total.accepted)).toBeCloseTo(amount(good), 6);
    expect(Number(total.quarantined)).toBeCloseTo(amount([...tooHeavy, broken[0], ...repeated]), 6);
    expect(Number(total.dropped)).toBeCloseTo(Number(total.accepted) + Number(total.quarantined), 6);
    expect(total.unreadableRows).toBe(2);
  });

  test('delivered again has the same receipt', async () => {
    await drop('a.csv', file);
    const receipt = await readReceipt(ports, { useCase, runId: 'drop-a.csv' });
    await validate({ runId: 'drop-a.csv', key: `drops/${useCase}/${source}/a.csv`, etag: '' }, ports);
    expect(await readReceipt(ports, { useCase, runId: 'drop-a.csv' })).toEqual(receipt);
  });
});

describe('redrive', () => {
  test('under the same contract moves nothing, and the statement reconciles', async () => {
    await drop('a.csv', file);
    const [statement] = await tryAgain(ports);
    expect(statement).toMatchObject({
      redriven: 0,
      dropped: 36,
      silver: 30,
      quarantined: 6,
      reconciles: true,
      stays: [],
    });
  });

  test('after a corrected contract: what passes enters silver as rows of its own drop, and every row and cent is in one place', async () => {
    await drop('a.csv', file);
    const now = { ...ports, catalogue: await corrected() };
    const [statement] = await tryAgain(now);
    expect(statement).toMatchObject({
      files: ['a.csv'],
      redriven: 2,
      dropped: 36,
      silver: 32,
      quarantined: 4,
      reconciles: true,
    });
    const [total] = statement.totals;
    expect(total).toMatchObject({ column: 'charges', rest: '0.00' });
    expect(Number(total.silver)).toBeCloseTo(amount([...good, ...tooHeavy]), 6);
    expect(Number(total.quarantined)).toBeCloseTo(amount([broken[0], ...repeated]), 6);
    expect(Number(total.dropped)).toBeCloseTo(Number(total.silver) + Number(total.quarantined), 6);

    const rows = await silver(
      `SELECT customer_id, _drop_id, _line, _contract_version, _source_file FROM silver WHERE customer_id LIKE 'H%' ORDER BY _line`,
    );
    expect(rows).toEqual([
      { customer_id: 'H1', _drop_id: 'drop-a.csv', _line: 32, _contract_version: '1.1.0', _source_file: 'a.csv' },
      { customer_id: 'H2', _drop_id: 'drop-a.csv', _line: 33, _contract_version: '1.1.0', _source_file: 'a.csv' },
    ]);
  });

  test('a row whose key another row of its drop brought stays', async () => {
    await drop('a.csv', file);
    await tryAgain({ ...ports, catalogue: await corrected() });
    expect(await silver(`SELECT count(*) AS n FROM silver WHERE customer_id = 'C3'`)).toEqual([{ n: 1 }]);
  });

  test('a second time changes nothing', async () => {
    await drop('a.csv', file);
    const now = { ...ports, catalogue: await corrected() };
    await tryAgain(now);
    const versions = await silver('SELECT count(*) AS n FROM silver');
    expect(await tryAgain(now, 'redrive-2')).toMatchObject([
      { redriven: 0, silver: 32, quarantined: 4, reconciles: true },
    ]);
    expect(await silver('SELECT count(*) AS n FROM silver')).toEqual(versions);
  });

  test.runIf(long).each(['before', 'after'] as const)(
    'cut short %s any write and done again, each row is in silver once',
    async (when) => {
      let points = 0;
      for (let reached = true; reached; points++) {
        ports = await freshPorts();
        await drop('a.csv', file);
        const now = { ...ports, catalogue: await corrected() };
        const crash = crashAt(points, when);
        // a lost acknowledgement may be survived: the table looks again whether it has the commit
        await tryAgain({ ...now, silver: crash.of(now.silver), bronze: crash.of(now.bronze) }).catch((error: Error) => {
          if (error.message !== 'cut short') throw error;
        });
        reached = crash.reached();
        expect(await tryAgain(now, 'redrive-2')).toMatchObject([{ silver: 32, quarantined: 4, reconciles: true }]);
        expect(await silver('SELECT count(*) AS n, count(DISTINCT _line) AS lines FROM silver')).toEqual([
          { n: 32, lines: 32 },
        ]);
      }
      // a data file and a commit for silver, and the same for the note
      expect(points).toBeGreaterThanOrEqual(5);
    },
  );

  test('two at a time bring no row twice', async () => {
    await drop('a.csv', file);
    const now = { ...ports, catalogue: await corrected() };
    await Promise.allSettled([tryAgain(now, 'redrive-1'), tryAgain(now, 'redrive-2')]);
    await tryAgain(now, 'redrive-3');
    expect(await silver('SELECT count(*) AS n, count(DISTINCT _line) AS lines FROM silver')).toEqual([
      { n: 32, lines: 32 },
    ]);
  });

  test('of JSON lines and Parquet takes their texts as they were kept', async () => {
    const objects = [...good, ...tooHeavy].map((text) =>
      Object.fromEntries(text.split(',').map((value, c) => [header.split(',')[c], value])),
    );
    await drop('a.jsonl', objects.map((object) => JSON.stringify(object)).join('\n'));
    const sql = await openSql();
    const values = objects.map((object) => `('${Object.values(object).join("','")}')`).join(',');
    const { bytes } = await sql.parquet(
      `SELECT * REPLACE (bmi::DOUBLE AS bmi, age::INTEGER AS age) FROM (VALUES ${values}) t(${header.replace('timestamp', '"timestamp"')})`,
    );
    await sql.close();
    await ports.bronze.put(`drops/${useCase}/${source}/b.parquet`, bytes);
    await validate({ runId: 'drop-b', key: `drops/${useCase}/${source}/b.parquet`, etag: '' }, ports);
    const statements = await tryAgain({ ...ports, catalogue: await corrected() });
    expect(
      statements.map(({ files: [name], redriven, silver: kept, quarantined, reconciles }) => [
        name,
        redriven,
        kept,
        quarantined,
        reconciles,
      ]),
    ).toEqual([
      ['a.jsonl', 2, 32, 0, true],
      ['b.parquet', 2, 32, 0, true],
    ]);
  });

  test('one file only, where it is named', async () => {
    await drop('a.csv', file);
    await drop('b.csv', file.replaceAll(/^C/gm, 'D').replaceAll(/^H/gm, 'I'));
    const statements = await tryAgain({ ...ports, catalogue: await corrected() }, 'redrive-1', 'b.csv');
    expect(statements.map(({ files: [name], redriven }) => [name, redriven])).toEqual([['b.csv', 2]]);
  });

  test('a file that was halted is dropped again as a whole, and then its rows reconcile', async () => {
    const bad = [
      header,
      ...good,
      ...Array.from({ length: 20 }, (_, i) => row(`H${i}`, '10.00', { bmi: '65' })),
      '',
    ].join('\n');
    expect((await drop('a.csv', bad)).status).toBe('halted');
    ports = { ...ports, catalogue: await corrected() };
    expect(await tryAgain(ports)).toEqual([]);
    expect(await drop('a.csv', bad)).toMatchObject({ status: 'accepted', rows: { accepted: 50, quarantined: 0 } });
    expect(await tryAgain(ports)).toEqual([]);
    expect(await silver('SELECT count(*) AS n FROM silver')).toEqual([{ n: 50 }]);
  });
});

describe('bordereau quarantine', () => {
  async function run(...words: string[]) {
    let out = '';
    let errors = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((out += String(text))));
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((errors += String(text))));
    const code = await main([...words, '--dir', directory]);
    vi.restoreAllMocks();
    return { code, out, errors };
  }

  test('list, show and redrive; raw text only where it is asked for', async () => {
    await drop('a.csv', file);
    const listed = await run('quarantine', 'list');
    expect(listed.out).toMatch(/a\.csv +bmi\.maximum +bmi .* 3 +0/);
    const shown = await run('quarantine', 'show', '32', '--file', 'a.csv');
    expect(shown.out).toContain('bmi.maximum');
    expect(shown.out).not.toContain('H1');
    expect((await run('quarantine', 'show', '32', '--raw')).out).toContain(tooHeavy[0]);
    const redriven = await run('quarantine', 'redrive');
    expect([redriven.code, redriven.out.includes('yes')]).toEqual([0, true]);
  });

  test('report RUN --receipt shows the receipt of a drop, and only of one', async () => {
    await drop('a.csv', file);
    const { code, out } = await run('report', 'drop-a.csv', '--receipt');
    expect(code).toBe(0);
    expect(out).toMatch(/rows +36 +30 +6 +0/);
    expect(out).toMatch(/sum of charges/);
    expect(out).toMatch(/bmi\.maximum +bmi +quarantine +3/);
    expect(await run('report', 'score-1', '--receipt')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('it is no drop') as unknown,
    });
  });

  test.each([
    [['burn'], 'knows list, show and redrive'],
    [['show'], 'Which rows?'],
    [['show', 'x'], 'takes a line’s number'],
    [['list', '3'], 'takes no word after it'],
    [['list', '--source', 'polices'], 'has no source'],
  ])('%j is a wrong command line', async (words, says) => {
    const { code, errors } = await run('quarantine', ...words);
    expect([code, errors.includes(says)]).toEqual([2, true]);
  });
});
