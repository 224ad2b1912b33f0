import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openSql } from '../../src/data/sql.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { openPorts } from '../../src/runtime/ports.ts';
import { readReceipt, receiptFacts } from '../../src/stages/common/receipt.ts';
import { lakeTable, mountTable, silverPath } from '../../src/stages/common/sql.ts';
import { validate } from '../../src/stages/validate.ts';
import { catalogueFromFolder, catalogueFromJson } from '../../src/usecase/catalogue.ts';

const useCases = fileURLToPath(new URL('../../usecases', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'bordereau-drops-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp';
const fileOf = (name: string, charges: readonly string[]) =>
  [
    header,
    ...charges.map((amount, i) => `${name}${i},40,MALE,27.5,1,no,NORTHWEST,${amount},2026-01-05T08:00:00Z`),
    '',
  ].join('\n');
const a = fileOf('A', ['100.10', '200.20']);
const b = fileOf('B', ['0.30', '50.00', '1.005']);
const manifest = (change: object = {}) =>
  JSON.stringify({ files: [{ name: 'a.csv' }, { name: 'b.csv' }], rows: 5, totals: { charges: '351.61' }, ...change });

let ports: Ports;
beforeEach(async () => {
  const opened = await openPorts({ directory: mkdtempSync(join(root, 'state-')), useCases, codeVersion: 'test' });
  ports = { ...opened, catalogue: await declaring('[charges]') };
});

async function declaring(totals: string, more = '') {
  const all = await catalogueFromFolder(useCases);
  const declared = all.useCases.find(({ declaration }) => declaration.id === 'insurance-cost')!;
  const policies = declared.contracts['policies'];
  const yaml = policies.yaml.replace(
    '- property: maximumQuarantinedShare',
    `- property: controlTotals\n        value: ${totals}\n${more}      - property: maximumQuarantinedShare`,
  );
  return catalogueFromJson(
    JSON.stringify({ useCases: [{ ...declared, contracts: { policies: { ...policies, yaml } } }] }),
  );
}

const keyOf = (name: string) => `drops/insurance-cost/policies/${name}`;
const put = (name: string, text: string) => ports.bronze.put(keyOf(name), new TextEncoder().encode(text));
const announce = (name: string) => validate({ runId: `drop-${name}`, key: keyOf(name), etag: '' }, ports);
async function arrive(name: string, text: string) {
  await put(name, text);
  return announce(name);
}

async function silver() {
  const sql = await openSql();
  try {
    const mounted = await mountTable(
      lakeTable(ports, ports.silver, silverPath('insurance-cost', 'policies'), sql),
      sql,
      'silver',
    );
    if (!mounted) return [];
    return await sql.rows(
      'SELECT _drop_id AS id, _source_file AS file, count(*) AS n FROM silver GROUP BY ALL ORDER BY ALL',
    );
  } finally {
    await sql.close();
  }
}

describe('a drop of several files', () => {
  test.each([
    [['m.manifest.json', 'a.csv', 'b.csv']],
    [['a.csv', 'm.manifest.json', 'b.csv']],
    [['b.csv', 'a.csv', 'm.manifest.json']],
  ])('is ingested when the last of it has come: %j', async (order) => {
    // a file that comes before its manifest is known to have one only where the contract says so
    ports = {
      ...ports,
      catalogue: await declaring('[charges]', '      - property: manifest\n        value: required\n'),
    };
    const texts: { [name: string]: string } = { 'a.csv': a, 'b.csv': b, 'm.manifest.json': manifest() };
    const [first, second, last] = order;
    expect(await arrive(first, texts[first])).toMatchObject({ status: 'waiting', silverVersion: -1 });
    expect(await arrive(second, texts[second])).toMatchObject({ status: 'waiting' });
    expect(await silver()).toEqual([]);
    expect(await arrive(last, texts[last])).toMatchObject({
      status: 'accepted',
      rows: { dropped: 5, accepted: 5, quarantined: 0 },
    });
    const rows = await silver();
    expect(rows.map(({ file, n }) => [file, n])).toEqual([
      ['a.csv', 2],
      ['b.csv', 3],
    ]);

    // every later event about any of it finds the same drop, and changes nothing
    for (const name of order) expect((await announce(name)).status).toBe('accepted');
    expect(await silver()).toEqual(rows);
    const [{ id }] = rows;
    expect(await readReceipt(ports, { useCase: 'insurance-cost', runId: id as string })).toMatchObject({
      status: 'accepted',
      name: 'm.manifest.json',
      files: [{ name: 'a.csv' }, { name: 'b.csv' }],
      totals: [{ column: 'charges', dropped: '351.605' }],
    });
  });

  test('waits for the files by name', async () => {
    await put('a.csv', a);
    const { reason } = await arrive('m.manifest.json', manifest());
    expect(reason).toBe('m.manifest.json waits for b.csv.');
    expect(await readReceipt(ports, { useCase: 'insurance-cost', runId: 'drop-m.manifest.json' })).toMatchObject({
      status: 'waiting',
      reason,
    });
  });

  test.each([
    [{ rows: 6 }, 'the manifest says 6 rows, the files have 5'],
    [{ totals: { charges: '351.60' } }, 'adds up to 351.60, in the files it is 351.605'],
    [{ totals: { bmi: '1.00' } }, 'which the contract has not among its controlTotals'],
    [{ files: [{ name: 'a.csv', sha256: '0'.repeat(64) }, { name: 'b.csv' }] }, 'the manifest gives a.csv the SHA-256'],
  ])('halts where it is not what its manifest says: %j', async (change, reason) => {
    await put('a.csv', a);
    await put('b.csv', b);
    const outcome = await arrive('m.manifest.json', manifest(change));
    expect(outcome).toMatchObject({ status: 'halted', rows: { dropped: 5, accepted: 0, rejected: 5 } });
    expect(outcome.reason).toContain(reason);
    expect(await silver()).toEqual([]);
    expect(await readReceipt(ports, { useCase: 'insurance-cost', runId: 'drop-m.manifest.json' })).toMatchObject({
      status: 'halted',
      reason: outcome.reason,
    });
    // the sender corrects the manifest alone
    expect((await arrive('m.manifest.json', manifest())).status).toBe('accepted');
  });

  test('with one unreadable file is rejected as a whole', async () => {
    await put('a.csv', a);
    await put('b.csv', 'nothing,of,this\n');
    expect(await arrive('m.manifest.json', manifest())).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('b.csv') as unknown,
    });
    expect(await silver()).toEqual([]);
  });

  test('a file that went in before its manifest came does not go in twice', async () => {
    expect((await arrive('a.csv', a)).status).toBe('accepted');
    await put('b.csv', b);
    const { status, reason } = await arrive('m.manifest.json', manifest());
    expect([status, reason.includes('a.csv was ingested by itself')]).toEqual(['halted', true]);
  });

  test('a manifest that cannot be read is rejected, and its neighbours are not', async () => {
    expect(await arrive('m.manifest.json', '{')).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('malformed-manifest') as unknown,
    });
    expect((await arrive('a.csv', a)).status).toBe('accepted');
  });
});

test('late rows stand in the receipt: how many, the oldest by how much, and those from before the look-back', async () => {
  const lookBack = '{ from: recorded_at, onTime: P10D, most: P45D, beyond: quarantine }';
  ports.catalogue = await declaring('[charges]', `      - property: lookBack\n        value: ${lookBack}\n`);
  const daysAgo = (days: number) => new Date(ports.clock.nowMs() - days * 86_400_000).toISOString();
  const ages = [...Array.from({ length: 12 }, () => 20.5), 30.5, 1, 60, 61];
  const rows = ages.map((days, i) => `L${i},40,MALE,27.5,1,no,NORTHWEST,10.00,${daysAgo(days)}`);
  await arrive('late.csv', [header, ...rows, ''].join('\n'));
  const receipt = await readReceipt(ports, { useCase: 'insurance-cost', runId: 'drop-late.csv' });
  expect(receipt).toMatchObject({
    rows: { dropped: 16, accepted: 14, quarantined: 2 },
    late: { rows: 13, oldestDays: 30, beyond: 2 },
    broken: expect.arrayContaining([{ rule: 'look-back', column: 'recorded_at', outcome: 'quarantine', rows: 2 }]),
  });
  // one more at another time comes late by itself
  await arrive('one.csv', [header, `M1,40,MALE,27.5,1,no,NORTHWEST,10.00,${daysAgo(20.5)}`, ''].join('\n'));
  const few = await readReceipt(ports, { useCase: 'insurance-cost', runId: 'drop-one.csv' });
  expect(few?.late).toEqual({ rows: 1, oldestDays: 20, beyond: 0 });
  expect(receiptFacts(few!).late).toEqual({ rows: 1, oldestDays: null, beyond: 0 });
});
