import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const ci = readFileSync(join(root, '.ci/run'), 'utf8');

/** Every line of every shell block, comments taken off. */
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');

// a directory in which the README's relative paths mean what they mean to its reader
const directory = mkdtempSync(join(tmpdir(), 'bordereau-readme-'));
symlinkSync(join(root, 'test'), join(directory, 'test'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (words: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(root, 'src/cli/bin.mjs'), ...words], { cwd: directory });

/** A command line as a shell would split it; the README uses double quotes only. */
const wordsOf = (line: string) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);

const product = commands.filter((line) => line.startsWith('npx bordereau '));
/** These need an account; the templates that they deploy are tested in test/infra. */
const account = commands.filter((line) => /^(npx cdk|aws) /.test(line));
/** These are what .ci/run runs. */
const scripts = commands.filter((line) => line.startsWith('npm '));

describe('the commands of the README', () => {
  test('each is one that is run here, by .ci/run, or needs an AWS account', () => {
    expect(product.length).toBeGreaterThan(8);
    expect([...product, ...account, ...scripts].sort()).toEqual([...commands].sort());
  });

  test.each(product)('%s', async (line) => {
    const { stdout, stderr } = await run(wordsOf(line).slice(2));
    expect(stdout + stderr).not.toBe('');
  });

  test('npm scripts are run by .ci/run, with a file of one’s own too', () => {
    expect(scripts).toEqual([
      'npm run demo',
      'npm run demo -- --data policies.csv',
      'npm run demo -- --use-case offer-prioritization',
      'npm run demo -- --all',
      'npm test',
      'npm run test:long',
      'npm run synth',
    ]);
    expect(ci).toMatch(/^npm test$/m);
    expect(ci).toMatch(/^npm run --silent test:long$/m);
    expect(ci).toMatch(/npm run --silent demo -- --json --dir \S+ >/);
    expect(ci).toMatch(/npm run --silent demo -- .*--data /);
    expect(ci).toMatch(/npm run --silent demo -- --use-case offer-prioritization /);
    expect(ci).toMatch(/npm run --silent demo -- --all /);
    expect(ci).toMatch(/npm run --silent synth/);
  });
});
