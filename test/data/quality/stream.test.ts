import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../src/data/contract/contract.ts';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { FileRejected } from '../../../src/data/file-rejected.ts';
import { validateCsv } from '../../../src/data/quality/stream.ts';
import { type Validation, validateFile } from '../../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';

const yaml = readFileSync(new URL('../../fixtures/contracts/claims.odcs.yaml', import.meta.url), 'utf8')
  .replace(
    'logicalType: string\n        primaryKey: true',
    'logicalType: string\n        unique: true\n        primaryKey: true',
  )
  .replace(
    '- property: somebodyElses',
    '- property: controlTotals\n        value: [amount, units]\n      - property: somebodyElses',
  );
const contract = parseContract(yaml, 'claims.odcs.yaml');
const header = 'claim_id;amount;units;kind;paid;service_date;received_at;note';

let sql: SqlEngine;
let folder: string;
beforeAll(async () => {
  sql = await openSql();
  folder = await mkdtemp(join(tmpdir(), 'stream-test-'));
});
afterAll(async () => {
  await sql.close();
  await rm(folder, { recursive: true });
});

type Outcome = { validation: Validation; accepted: unknown; quarantined: unknown } | { rejected: string };

async function outcome(validating: Promise<Validation>): Promise<Outcome> {
  try {
    const validation = await validating;
    return {
      validation,
      accepted: await sql.rows('FROM accepted'),
      quarantined: await sql.rows('FROM quarantined'),
    };
  } catch (error) {
    if (error instanceof FileRejected) return { rejected: error.message };
    throw error;
  }
}

const limits = { lineBytes: 160, columns: 12 };

/** What both readers make of the same bytes; the streaming one in segments so small that everything straddles their ends. */
async function both(
  bytes: Uint8Array,
  terms: Contract,
  segmentBytes: number,
  threads: 1 | 2 = 1,
): Promise<[whole: Outcome, streamed: Outcome]> {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const drop = {
    fileName: 'claims.csv',
    digest,
    contract: terms,
    arrivedAtMs: Date.UTC(2026, 2, 1),
    dropId: 'drop-1',
    sql,
    limits,
  };
  const whole = await outcome(validateFile({ ...drop, bytes }));
  const path = join(folder, randomUUID());
  await writeFile(path, bytes);
  const content = await open(path);
  try {
    return [whole, await outcome(validateCsv({ ...drop, content, segmentBytes, threads, temporaryDirectory: folder }))];
  } finally {
    await content.close();
    await rm(path);
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('a file read by segments gives the rows, reasons, figures and totals of the file read whole', () => {
  test('whatever it holds', async () => {
    const good = fc.nat(400).map((id) => `a${id};${id}.50;2;IN;true;2026-01-05;2026-01-09T10:00:00Z;fine`);
    const quoted = fc.nat(400).map((id) => `"a${id}";"80";1;"out";;2026-01-06;"2026-01-09 10:00:00";"so, fine"`);
    const cell = fc.constantFrom(
      'a1',
      '1',
      '0',
      '',
      '""',
      '"',
      '"x;y"',
      '"a\nb"',
      '"a""b"',
      '5\'11"',
      'in',
      '2026-01-05',
      '007',
      '1e5',
      '99999',
      'é€😀',
      ' 1',
      '"12"',
      '"unclosed',
      '"x"y',
      '1.255',
      '123456.5',
      '-3',
      'NaN',
    );
    const wild = fc.array(cell, { minLength: 7, maxLength: 9 }).map((cells) => cells.join(';'));
    const long = fc.integer({ min: 130, max: 168 }).map((length) => 'x'.repeat(length));
    const row = fc.oneof(
      { weight: 40, arbitrary: good },
      { weight: 15, arbitrary: quoted },
      { weight: 20, arbitrary: wild },
      { weight: 5, arbitrary: fc.constantFrom('', '"', ';;;;;;;') },
      { weight: 1, arbitrary: long },
    );
    const lineEnd = fc.constantFrom('\n', '\n', '\r\n', '\r');
    const file = fc
      .tuple(fc.array(fc.tuple(row, lineEnd), { minLength: 12, maxLength: 40 }), fc.boolean(), fc.boolean())
      .map(([rows, mark, ended]) => {
        const text = `${mark ? '\uFEFF' : ''}${header}\n${rows.map(([line, end]) => line + end).join('')}`;
        return ended ? text : text.replace(/[\r\n]+$/, '');
      });
    const cases = fc.sample(fc.tuple(file, fc.integer({ min: 1, max: 900 })), {
      numRuns: 12,
      seed: 20_261_120,
    });
    const seen = { accepted: 0, quarantined: 0, rejected: 0 };
    for (const [i, [text, segmentBytes]] of cases.entries()) {
      const [whole, streamed] = await both(utf8(text), contract, segmentBytes, i % 3 === 0 ? 2 : 1);
      expect({ text, segmentBytes, ...streamed }).toEqual({ text, segmentBytes, ...whole });
      if ('rejected' in whole) seen.rejected++;
      else {
        seen.accepted += whole.validation.counts.accepted;
        seen.quarantined += whole.validation.counts.quarantined;
      }
    }
    expect(Math.min(seen.accepted, seen.quarantined)).toBeGreaterThan(40);
    expect(seen.rejected).toBeGreaterThan(0);
  });

  test('a byte that is no UTF-8, and NUL, reject it wherever they stand, with their place', async () => {
    const text = `${header}\n${'a1;1;1;in;;2026-01-01;;€\n'.repeat(30)}`;
    for (const at of [130, 131, 200, 201, 202, text.length]) {
      for (const byte of [0xff, 0x00, 0xe2]) {
        const bytes = utf8(text);
        bytes[at] = byte;
        const [whole, streamed] = await both(bytes, contract, 97);
        expect(streamed).toEqual(whole);
      }
    }
  });

  test.each([
    ['nothing', ''],
    ['only line ends', '\n\r\n'],
    ['only a header', header],
    ['an unclosed header', '"a;b'],
    ['another delimiter', header.replaceAll(';', ',')],
    ['a column that is missing', 'claim_id;units\n1;2\n'],
    ['too many columns', `${Array.from({ length: 13 }, (_, c) => `c${c}`).join(';')}\n`],
  ])('%s', async (_, text) => {
    const [whole, streamed] = await both(utf8(text), contract, 50);
    expect(streamed).toEqual(whole);
  });

  const tortureFolder = new URL('../../../../shared/data/csv_torture/csvs/', import.meta.url);
  const present = existsSync(tortureFolder);
  if (!present)
    console.warn('test/data/quality/stream.test.ts: ../shared/data/csv_torture is absent, its test is skipped');
  test.skipIf(!present)('8. csv-spectrum: no silently wrong row (needs ../shared/data/csv_torture)', async () => {
    for (const name of readdirSync(tortureFolder)) {
      const bytes = readFileSync(new URL(name, tortureFolder));
      const names = bytes.toString('utf8').split(/\r?\n/)[0].replaceAll('"', '').split(',');
      const properties = names.map(
        (column, c) => `      - name: c${c}
        physicalName: ${JSON.stringify(column)}
        logicalType: string
        customProperties: [{ property: privacy, value: none }]
`,
      );
      const terms = parseContract(
        `apiVersion: v3.1.0\nkind: DataContract\nid: urn:test:x\nversion: 1.0.0\nstatus: active\nschema:\n  - name: x\n    properties:\n${properties.join('')}`,
        name,
      );
      const [whole, streamed] = await both(bytes, terms, 20);
      expect({ name, ...streamed }).toEqual({ name, ...whole });
    }
  });
});
