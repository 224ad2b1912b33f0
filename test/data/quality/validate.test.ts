import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../src/data/contract/contract.ts';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { FileRejected } from '../../../src/data/file-rejected.ts';
import type { Json } from '../../../src/data/json.ts';
import { type Validation, validateFile } from '../../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';

const yaml = readFileSync(new URL('../../fixtures/contracts/claims.odcs.yaml', import.meta.url), 'utf8');
const contract = parseContract(yaml, 'claims.odcs.yaml');
const header = 'claim_id;amount;units;kind;paid;service_date;received_at;note';
const arrivedAtMs = Date.UTC(2026, 2, 1, 6, 30);

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

async function validate(csv: string, terms: Contract = contract): Promise<Validation> {
  const bytes = new TextEncoder().encode(csv);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return validateFile({ sql, bytes, fileName: 'claims.csv', digest, contract: terms, arrivedAtMs, dropId: 'drop-1' });
}

const file = (...rows: string[]): string => [header, ...rows, ''].join('\n');
const accepted = (columns = '*'): Promise<Record<string, Json>[]> => sql.rows(`SELECT ${columns} FROM accepted`);
const quarantined = (columns = '*'): Promise<Record<string, Json>[]> => sql.rows(`SELECT ${columns} FROM quarantined`);
const brokenRules = ({ rules }: Validation): Record<string, number> =>
  Object.fromEntries(rules.filter(({ broken }) => broken).map(({ name, rows }) => [name, rows]));

const good = 'a1;120.50;2;IN;true;2026-01-05;2026-01-09T10:00:00Z;fine';
const other = 'a2;80;1;outpatient;;2026-01-06;2026-01-09T10:00:00Z;';

async function rejection(csv: string, terms?: Contract): Promise<FileRejected> {
  const error = await validate(csv, terms).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof FileRejected) return error;
  throw new Error('the file was not rejected', { cause: error });
}

describe('good rows', () => {
  test('become typed silver rows that know where they come from', async () => {
    const translated = parseContract(
      yaml.replace('{ in: inpatient, out: outpatient }', '{ in: inpatient, outpatient: outpatient }'),
      'c',
    );
    const validation = await validate(file(good, other), translated);
    expect(validation.counts).toEqual({ rows: 2, accepted: 2, quarantined: 0 });
    expect(brokenRules(validation)).toEqual({});
    expect(validation.halts).toEqual([]);
    const lineage = {
      _drop_id: 'drop-1',
      _source_file: 'claims.csv',
      _ingested_at: '2026-03-01T06:30:00.000Z',
      _contract_version: '2.1.0',
      _sequencer: null,
    };
    expect(await accepted()).toEqual([
      {
        claim_id: 'a1',
        amount: 120.5,
        units: 2,
        kind: 'inpatient',
        paid: true,
        service_date: '2026-01-05',
        received_at: '2026-01-09T10:00:00.000Z',
        note: 'fine',
        ...lineage,
        _line: 2,
      },
      {
        claim_id: 'a2',
        amount: 80,
        units: 1,
        kind: 'outpatient',
        paid: null,
        service_date: '2026-01-06',
        received_at: '2026-01-09T10:00:00.000Z',
        note: null,
        ...lineage,
        _line: 3,
      },
    ]);
  });

  test('the columns may come in any order and under their other names', async () => {
    const csv =
      'art;units;amount;claim_id;service_date;paid\nout;3;1.5;b1;2026-01-05;false\nin;3;2.5;b2;2026-01-05;false\n';
    expect((await validate(csv)).counts.accepted).toBe(2);
    expect(await accepted('claim_id, kind, amount, units')).toEqual([
      { claim_id: 'b1', kind: 'outpatient', amount: 1.5, units: 3 },
      { claim_id: 'b2', kind: 'inpatient', amount: 2.5, units: 3 },
    ]);
  });

  test('columns that a file lacks are stood in for: its digest and line, its arrival, or nothing', async () => {
    const csv = 'amount;units;kind;paid;service_date\n1;1;in;;2026-01-01\n\n2;1;in;;2026-01-01\n';
    const digest = createHash('sha256').update(csv).digest('hex');
    await validate(csv);
    expect(await accepted('claim_id, received_at, note')).toEqual([
      { claim_id: `${digest.slice(0, 8)}-2`, received_at: '2026-03-01T06:30:00.000Z', note: null },
      { claim_id: `${digest.slice(0, 8)}-4`, received_at: '2026-03-01T06:30:00.000Z', note: null },
    ]);
  });

  test('a header without rows is a file of no rows, which the contract may still halt', async () => {
    const validation = await validate(file());
    expect(validation.counts).toEqual({ rows: 0, accepted: 0, quarantined: 0 });
    expect(validation.halts).toEqual(['rule enough_claims is broken (0 rows): rowCount mustBeGreaterOrEqualTo 2 rows']);
  });
});

describe('quarantine', () => {
  test('keeps the raw text, the place, the rule and the contract, and never the value in the reason', async () => {
    await validate(
      file(good.replace('IN', 'in'), 'secret;12,50;1;in;;2026-01-05;2026-01-09T10:00:00Z;a "quoted" note', other),
    );
    expect((await quarantined())[0]).toEqual({
      format: 'csv',
      header: JSON.stringify(header.split(';')),
      file_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      drop_id: 'drop-1',
      source_file: 'claims.csv',
      line: 3,
      byte_offset: header.length + 1 + good.length + 1,
      raw: 'secret;12,50;1;in;;2026-01-05;2026-01-09T10:00:00Z;a "quoted" note',
      rule: 'claim_id.pattern',
      column_name: 'claim_id',
      reason: 'not met: claim_id matches ^[0-9a-f-]+$',
      rules: 'claim_id.pattern,amount.type',
      contract_version: '2.1.0',
      quarantined_at: '2026-03-01T06:30:00.000Z',
    });
  });

  test.each([
    [';80;1;in;;2026-01-06;2026-01-09T10:00:00Z;', 'claim_id.required'],
    ['a3;;1;in;;2026-01-06;2026-01-09T10:00:00Z;', 'amount.required'],
    ['a3;1e3;1;in;;2026-01-06;2026-01-09T10:00:00Z;', 'amount.type'],
    ['a3;0;1;in;;2026-01-06;2026-01-09T10:00:00Z;', 'amount.exclusiveMinimum'],
    ['a3;1;0;in;;2026-01-06;2026-01-09T10:00:00Z;', 'units.minimum'],
    ['a3;1;51;in;;2026-01-06;2026-01-09T10:00:00Z;', 'units.maximum'],
    ['a3;1;1;dental;;2026-01-06;2026-01-09T10:00:00Z;', 'kind.values'],
    ['a3;1;1;;;2026-01-06;2026-01-09T10:00:00Z;', 'kind.required'],
    ['a3;1;1;in;yes;2026-01-06;2026-01-09T10:00:00Z;', 'paid.type'],
    ['a3;1;1;in;;2019-12-31;2026-01-09T10:00:00Z;', 'service_date.minimum'],
    ['a3;1;1;in;;2026-02-30;2026-01-09T10:00:00Z;', 'service_date.type'],
    ['a3;1;1;in;;2026-01-06;;', 'received_at.required'],
    ['a3;1;1;in;;2026-01-06;2026-01-09T10:00:00Z;x', 'note.minLength'],
    [`a3;1;1;in;;2026-01-06;2026-01-09T10:00:00Z;${'x'.repeat(21)}`, 'note.maxLength'],
    ['a3;1;1;in;;2026-01-06', 'csv.fields'],
    ['a3;1;1;in;;2026-01-06;2026-01-09T10:00:00Z;"open', 'csv.unclosed-quote'],
  ])('%s breaks %s and its neighbours stay', async (row, rule) => {
    const validation = await validate(file(good, row, 'a2;80;1;out;;2026-01-06;2026-01-09T10:00:00Z;'));
    expect(validation.counts).toEqual({ rows: 3, accepted: 2, quarantined: 1 });
    expect(await quarantined('line, raw, rule, rules')).toEqual([{ line: 3, raw: row, rule, rules: rule }]);
    expect(await accepted('claim_id')).toEqual([{ claim_id: 'a1' }, { claim_id: 'a2' }]);
  });

  test('of a repeated key the first good row stays; a bad row before it does not count', async () => {
    const row = (amount: string): string => `a1;${amount};1;in;;2026-01-06;2026-01-09T10:00:00Z;`;
    const validation = await validate(file(row('nothing'), row('1'), row('2'), row('3')));
    expect(await accepted('_line, amount')).toEqual([{ _line: 3, amount: 1 }]);
    expect(await quarantined('line, rule')).toEqual([
      { line: 2, rule: 'amount.type' },
      { line: 4, rule: 'claim_id.unique' },
      { line: 5, rule: 'claim_id.unique' },
    ]);
    expect(brokenRules(validation)).toMatchObject({ 'amount.type': 1, 'claim_id.unique': 2 });
  });
});

describe('warnings and halts', () => {
  const row = (id: string, amount: number, date = '2026-01-06', note = 'ok'): string =>
    `${id};${amount};1;in;;${date};2026-01-09T10:00:00Z;${note}`;

  test('a warning counts and keeps the row', async () => {
    const validation = await validate(file(row('a1', 100_000), row('a2', 99_999.99)));
    expect(validation.counts.accepted).toBe(2);
    expect(validation.rules.find(({ name }) => name === 'amount_plausible')).toEqual({
      name: 'amount_plausible',
      column: 'amount',
      outcome: 'warn',
      description: 'amount < 100000',
      broken: true,
      rows: 1,
      share: 0.5,
    });
    expect(validation.halts).toEqual([]);
  });

  test('one row that breaks a halting rule halts the file and is kept apart', async () => {
    const validation = await validate(file(row('a1', 1), row('a2', 2, '2026-01-10')));
    expect(validation.counts).toEqual({ rows: 2, accepted: 1, quarantined: 1 });
    expect(validation.halts[0]).toBe('rule date_before_receipt is broken (1 rows): service_date <= received_at');
  });

  test('too large a share of quarantined rows halts the file', async () => {
    expect((await validate(file(row('a1', 1), row('a2', 0), row('a3', 2), row('a4', 0)))).halts).toEqual([]);
    expect((await validate(file(row('a1', 1), row('a2', 0), row('a3', 2), row('a4', 0), row('a5', 0)))).halts).toEqual([
      '3 of 5 rows are quarantined, the contract allows a share of 0.5',
    ]);
  });

  test('figures of the whole file are measured on its accepted rows', async () => {
    const validation = await validate(file(row('a1', 5), row('a2', 5, '2026-01-06', ''), row('a3', 5), row('a4', 0)));
    expect(brokenRules(validation)).toEqual({ 'amount.exclusiveMinimum': 1, claims_not_repeated: 2 });
    const empty = Array.from({ length: 10 }, (_, i) => row(`a${i}`, i + 1, '2026-01-06', ''));
    expect(brokenRules(await validate(file(...empty)))).toEqual({ notes_mostly_there: 10 });
  });
});

describe('files that are not what the contract describes', () => {
  test('3. another delimiter is named, with the one declared', async () => {
    const error = await rejection(file(good).replaceAll(';', ','));
    expect(error).toMatchObject({ code: 'wrong-delimiter', file: 'claims.csv' });
    expect(error.message).toContain('separated by a comma, the contract declares a semicolon');
  });

  test('3. missing columns are named, with what seems meant', async () => {
    const error = await rejection('claim_id;amuont;units;kind;paid;service_date\n');
    expect(error.code).toBe('missing-columns');
    expect(error.message).toContain('it lacks "amount"; its header is "claim_id", "amuont"');
    expect(error.message).toContain('Is it "amuont", for "amount"?');
    expect((await rejection('amount;units;paid;service_date\n')).message).toContain('"kind" or "claim_kind" or "art"');
  });

  test('3. unknown columns are refused or ignored, as the contract says', async () => {
    const csv = file(good, other.replace('outpatient', 'out'))
      .replace('note', 'note;__proto__')
      .replaceAll(/(fine|Z;)$/gm, '$1;x');
    expect((await validate(csv)).counts.accepted).toBe(2);
    const strict = parseContract(yaml.replace('value: ignore', 'value: reject'), 'claims.odcs.yaml');
    expect(await rejection(csv, strict)).toMatchObject({
      code: 'unknown-columns',
      message: expect.stringContaining('"__proto__"'),
    });
  });

  test('3. two headers for one column', async () => {
    expect((await rejection(`${header};art\n`)).message).toContain('"kind" and "art" both stand for the column kind');
  });

  test('no message of a rejection or a reason of quarantine quotes a row', async () => {
    const canary = 'CANARY-7f3a';
    const row = `${canary};${canary};${canary};${canary};${canary};${canary};${canary};${canary}`;
    const validation = await validate(file(row, row.replace(canary, 'a1'), `"${canary}`));
    const told = JSON.stringify([validation, await quarantined('rule, column_name, reason, rules')]);
    expect(told).not.toContain(canary);
    expect((await rejection(`amount\n${canary}\n`)).message).not.toContain(canary);
  });
});

test('whatever a file holds, each of its records is accepted or quarantined, once and in order', async () => {
  const cell = fc.constantFrom(
    'a1',
    'b2',
    '1',
    '0',
    '',
    '"',
    '"x;y"',
    '"a\nb"',
    'in',
    '2026-01-05',
    '2026-01-09T10:00:00Z',
    'true',
    '007',
  );
  const row = fc.array(cell, { minLength: 7, maxLength: 9 }).map((cells) => cells.join(';'));
  const files = fc.sample(fc.array(row, { maxLength: 30 }), { numRuns: 25, seed: 42 });
  for (const rows of files) {
    const csv = file(...rows);
    const { counts } = await validate(csv);
    const lines = await sql.rows(
      'SELECT _line AS line FROM accepted UNION ALL SELECT line FROM quarantined ORDER BY line',
    );
    expect(counts.accepted + counts.quarantined).toBe(counts.rows);
    expect(new Set(lines.map(({ line }) => line)).size).toBe(counts.rows);
    expect(lines.every(({ line }) => Number(line) >= 2 && Number(line) <= csv.split('\n').length)).toBe(true);
  }
});
