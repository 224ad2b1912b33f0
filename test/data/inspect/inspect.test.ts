import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { FileRejected } from '../../../src/data/file-rejected.ts';
import { type Inspection, inspectFile, sourceName } from '../../../src/data/inspect/inspect.ts';
import { sniffDialect, sniffEncoding } from '../../../src/data/inspect/sniff.ts';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql();
});
afterAll(() => sql.close());

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const inspect = (given: string | Uint8Array, file = 'rows.csv'): Promise<Inspection> =>
  inspectFile({ sql, bytes: typeof given === 'string' ? bytesOf(given) : given, file });
const repeat = (rows: readonly string[], times: number) =>
  Array.from({ length: times }, () => rows)
    .flat()
    .join('\n');
const column = ({ columns }: Inspection, header: string) => columns.find((candidate) => candidate.header === header)!;

describe('the dialect', () => {
  test.each([
    ['a,b\n1,2\n', ',', 'LF'],
    ['a;b\r\n1,5;2,5\r\n', ';', 'CRLF'],
    ['a\tb\r1\t2\r', '\t', 'CR'],
    ['a|b\n1|2,3\r\n', '|', 'mixed'],
    ['name;note\nx;"one, two, three"\n', ';', 'LF'],
    ['only\n1,2\n3,4\n', ',', 'LF'],
    ['a;a\n1;2\n', ';', 'LF'],
  ])('of %j', (text, delimiter, lineEnds) => {
    expect(sniffDialect(bytesOf(text))).toMatchObject({ delimiter, lineEnds, byteOrderMark: false });
  });

  test('is told by the first records of a long file', () => {
    const long = `a;b\n${'1,1;2\n'.repeat(200_000)}`;
    expect(sniffDialect(bytesOf(long)).delimiter).toBe(';');
  });
});

describe('the encoding', () => {
  test.each([
    ['José', 'utf8', 'utf-8', true],
    ['\uFEFFJosé', 'utf16le', 'utf-16le', true],
    ['Jose and others', 'utf16le', 'utf-16le', false],
    ['José', 'latin1', 'windows-1252', false],
  ] as const)('%s in %s', (text, encoding, name, certain) => {
    expect(sniffEncoding(Buffer.from(text, encoding))).toEqual({ encoding: name, certain });
  });
});

describe('types', () => {
  test('are the strictest that fit, in the grammar of contracts', async () => {
    const found = await inspect(
      'whole,decimal,day,at,flag,zip,word,none\n1,1.5,2026-01-02,2026-01-02T03:04:05Z,yes,01234,x,\n-2,2,2026-02-28,2026-01-02 03:04:05,No,91234,y,\n',
    );
    expect(found.columns.map(({ header, type }) => [header, type])).toEqual([
      ['whole', 'integer'],
      ['decimal', 'number'],
      ['day', 'date'],
      ['at', 'timestamp'],
      ['flag', 'boolean'],
      ['zip', 'string'],
      ['word', 'string'],
      ['none', 'string'],
    ]);
    expect(column(found, 'whole').nonNegative).toBe(false);
    expect(column(found, 'decimal').nonNegative).toBe(true);
    expect([found.rows, found.acceptedRows]).toEqual([2, 2]);
  });

  test('a few faults are the file’s, many are the type’s', async () => {
    const few = await inspect(`n\n${repeat(['1'], 30)}\noops\n`);
    expect(column(few, 'n')).toMatchObject({ type: 'integer', misfits: 1 });
    expect(few.rejected).toEqual([
      {
        line: 32,
        byteOffset: 62,
        rule: 'n.type',
        column: 'n',
        reason: expect.stringContaining('whole number') as unknown,
      },
    ]);
    expect(column(await inspect(`n\n${repeat(['1', 'oops'], 30)}\n`), 'n').type).toBe('string');
  });

  test('texts are enumerated where each of a few stands for at least eleven rows', async () => {
    const often = await inspect(`k\n${repeat(['red', 'blue'], 11)}\n`);
    expect(column(often, 'k').levels).toEqual(['blue', 'red']);
    expect(column(await inspect(`k\n${repeat(['red'], 20)}\n${repeat(['blue'], 10)}\n`), 'k').levels).toBe(undefined);
    const typo = await inspect(`k\n${repeat(['red', 'blue'], 30)}\nrde\n`);
    expect(column(typo, 'k')).toMatchObject({ levels: ['blue', 'red'], misfits: 1 });
    expect(typo.rejected.map(({ line, rule }) => [line, rule])).toEqual([[62, 'k_known']]);
  });

  test('yes and no are told in any case and in spite of a few faults; one letter alone is a text', async () => {
    const found = await inspect(`flag,f\n${repeat(['Yes,n', 'NO,n', 'no,n'], 10)}\nmaybe,n\n`);
    expect(column(found, 'flag')).toMatchObject({ type: 'boolean', misfits: 1, booleans: { yes: true, no: false } });
    expect(column(found, 'f').type).toBe('string');
    expect([found.rows, found.acceptedRows]).toEqual([31, 30]);
  });
});

describe('the proposed contract', () => {
  const policies = `Policy Number,Age,E-Mail,Charges,Kind\n${Array.from({ length: 30 }, (_, i) => `P${i},${20 + i},a${i}@example.org,${100 + i}.50,${i % 2 ? 'gold' : 'iron'}`).join('\n')}\n`;

  test('reads as one, takes its own sample, and names columns for SQL', async () => {
    const found = await inspect(policies, 'Policies 2026-01.csv');
    expect([found.acceptedRows, found.rejected]).toEqual([30, []]);
    const contract = parseContract(found.proposal.yaml, 'proposed');
    expect(contract.name).toBe('policies_2026_01');
    expect(contract.columns.map(({ name, type, headers }) => [name, type, headers[0]])).toEqual([
      ['policy_number', 'string', 'Policy Number'],
      ['age', 'integer', 'Age'],
      ['e_mail', 'string', 'E-Mail'],
      ['charges', 'number', 'Charges'],
      ['kind', 'string', 'Kind'],
      ['recorded_at', 'timestamp', 'recorded_at'],
    ]);
    expect(contract.columns.filter(({ primaryKey }) => primaryKey).map(({ name }) => name)).toEqual(['policy_number']);
    expect(contract.columns.map(({ privacy }) => privacy)).toEqual([
      'identifier',
      'age',
      'email',
      undefined,
      undefined,
      'recordTime',
    ]);
    expect(contract.controlTotals).toEqual(['charges']);
  });

  test('has no value of the sample but the enumerated ones', async () => {
    const { yaml } = (await inspect(policies)).proposal;
    for (const value of ['P3', 'example.org', '102.50', '49']) expect(yaml).not.toContain(value);
    expect(JSON.stringify(parse(yaml))).toContain('"validValues":["gold","iron"]');
  });

  test('a key with a few repetitions is a key, and those rows are rejected; one with many is none', async () => {
    const ids = Array.from({ length: 200 }, (_, i) => `K${i}`);
    const found = await inspect(`claim_id\n${[...ids, 'K7'].join('\n')}\n`);
    expect([found.proposal.key, found.rejected.map(({ line, rule }) => [line, rule])]).toEqual([
      'claim_id',
      [[202, 'claim_id.unique']],
    ]);
    expect((await inspect(`claim_id\n${[...ids, ...ids].join('\n')}\n`)).proposal.key).toBe('row_id');
  });

  test('a file without a key and a time gets stand-ins, and it still takes the file', async () => {
    const found = await inspect('row_id,b\n1,x\n1,y\n');
    expect([found.proposal.key, found.proposal.eventTime, found.acceptedRows]).toEqual(['row_id_2', 'recorded_at', 2]);
  });

  test('headers that SQL does not know, or does not tell apart, get names', async () => {
    const found = await inspect('Größe (m²),größe m2,2024,日付,constructor\n1,2,3,4,5\n');
    expect(parseContract(found.proposal.yaml, 'p').columns.map(({ name }) => name)).toEqual([
      'row_id',
      'große_m2'.replace('ß', '_'),
      'gro_e_m2_2',
      'column_3',
      'column_4',
      'constructor',
      'recorded_at',
    ]);
    expect(found.headerLooksLikeData).toBe(true);
  });

  test('the dialect and encoding of the file are in it', async () => {
    const latin = Buffer.from(`name;n\n${repeat(['José;1', 'Ana;2'], 3)}\n`, 'latin1');
    const found = await inspect(latin);
    expect(found.encoding).toEqual({ name: 'windows-1252', certain: false });
    const contract = parseContract(found.proposal.yaml, 'p');
    expect([contract.csv.delimiter, contract.encoding, found.acceptedRows]).toEqual([';', 'windows-1252', 6]);
  });
});

describe('any file', () => {
  test('gzip, JSON lines and Parquet', async () => {
    expect(await inspect(gzipSync('a,b\n1,2\n'))).toMatchObject({ format: 'csv', gzip: true, rows: 1 });
    expect(await inspect('{"a":1,"b":"x"}\n{"a":2}\nnot json\n')).toMatchObject({
      format: 'jsonl',
      header: ['a', 'b'],
      rows: 3,
      acceptedRows: 2,
      rejected: [{ line: 3, byteOffset: 24, rule: 'jsonl.object', column: null }],
    });
    const { bytes } = await sql.parquet(`SELECT i AS a, [i] AS list FROM range(3) t(i)`);
    const found = await inspect(bytes);
    expect(found).toMatchObject({
      format: 'parquet',
      rows: 3,
      acceptedRows: 3,
      unreadable: [{ name: 'list', type: 'BIGINT[]' }],
    });
    expect(parseContract(found.proposal.yaml, 'p').csv.unknownColumns).toBe('ignore');
  });

  test.each([
    ['nothing', '', 'empty'],
    ['blank names', 'a,,b\n1,2,3\n', 'malformed-header'],
    ['one name twice', 'a,A\n1,2\n', 'duplicate-columns'],
    ['an image', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]), 'not-text'],
    ['Parquet without its end', bytesOf('PAR1abcdefgh'), 'damaged'],
  ] as const)('%s is refused by name', async (_, given, code) => {
    const error = await inspect(given as string | Uint8Array).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileRejected);
    expect((error as FileRejected).code).toBe(code);
  });

  test.each([
    ['Policies 2026-01.csv.gz', 'policies_2026_01'],
    ['2026.parquet', 'rows'],
    ['claims.jsonl', 'claims'],
  ])('%s is the source %s', (file, name) => {
    expect(sourceName(file)).toBe(name);
  });

  const insurance = new URL('../../../../shared/data/A_medical_cost/insurance.csv', import.meta.url);
  const present = existsSync(insurance);
  if (!present) console.warn('skipped: ../shared/data/A_medical_cost is not there');
  test.skipIf(!present)('a published file of policies (needs ../shared/data/A_medical_cost)', async () => {
    const found = await inspect(readFileSync(insurance), 'insurance.csv');
    // 1,338 rows and these types are what its publisher states
    expect([found.rows, found.acceptedRows]).toEqual([1338, 1338]);
    expect(found.columns.map(({ type }) => type)).toEqual([
      'integer',
      'string',
      'number',
      'integer',
      'boolean',
      'string',
      'number',
    ]);
  });
});
