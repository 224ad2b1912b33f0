import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import { random } from '../../src/ml/random.ts';
import { safeHarborClasses } from '../../src/privacy/classes.ts';
import { ownDaysOf, scanDirectory, scanText } from '../../src/privacy/scan.ts';
import { canaries } from './canaries.ts';

const classesIn = (text: string) => [...scanText(text).keys()];

describe('the classes', () => {
  test.each(canaries.filter(({ column }) => !['remarks', 'member_id'].includes(column)))(
    '$class is found behind its column’s name: $column',
    ({ class: kind, column, text }) => {
      for (const written of [
        `${column}: ${text}`,
        JSON.stringify({ [column]: text }),
        JSON.stringify(JSON.stringify({ [column]: text })),
      ]) {
        expect([written, ...classesIn(written)]).toEqual([written, kind]);
      }
    },
  );

  test.each([
    ['names', 'Dear Mrs. Quackenbush,'],
    ['names', 'patient name: Zebulon'],
    ['geography', 'lives in Boise, ID 83702-1234'],
    ['geography', '12 N Main St'],
    ['geography', '"zip_code":"02139"'],
    ['dates', 'born 07/04/1931'],
    ['dates', 'born on 4 July 1931, in spring'],
    ['dates', 'born on July 4, 1931'],
    ['dates', 'geboren am 4.7.1931'],
    ['dates', '1931-07-04T00:00:00Z'],
    ['phone numbers', 'call 212-555-0147 or'],
    ['phone numbers', '+1 212.555.0147'],
    ['phone numbers', '+44 20 7946 0958'],
    ['phone numbers', 'mobile: 2125550147'],
    ['fax numbers', 'Fax no. 212-555-0147'],
    ['e-mail addresses', 'write to a.b+c@mail.example.org.'],
    ['social security numbers', 'it is 219-09-9999.'],
    ['social security numbers', 'SSN 219099999'],
    ['medical record numbers', 'MRN 1234567'],
    ['medical record numbers', 'medical record number: A-889911'],
    ['health plan numbers', 'Member ID: XYZ123456789'],
    ['health plan numbers', 'beneficiary 1EG4TE5MK73 was'],
    ['account numbers', 'IBAN DE89 3704 0044 0532 0130 00.'],
    ['account numbers', 'account no. 12-3456-7890'],
    ['account numbers', '4111-1111-1111-1111'],
    ['certificate and licence numbers', 'driver’s license number: D1234567'],
    ['certificate and licence numbers', 'passport 123456789'],
    ['vehicle identifiers', 'VIN 1M8GDM9AXKP042788'],
    ['vehicle identifiers', 'license plate: 7ABC123'],
    ['device identifiers', 'IMEI 490154203237518'],
    ['device identifiers', '"mac":"00:1B:63:84:45:E6"'],
    ['device identifiers', 'udi=A99971B642'],
    ['device identifiers', 'serial number: SN-99A17B2'],
    ['URLs', 'see www.quackenbush.example/me'],
    ['IP addresses', 'from 203.0.113.77:443'],
    ['IP addresses', 'from 2001:db8::8a2e:370:7334'],
    ['IP addresses', 'from 2001:0db8:0000:0000:0000:8a2e:0370:7334'],
    ['biometric identifiers', 'voice print template: Rk1SACAyMAABv0Zl'],
    ['photographs', '<img src="data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQ">'],
    ['photographs', 'IMG_2041.HEIC'],
    ['other unique codes', 'customer_id: 1000042'],
  ])('%s in running text: %s', (kind, text) => {
    expect(classesIn(text)).toContain(kind);
  });

  test('every class can be found', () => {
    expect(new Set(canaries.map((canary) => canary.class))).toEqual(new Set(safeHarborClasses));
  });

  test('known identifiers are found in any case, names among them', () => {
    const known = [{ class: 'names', text: 'Philomena' }] as const;
    expect(scanText('a report on PHILOMENA and philomena', { known })).toEqual(new Map([['names', 2]]));
  });
});

describe('what is no identifier', () => {
  test.each([
    'tree_sizes=3124 3175 3273 3118 3191 3097 leaf_count=213 455 1023 21 17',
    'threshold=30.050000000000001 1.0000000180025095e-35 -212.555014700000',
    'arn:aws:states:local:000000000000:execution:ingest:bd042309-db71-4987-8659-0079e40d4c78',
    '"sha256":"ddca22e2f999f93881d4dc0b77a3dbfa4447bcb20c837bcab7b6324be8e9fd8c","sizeBytes":314022',
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 260"><path d="M40 212.5L555-147"/>',
    'MAE 1,304 (1,213 – 1,403) on 967 frozen test rows; R² 0.827; p95 16,400 USD',
    '"createdAtMs":1795167201150,"codeCommit":"d76cb2d21056","license":"Apache-2.0"',
    'age: 45\nage: 89\nyear: 1986\nzip: 021\nzip: 000\nphone_calls: 12\nmember_months: 123456',
    'bins 20 – 25, 25 – 30; quantiles 12345, 67890; ratio 12-34; version 1.2.3; 10.0.1',
    'recorded_at is a point in time such as 2026-02-28T13:45:00Z',
    'customer_id: 1b4e28ba-2fa1-41d2-883f-0016d3cca427',
    'the member name is dropped; a certificate number is needed; face value 1200000',
    '::before{content:""} a{color:#aabbcc} 12:34:56 03:04:05.678',
    'account "000000000000" and retina screens',
    'feature_infos=0:1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23:24:25 0:1',
    'line_control_number: uax0hp-udi4k2-1uv6w1n\nrendering_provider_npi: 1058110396',
  ])('%s', (text) => {
    expect(scanText(text)).toEqual(new Map());
  });

  test('a day on which the product did something', () => {
    expect(scanText('ran at 2026-11-20T09:33:10.658Z', { ownDays: new Set(['2026-11-20']) })).toEqual(new Map());
    expect(scanText('20 November 2026', { ownDays: new Set(['2026-11-20']) })).toEqual(new Map());
    expect(classesIn('ran at 2026-11-20T09:33:10.658Z')).toEqual(['dates']);
  });

  test('forty thousand random numbers, ids and digests', () => {
    const draw = random(7);
    const hex = (length: number) => Array.from({ length }, () => draw.integer(16).toString(16)).join('');
    const lines = Array.from({ length: 8_000 }, () =>
      [
        String(draw.integer(1_000_000_000)),
        (draw.normal() * 1000).toFixed(draw.integer(12)),
        hex(64),
        `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
        String(draw.uniform()),
      ].join(draw.choice([' ', ',', '\n', '\t', '":'])),
    );
    expect(scanText(lines.join('\n'))).toEqual(new Map());
  });
});

describe('a directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bordereau-scan-'));
  const store = new DirectoryStore(directory);
  let sql: SqlEngine;
  beforeAll(async () => {
    sql = await openSql({ threads: 1 });
    const file =
      await sql.parquet(`SELECT '219-09-9999' AS code, 219099999 AS ssn, DATE '1931-07-04' AS born, DATE '2026-11-20' AS ran,
      TIMESTAMP '1931-07-04' AS _ingested_at, 1.5 AS amount, ['a', '212-555-0147'] AS list FROM range(3)`);
    await store.put('tables/t/part.parquet', file.bytes);
    const arrow = tableFromArrays({
      note: ['nothing', 'write to a@b.example'],
      score: [0.1, 0.2],
      seen: [new Date(0), new Date(1)],
    });
    await store.put('frozen/train.arrow', tableToIPC(arrow, 'file'));
    await store.put(
      'tables/t/_delta_log/0.json',
      Buffer.from(
        '{"commitInfo":{"timestamp":1795167201150}}{"stats":"{\\"minValues\\":{\\"seen\\":\\"1931-07-04T00:00:00Z\\"}}"}',
      ),
    );
    await store.put('log.jsonl', Buffer.from('{"time":"2026-11-19T09:33:10.658Z","message":"ran"}\n'));
    await store.put('pages/zebulon.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
  });
  afterAll(async () => {
    await sql.close();
    rmSync(directory, { recursive: true });
  });

  test('is scanned column by column where it holds tables, and no finding holds a value', async () => {
    const ownDays = await ownDaysOf([store]);
    expect(ownDays).toEqual(new Set(['2026-11-20', '2026-11-19']));
    const findings = await scanDirectory(store, { sql, place: 'gold/', ownDays });
    expect(findings.map(({ class: kind, place, count }) => `${kind} ${place} ${count}`)).toEqual([
      'dates gold/frozen/train.arrow#seen 2',
      'dates gold/tables/t/_delta_log/0.json 1',
      'dates gold/tables/t/part.parquet#born 3',
      'phone numbers gold/tables/t/part.parquet#list 1',
      'e-mail addresses gold/frozen/train.arrow#note 1',
      'social security numbers gold/tables/t/part.parquet#code 1',
      'social security numbers gold/tables/t/part.parquet#ssn 1',
      'photographs gold/pages/zebulon.jpg 1',
      'photographs gold/pages/zebulon.jpg 1',
    ]);
  });

  test('times that the contract calls no dates of a person are left alone, in tables’ logs too', async () => {
    const findings = await scanDirectory(store, {
      sql,
      ownDays: await ownDaysOf([store]),
      recordTimes: ['seen', 'born'],
    });
    expect(findings.filter((finding) => finding.class === 'dates')).toEqual([]);
  });
});
