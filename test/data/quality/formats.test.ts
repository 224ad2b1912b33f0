import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../src/data/contract/contract.ts';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { FileRejected } from '../../../src/data/file-rejected.ts';
import { validateFile } from '../../../src/data/quality/validate.ts';
import { quoteText } from '../../../src/data/quote.ts';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';

const yaml = readFileSync(new URL('../../fixtures/contracts/claims.odcs.yaml', import.meta.url), 'utf8');
const contract: Contract = { ...parseContract(yaml, 'claims.odcs.yaml'), controlTotals: ['amount'] };
const names = ['claim_id', 'amount', 'units', 'kind', 'paid', 'service_date', 'received_at', 'note'];
const [first] = Object.keys(contract.columns.find(({ name }) => name === 'kind')!.values!);
const rows = [
  ['a1', '120.50', '2', first, 'true', '2026-01-05', '2026-01-09T10:00:00Z', 'fine; "so far"'],
  ['a2', '80', '1', first, '', '2026-01-06', '2026-01-09T10:00:00Z', ''],
  ['a3', '-3.25', '1', first, '', '2026-01-06', '2026-01-09T10:00:00Z', ''],
  ['a4', 'NaN', '1', first, '', '2026-01-06', '2026-01-09T10:00:00Z', ''],
  ['a1', '10.05', '1', first, '', '2026-01-06', '2026-01-09T10:00:00Z', 'again'],
];
const csvField = (text: string) => (/[";]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = [names, ...rows].map((row) => row.map(csvField).join(';')).join('\n');
const jsonl = rows
  .map((row) =>
    JSON.stringify(Object.fromEntries(row.flatMap((value, c) => (value === '' ? [] : [[names[c], value]])))),
  )
  .join('\n');

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

async function parquet(): Promise<Uint8Array> {
  const values = rows.map((row) => `(${row.map((text) => (text === '' ? 'NULL' : quoteText(text))).join(', ')})`);
  const typed =
    '* REPLACE (amount::DOUBLE AS amount, units::BIGINT AS units, paid::BOOLEAN AS paid, service_date::DATE AS service_date, received_at::TIMESTAMPTZ AS received_at)';
  return (await sql.parquet(`SELECT ${typed} FROM (VALUES ${values.join(', ')}) AS t(${names.join(', ')})`)).bytes;
}

async function validate(bytes: Uint8Array, terms: Contract = contract) {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const validation = await validateFile({
    sql,
    bytes,
    fileName: 'claims',
    digest,
    contract: terms,
    arrivedAtMs: 0,
    dropId: 'd',
  });
  const accepted = await sql.rows('SELECT * EXCLUDE (_line) FROM accepted');
  const quarantined = await sql.rows('SELECT rule, rules FROM quarantined');
  return { validation, accepted, quarantined };
}

describe('one table in every format', () => {
  test('makes the same silver rows, the same quarantine and the same totals', async () => {
    const asCsv = await validate(new TextEncoder().encode(csv));
    expect(asCsv.validation.counts).toEqual({ rows: 5, accepted: 2, quarantined: 3 });
    // 120.50 + 80 in silver, -3.25 + 10.05 in quarantine, and NaN is no amount
    expect(asCsv.validation.totals).toEqual([
      { column: 'amount', dropped: '207.30', accepted: '200.50', quarantined: '6.80', unreadableRows: 1 },
    ]);
    for (const bytes of [gzipSync(csv), new TextEncoder().encode(jsonl), gzipSync(jsonl), await parquet()]) {
      const other = await validate(bytes);
      expect(other.accepted).toEqual(asCsv.accepted);
      expect(other.quarantined).toEqual(asCsv.quarantined);
      expect([other.validation.counts, other.validation.totals]).toEqual([
        asCsv.validation.counts,
        asCsv.validation.totals,
      ]);
    }
  });

  test('says where each quarantined row stands, with its own text or a rendering of it', async () => {
    const place =
      'SELECT line, byte_offset, raw, format, header IS NULL AS "namesInRaw" FROM quarantined ORDER BY line LIMIT 1';
    await validate(new TextEncoder().encode(jsonl));
    const line = jsonl.split('\n')[2];
    expect(await sql.rows(place)).toEqual([
      { line: 3, byte_offset: jsonl.indexOf(line), raw: line, format: 'jsonl', namesInRaw: true },
    ]);
    await validate(await parquet());
    const [row] = await sql.rows(place);
    expect(row).toMatchObject({ line: 3, byte_offset: null, format: 'parquet', namesInRaw: true });
    expect(JSON.parse(row['raw'] as string)).toMatchObject({ claim_id: 'a3', amount: '-3.25', note: null });
  });

  test('a malformed line of JSON is quarantined under its rule, and its neighbours are not', async () => {
    const { validation, quarantined } = await validate(
      new TextEncoder().encode(`${jsonl}\n{"claim_id":"a9","amount":{"USD":1}}`),
    );
    expect(validation.counts).toEqual({ rows: 6, accepted: 2, quarantined: 4 });
    expect(quarantined.at(-1)).toEqual({ rule: 'jsonl.flat', rules: 'jsonl.flat' });
    expect(validation.rules.find(({ name }) => name === 'jsonl.flat')).toMatchObject({ rows: 1, broken: true });
  });

  test('a contract that declares one format takes no other', async () => {
    for (const [format, bytes] of [
      ['csv', jsonl],
      ['jsonl', csv],
      ['parquet', csv],
    ] as const) {
      const outcome = await validate(new TextEncoder().encode(bytes), { ...contract, format }).then(
        ({ validation }) => validation.counts.accepted,
        (error: unknown) => (error instanceof FileRejected ? 0 : error),
      );
      expect(outcome).toBe(0);
    }
  });

  test('a needed column that holds lists is refused by name', async () => {
    const { bytes } = await sql.parquet(
      `SELECT ${names.map((name) => `'x' AS ${name}`).join(', ')}`.replace("'x' AS note", "['x'] AS note"),
    );
    await expect(validate(bytes)).rejects.toMatchObject({ code: 'unreadable-columns' });
  });
});
