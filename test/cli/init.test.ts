import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { readReceipt } from '../../src/stages/common/receipt.ts';
import { catalogueFromFolder, useCaseOf } from '../../src/usecase/catalogue.ts';
import { generate } from '../../usecases/insurance-cost/generate.ts';

const root = mkdtempSync(join(tmpdir(), 'bordereau-init-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function run(...words: string[]) {
  let out = '';
  let errors = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((out += String(text))));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((errors += String(text))));
  try {
    return { code: await main(['init', ...words]), out, errors };
  } finally {
    vi.restoreAllMocks();
  }
}

/** Runs the drop that the use case was made from, and all that follows, with a search that takes a second. */
async function runChain(useCases: string, useCase: string, source: string, file: string, bytes: Uint8Array) {
  const path = join(useCases, useCase, 'usecase.ts');
  const small = readFileSync(path, 'utf8')
    .replaceAll(/trials: \d+/g, 'trials: 1')
    .replaceAll(/folds: \d+/g, 'folds: 2')
    .replace('trees: 100', 'trees: 20')
    .replace('iterations: 100', 'iterations: 40');
  // under another name, for the first one stays loaded
  const folder = mkdtempSync(join(root, 'small-'));
  const { code } = await run(
    '--from',
    file,
    '--label',
    'charges',
    '--use-cases',
    folder,
    '--id',
    useCase,
    '--source',
    source,
  );
  expect(code).toBe(0);
  writeFileSync(
    join(folder, useCase, 'usecase.ts'),
    small.replace(/from "[^"]*"/, /from "[^"]*"/.exec(readFileSync(join(folder, useCase, 'usecase.ts'), 'utf8'))![0]),
  );
  const runtime = await openRuntime({ directory: mkdtempSync(join(root, 'state-')), useCases: folder, threads: 1 });
  try {
    const { runId } = await runtime.drop({ useCase, source, fileName: 'sample.csv', bytes });
    const ended = await runtime.deliver();
    return { ended, receipt: await readReceipt(runtime.ports, { useCase, runId }) };
  } finally {
    await runtime.close();
  }
}

const insurance = fileURLToPath(new URL('../../../shared/data/A_medical_cost/insurance.csv', import.meta.url));
const present = existsSync(insurance);
if (!present) console.warn('skipped: ../shared/data/A_medical_cost is not there');

describe('bordereau init', () => {
  const [generated] = generate({ rows: 800, seed: 7, dirtShare: 0.02 });
  const sample = join(root, 'member-costs.csv');
  writeFileSync(sample, generated.bytes);
  const tiny = join(root, 'tiny.csv');
  writeFileSync(tiny, new TextDecoder().decode(generated.bytes).split('\n').slice(0, 40).join('\n'));

  test('writes a use case that is one: the declaration, its contract and its features fit each other', async () => {
    const folder = mkdtempSync(join(root, 'usecases-'));
    const { code, out } = await run('--from', sample, '--label', 'charges', '--unit', 'USD', '--use-cases', folder);
    expect([code, out.split('\n').length]).toEqual([0, 4]);
    const { declaration, contracts } = useCaseOf(await catalogueFromFolder(folder), 'member-costs');
    expect(declaration.label).toMatchObject({ column: 'charges', unit: 'USD' });
    expect(declaration.entity).toEqual({ key: 'customer_id', eventTime: 'timestamp' });
    expect(declaration.features.numeric.toSorted()).toEqual(['age', 'bmi', 'children', 'smoker']);
    expect(declaration.features.categorical.toSorted()).toEqual(['region', 'sex']);
    expect(contracts['member_costs'].contract.controlTotals).toEqual(['charges']);
    const below = declaration.score.bands!.map((band) => band.below ?? Infinity);
    expect(below).toEqual(below.toSorted((a, b) => a - b));
  });

  test.skipIf(!present)(
    'of a published file runs at once: ingested, trained, governed (needs ../shared/data/A_medical_cost)',
    async () => {
      const folder = mkdtempSync(join(root, 'usecases-'));
      expect((await run('--from', insurance, '--label', 'charges', '--use-cases', folder)).code).toBe(0);
      const { ended, receipt } = await runChain(folder, 'insurance', 'insurance', insurance, readFileSync(insurance));
      expect(receipt).toMatchObject({ status: 'accepted', rows: { dropped: 1338, accepted: 1338, quarantined: 0 } });
      expect(ended.map(({ machine, status, cause }) => [machine, status, cause])).toEqual(
        ['ingest', 'train', 'govern', 'score', 'monitor'].map((machine) => [machine, 'SUCCEEDED', undefined]),
      );
      expect(ended.find(({ machine }) => machine === 'govern')!.announced).toContain('ModelPromoted');
    },
  );

  test('of a generated file with broken rows runs at once: those are quarantined', async () => {
    const folder = mkdtempSync(join(root, 'usecases-'));
    expect((await run('--from', sample, '--label', 'charges', '--use-cases', folder)).code).toBe(0);
    const { ended, receipt } = await runChain(folder, 'member-costs', 'member_costs', sample, readFileSync(sample));
    expect(receipt!.rows.dropped).toBe(receipt!.rows.accepted + receipt!.rows.quarantined);
    expect(receipt!.rows.quarantined).toBeGreaterThan(0);
    expect(ended.slice(0, 3).map(({ machine, status, cause }) => [machine, status, cause])).toEqual([
      ['ingest', 'SUCCEEDED', undefined],
      ['train', 'SUCCEEDED', undefined],
      ['govern', 'SUCCEEDED', undefined],
    ]);
  });

  test('does not touch a use case that is there', async () => {
    const { code, errors } = await run('--from', sample, '--label', 'charges', '--id', 'insurance-cost');
    expect([code, errors.includes('There is a use case "insurance-cost" already')]).toEqual([2, true]);
  });

  test.each([
    [['--label', 'charges'], '--from is missing'],
    [['--from', sample], '--label is missing'],
    [['--from', sample, '--label', 'charge'], 'Did you mean "charges"?'],
    [['--from', sample, '--label', 'region'], 'models learn numbers'],
    [['--from', sample, '--label', 'age'], 'looks like age of a person'],
    [['--from', sample, '--label', 'charges', '--id', 'Not Good'], '--id takes words'],
    [['--from', sample, '--label', 'charges', '--source', '1a'], '--source takes'],
    [['--from', tiny, '--label', 'charges'], 'needs at least 700'],
    [['--from', join(root, 'none.csv'), '--label', 'x'], 'There is no file'],
  ])('%j is a wrong command line', async (words, says) => {
    const folder = mkdtempSync(join(root, 'none-'));
    const { code, errors } = await run(...words, '--use-cases', folder);
    expect([code, errors.includes(says) ? says : errors]).toEqual([2, says]);
  });
});
