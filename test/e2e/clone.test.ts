import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { policies } from '../stages/world.ts';
import { cloned } from './clone.ts';

const clone = cloned();
afterAll(() => clone.remove());

/** The clone with one file of its use case changed, for as long as `work` takes. */
async function edited<T>(file: string, change: (text: string) => string, work: () => Promise<T>): Promise<T> {
  const path = join(clone.useCase, file);
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`${file} has no such text to change.`);
  writeFileSync(path, changed);
  try {
    return await work();
  } finally {
    writeFileSync(path, text);
  }
}

describe('the real binary', () => {
  test('gives a pipe data alone, and is content when nobody reads on', async () => {
    const { code, stdout, stderr } = await clone.shell(
      '$bordereau generate insurance-cost --rows 20000 --out - | head -n 2',
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^customer_id,age,.*\n1000000,.*\n$/);
  });

  test('streams the very bytes of the file', async () => {
    const { stdout } = await clone.shell('$bordereau generate insurance-cost --rows 1200 --out -');
    expect(stdout).toBe(new TextDecoder().decode(policies()));
  });

  test('ends a wrong command line with 2, its words on stderr', async () => {
    const { code, stdout, stderr } = await clone.bordereau('retrian');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe('✗ There is no command "retrian". Did you mean "retrain"?\n  Next: bordereau retrain\n');
  });
});

describe('an edited use case that cannot be used stops every command with 2, before anything is touched', () => {
  test.each<[string, string, (text: string) => string, string[]]>([
    [
      'a misspelt key',
      'usecase.ts',
      (text) => text.replace('"highQuantile"', '"highQuantil"'),
      ['insurance-cost/usecase.ts', 'highQuantil', 'Did you mean "highQuantile"?'],
    ],
    [
      'a contract that contradicts itself',
      'policies.odcs.yaml',
      (text) => text.replace('maximum: 100', 'maximum: 10'),
      ['insurance-cost/policies.odcs.yaml', 'line 63', 'logicalTypeOptions', 'no value lies between its bounds'],
    ],
    [
      'a declaration that is no TypeScript',
      'usecase.ts',
      (text) => `${text}\nexport const =`,
      ['insurance-cost/usecase.ts', 'it cannot be loaded'],
    ],
  ])('%s is named with its file', async (_title, file, change, said) => {
    writeFileSync(join(clone.directory, 'january.csv'), policies());
    const { code, stdout, stderr } = await edited(file, change, () =>
      clone.bordereau('drop', 'january.csv', '--source', 'policies'),
    );
    expect([code, stdout]).toEqual([2, '']);
    for (const words of said) expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
