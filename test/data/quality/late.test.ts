import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InvalidContract, parseContract } from '../../../src/data/contract/parse.ts';
import { lateRows, lookBackRule } from '../../../src/data/quality/late.ts';
import { validateCsv } from '../../../src/data/quality/stream.ts';
import { type Validation, validateFile } from '../../../src/data/quality/validate.ts';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';

const yamlOf = (lookBack: string, type = 'timestamp') => `
apiVersion: v3.1.0
kind: DataContract
id: urn:test:visits
version: 1.0.0
status: active
schema:
  - name: visits
    logicalType: object
    customProperties:
      - property: lookBack
        value: ${lookBack}
    properties:
      - { name: visit, logicalType: string, required: true }
      - { name: happened, logicalType: ${type} }
      - { name: came, logicalType: timestamp }
`;
const contractOf = (lookBack: string, type?: string) => parseContract(yamlOf(lookBack, type), 'visits.odcs.yaml');

const day = 86_400_000;
const arrivedAtMs = Date.UTC(2026, 2, 1, 6, 30);
const directory = mkdtempSync(join(tmpdir(), 'bordereau-late-'));
let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(async () => {
  await sql.close();
  rmSync(directory, { recursive: true, force: true });
});

type Visit = { happenedMs: number | null; cameMs: number };
const instant = (ms: number | null) => (ms === null ? '' : new Date(ms).toISOString());
const fileOf = (visits: readonly Visit[]) =>
  new TextEncoder().encode(
    ['visit,happened,came', ...visits.map((v, i) => `V${i},${instant(v.happenedMs)},${instant(v.cameMs)}`), ''].join(
      '\n',
    ),
  );

async function judged(visits: readonly Visit[], lookBack: string, streamed = false) {
  const contract = contractOf(lookBack);
  const bytes = fileOf(visits);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const input = { sql, fileName: 'visits.csv', digest, contract, arrivedAtMs, dropId: 'drop-1' };
  let validation: Validation;
  if (streamed) {
    const path = join(directory, 'visits.csv');
    writeFileSync(path, bytes);
    await using content = await open(path);
    validation = await validateCsv({ ...input, content, temporaryDirectory: directory });
  } else validation = await validateFile({ ...input, bytes });
  const beyond = validation.rules.find(({ name }) => name === lookBackRule)!.rows;
  return { counts: validation.counts, late: await lateRows(sql, { contract, arrivedAtMs, beyond }) };
}

/** The same by one visit after the other. */
function naively(visits: readonly Visit[], { to, beyond }: { to: boolean; beyond: 'warn' | 'quarantine' }) {
  const late = { rows: 0, oldestDays: null as number | null, beyond: 0 };
  for (const { happenedMs, cameMs } of visits) {
    if (happenedMs === null) continue;
    const delayMs = (to ? cameMs : arrivedAtMs) - happenedMs;
    if (delayMs > 45 * day) late.beyond += 1;
    else if (delayMs > 10 * day) {
      late.rows += 1;
      late.oldestDays = Math.max(late.oldestDays ?? 0, Math.floor(delayMs / day));
    }
  }
  const quarantined = beyond === 'quarantine' ? late.beyond : 0;
  return { counts: { rows: visits.length, accepted: visits.length - quarantined, quarantined }, late };
}

const visit = fc.record({
  happenedMs: fc.option(
    fc.oneof(
      fc.integer({ min: -60 * 24, max: 0 }).map((hours) => arrivedAtMs + hours * 3_600_000),
      fc.constantFrom(10, 45).map((days) => arrivedAtMs - days * day),
      fc.constantFrom(10, 45).map((days) => arrivedAtMs - days * day - 1000),
    ),
  ),
  cameMs: fc.integer({ min: -20, max: 0 }).map((days) => arrivedAtMs + days * day),
});

test.each([
  ['quarantine', true, false],
  ['quarantine', false, true],
  ['warn', true, true],
  ['warn', false, false],
] as const)(
  'outcome %s, with a column of arrival %s, streamed %s: as counted one by one',
  async (beyond, to, streamed) => {
    const lookBack = `{ from: happened, ${to ? 'to: came, ' : ''}onTime: P10D, most: P45D, beyond: ${beyond} }`;
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 30 }), async (visits) => {
        expect(await judged(visits, lookBack, streamed)).toEqual(naively(visits, { to, beyond }));
      }),
      { numRuns: 12 },
    );
  },
);

test.each([
  [
    '{ from: hapened, onTime: P10D, most: P45D, beyond: warn }',
    'there is no column "hapened". Did you mean "happened"?',
  ],
  ['{ from: visit, onTime: P10D, most: P45D, beyond: warn }', '"visit" is no date or timestamp'],
  ['{ from: happened, onTime: P45D, most: P45D, beyond: warn }', '"onTime" is not below "most"'],
  ['{ from: happened, onTime: 10, most: P45D, beyond: warn }', 'onTime'],
  ['{ from: happened, onTime: P10D, most: P45D, beyond: halt }', 'beyond'],
])('%s is refused by name', (lookBack, words) => {
  expect(() => contractOf(lookBack)).toThrow(InvalidContract);
  expect(() => contractOf(lookBack)).toThrow(words);
});

test('days count as their midnight', async () => {
  const contract = contractOf('{ from: happened, onTime: P10D, most: P45D, beyond: quarantine }', 'date');
  const bytes = new TextEncoder().encode('visit,happened,came\nV1,2026-02-20,\nV2,2026-02-18,\nV3,2026-01-10,\n');
  const input = { sql, bytes, fileName: 'v.csv', digest: '00', contract, arrivedAtMs, dropId: 'drop-1' };
  const { counts } = await validateFile(input);
  expect(counts).toEqual({ rows: 3, accepted: 2, quarantined: 1 });
  expect(await lateRows(sql, { contract, arrivedAtMs, beyond: 1 })).toEqual({ rows: 1, oldestDays: 11, beyond: 1 });
});
