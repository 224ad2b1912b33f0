import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';

const directory = mkdtempSync(join(tmpdir(), 'bordereau-inspect-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const put = (name: string, content: string | Uint8Array) => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

async function run(...words: string[]): Promise<{ code: number; out: string; errors: string }> {
  let out = '';
  let errors = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((out += String(text))));
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((errors += String(text))));
  try {
    return { code: await main(words), out, errors };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

const rows = [...Array.from({ length: 30 }, (_, i) => `P${i};${i}`), ...Array.from({ length: 12 }, () => 'broken')];
const file = put('policies.csv.gz', gzipSync(`id;amount\n${rows.join('\n')}\n`));

describe('bordereau inspect', () => {
  test('tells the form, the columns and the first rejected rows, and proposes a contract', async () => {
    const { code, out } = await run('inspect', file);
    expect(code).toBe(0);
    expect(out).toContain('CSV in gzip, utf-8, delimiter semicolon, line ends LF');
    expect(out).toContain('42 rows, 30 accepted, 12 rejected; 2 columns');
    expect(out.match(/it has 1 fields/g)).toHaveLength(10);
    expect(out).toContain('… and 2 more: --rows shows them.');
    expect(out).toContain('apiVersion: v3.1.0');
    expect(out).not.toContain('P17');
  });

  test('--rows --json is one document with every rejected row and its place', async () => {
    const { out } = await run('inspect', file, '--rows', '--json');
    const document = JSON.parse(out) as { rejected: { line: number; byteOffset: number }[]; rejectedRows: number };
    expect(document.rejectedRows).toBe(12);
    expect(document.rejected.map(({ line }) => line)).toEqual(Array.from({ length: 12 }, (_, i) => 32 + i));
    const start = `id;amount\n${rows.slice(0, 30).join('\n')}\n`.length;
    expect(document.rejected.map(({ byteOffset }) => byteOffset)).toEqual(
      Array.from({ length: 12 }, (_, i) => start + 7 * i),
    );
  });

  test('--clean writes a file with blanks and without a header as ingestion takes it, and looks at that', async () => {
    const raw = put('raw.csv', 'x, 12, 7\n'.repeat(20));
    expect((await run('inspect', raw)).out).toContain('--clean writes a copy without them');
    const clean = join(directory, 'clean.csv');
    const { code, out } = await run('inspect', raw, '--header', 'kind,amount,age', '--clean', clean);
    expect([code, readFileSync(clean, 'utf8')]).toEqual([0, `kind,amount,age\n${'x,12,7\n'.repeat(20)}`]);
    expect(out).toContain('20 rows, 20 accepted, 0 rejected; 3 columns');
    expect(out).not.toContain('Blanks stand');
    expect(await run('inspect', raw, '--header', 'a,b,c')).toMatchObject({ code: 2 });
  });

  test('--yaml prints the contract alone, and it is a contract', async () => {
    const { out } = await run('inspect', file, '--yaml', '--source', 'members');
    const older = put('older.odcs.yaml', out);
    const newer = put('newer.odcs.yaml', out.replace('logicalType: integer', 'logicalType: number'));
    expect(await run('inspect', '--contract', older, older)).toMatchObject({
      code: 0,
      out: 'The contracts ask for the same.\n',
    });
    const compared = await run('inspect', '--contract', older, newer, '--json');
    expect(compared.code).toBe(3);
    expect(JSON.parse(compared.out)).toMatchObject({
      compatible: false,
      changes: [{ effect: 'breaking', what: 'column amount: BIGINT → DOUBLE' }],
    });
  });

  test('a damaged file is named as such and closes the gate', async () => {
    const damaged = put('damaged.parquet', 'PAR1 and nothing else');
    const { code, errors } = await run('inspect', damaged);
    expect(code).toBe(3);
    expect(errors).toContain('damaged.parquet is rejected (damaged)');
  });

  test.each([
    [['inspect', join(directory, 'none.csv')], 'There is no file'],
    [['inspect', 'a', 'b'], 'one file at a time'],
    [['inspect', '--contract', 'a'], 'takes two files'],
    [['inspect', file, '--source', 'no good'], '--source takes a name'],
  ])('%j is a wrong command line', async (words, says) => {
    const { code, errors } = await run(...words);
    expect([code, errors.includes(says)]).toEqual([2, true]);
  });
});
