import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { FileRejected } from '../../../src/data/file-rejected.ts';
import { validateContent } from '../../../src/data/quality/content.ts';
import type { Validation } from '../../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';

const contract = parseContract(
  `apiVersion: v3.1.0
kind: DataContract
id: urn:test:x
version: 1.0.0
status: active
schema:
  - name: x
    properties:
      - { name: id, logicalType: integer, required: true, unique: true, customProperties: [{ property: privacy, value: none }] }
      - { name: note, logicalType: string, customProperties: [{ property: privacy, value: none }] }
`,
  'x.odcs.yaml',
);

let sql: SqlEngine;
let folder: string;
beforeAll(async () => {
  sql = await openSql();
  folder = await mkdtemp(join(tmpdir(), 'content-test-'));
});
afterAll(async () => {
  await sql.close();
  await rm(folder, { recursive: true });
});

async function validate(bytes: Uint8Array): Promise<Validation> {
  const path = join(folder, 'given');
  await writeFile(path, bytes);
  const content = await open(path);
  try {
    return await validateContent({
      sql,
      content,
      contract,
      fileName: 'x.csv',
      digest: '0'.repeat(64),
      arrivedAtMs: 0,
      dropId: 'd',
      temporaryDirectory: folder,
    });
  } finally {
    await content.close();
    expect(await readdir(folder)).toEqual(['given']);
    await rm(path);
  }
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await validate(bytes).catch((reason: unknown) => reason);
  if (error instanceof FileRejected) return error.message;
  throw new Error('it was not refused', { cause: error });
}

const rows = (n: number) => `id,note\n${Array.from({ length: n }, (_, i) => `${i},"note ${i}, quoted"\n`).join('')}`;
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('a file on disk', () => {
  test('is read through gzip as without', async () => {
    const text = utf8(rows(2000));
    const plain = await validate(text);
    expect(plain.counts).toEqual({ rows: 2000, accepted: 2000, quarantined: 0 });
    expect(await validate(gzipSync(text))).toEqual(plain);
  });

  test('is read whole where it is no CSV', async () => {
    const { counts, format } = await validate(utf8('{"id":1,"note":"a"}\n{"id":1,"note":"b"}\n'));
    expect([format, counts]).toEqual(['jsonl', { rows: 2, accepted: 1, quarantined: 1 }]);
  });
});

describe('6. gzip bomb, truncated gzip, 100 MB field, 100k columns: refused within caps', () => {
  test('6. a gzip bomb is refused by its ratio, and what it has left on the disk goes', async () => {
    const message = await refusal(gzipSync(new Uint8Array(64 * 2 ** 20).fill(0x61)));
    expect(message).toMatch(/rejected \(too-large\): its \d+ bytes of gzip hold more than 16777216 bytes/);
  });

  test('6. gzip that is cut off, altered, followed by something, or twice around is refused as damaged', async () => {
    const whole = gzipSync(utf8(rows(2000)));
    const altered = Uint8Array.from(whole);
    altered[whole.length - 6] ^= 1;
    for (const bytes of [whole.subarray(0, -9), altered, Buffer.concat([whole, utf8('rest')]), gzipSync(whole)]) {
      expect(await refusal(bytes)).toContain('rejected (damaged)');
    }
  });

  test('6. a field of 100 MB is refused as a line that is too long, quoted or not, in memory for one segment', async () => {
    const field = Buffer.alloc(100e6, 'a');
    const beforeBytes = process.resourceUsage().maxRSS * 1024;
    expect(await refusal(Buffer.concat([utf8('id,note\n1,'), field]))).toContain('rejected (line-too-long)');
    field[0] = 0x22;
    expect(await refusal(Buffer.concat([utf8('id,note\n1,'), field]))).toContain('rejected (line-too-long)');
    // the test itself holds the file twice
    expect(process.resourceUsage().maxRSS * 1024 - beforeBytes).toBeLessThan(500e6);
  });

  test('6. 100,000 columns are refused by their number, in the header and in a row', async () => {
    const names = Array.from({ length: 100_000 }, (_, c) => `c${c}`).join(',');
    expect(await refusal(utf8(`${names}\n`))).toMatch(/rejected \((too-many-columns|line-too-long)\)/);
    const { counts } = await validate(utf8(`id,note\n1,a\n${','.repeat(100_000)}\n2,b\n`)).catch(() => ({
      counts: undefined,
    }));
    expect(counts).toEqual({ rows: 3, accepted: 2, quarantined: 1 });
  });
});
