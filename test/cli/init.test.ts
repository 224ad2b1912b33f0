import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { cleanCsv } from '../../src/data/inspect/clean.ts';
import { validateFile } from '../../src/data/quality/validate.ts';
import { openSql } from '../../src/data/sql.ts';
import { rocAuc } from '../../src/ml/metrics/roc.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { rowSetOf } from '../../src/stages/common/frozen-sets.ts';
import { learn, predictRows } from '../../src/stages/common/learning.ts';
import { readReceipt } from '../../src/stages/common/receipt.ts';
import { candidatesOf } from '../../src/stages/common/search.ts';
import { loadEvaluation, loadVersion } from '../../src/stages/common/version.ts';
import { type UseCase, catalogueFromFolder, useCaseOf } from '../../src/usecase/catalogue.ts';
import { featureQuery } from '../../src/usecase/feature-query.ts';
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

  const drawn = Array.from({ length: 800 }, (_, i) => ({
    age: 20 + ((i * 7) % 50),
    region: ['north', 'south', 'west'][i % 3],
    event: (i * 13) % 40 < 8,
  }));
  const rowsOf = (separator: string) =>
    drawn.map(({ age, region, event }) =>
      [age, region, Number(event), event, event ? "it's a claim" : 'none'].join(separator),
    );
  const events = join(root, 'events.csv');
  writeFileSync(events, ['age,region,flag,claimed,outcome', ...rowsOf(',')].join('\n'));
  const raw = join(root, 'raw.csv');
  writeFileSync(raw, rowsOf(', ').join('\n'));

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

  test.each([
    ['claimed', [], 'claimed BOOLEAN', '("claimed" = true)'],
    ['flag', [], 'flag BIGINT', '("flag" = 1)'],
    ['flag', ['--positive', '0'], 'flag BIGINT', '("flag" = 0)'],
    ['outcome', [], 'outcome VARCHAR', `("outcome" = 'it''s a claim')`],
    ['outcome', ['--positive', 'none'], 'outcome VARCHAR', `("outcome" = 'none')`],
  ])('learns the event that %s tells %j', async (label, more, column, condition) => {
    const folder = mkdtempSync(join(root, 'usecases-'));
    const words = ['--from', events, '--label', label, ...more, '--sensitive', 'region', '--use-cases', folder];
    expect(await run(...words)).toMatchObject({ code: 0 });
    const { declaration, contracts, features } = useCaseOf(await catalogueFromFolder(folder), 'events');
    expect(declaration.label).toMatchObject({ column: label, task: 'binary' });
    expect(declaration.models.map(({ kind, search }) => [kind, search.metric])).toEqual([
      ['gradient-boosting', 'roc_auc'],
    ]);
    expect(declaration.gates.beatsChampion.metric).toBe('log_loss');
    expect([declaration.score.bands, declaration.score.interval, declaration.score.floor]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(declaration.fairness).toEqual({ over: ['region'], minGroupRows: 30 });
    expect(features).toContain(`${condition}::INTEGER AS "${label}"`);
    const { sqlType, levels, minimum, maximum } = contracts['events'].contract.columns.find(
      ({ name }) => name === label,
    )!;
    expect(`${label} ${sqlType}`).toBe(column);
    expect({ levels, minimum, maximum }).toEqual(
      { claimed: {}, flag: { minimum: 0, maximum: 1 }, outcome: { levels: ["it's a claim", 'none'] } }[label],
    );
  });

  test('cleans a file without a header and with blanks, and the copy is one that ingestion takes', async () => {
    const folder = mkdtempSync(join(root, 'usecases-'));
    const clean = join(folder, 'raw-clean.csv');
    const words = ['--from', raw, '--label', 'claimed', '--use-cases', folder];
    const names = ['--header', 'age,region,flag,claimed,outcome'];
    expect((await run(...words, ...names, '--clean', clean)).code).toBe(0);
    const [header, first] = readFileSync(clean, 'utf8').split('\n');
    expect([header, first.includes(' ,') || first.includes(', ')]).toEqual(['age,region,flag,claimed,outcome', false]);
    for (const [given, says] of [
      [names, 'Give --clean FILE too'],
      [['--clean', clean], 'name the columns by --header a,b,c'],
      [[], 'ingestion never trims'],
    ] as const) {
      const { code, errors } = await run(...words, ...given, '--id', 'other');
      expect([code, errors.includes(says) ? says : errors]).toEqual([2, says]);
    }
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
    [['--from', sample, '--label', 'charges', '--positive', '1'], '--positive is for a label of two values'],
    [['--from', events, '--label', 'outcome', '--positive', 'claim'], "--positive takes a value of outcome: it's a"],
    [['--from', events, '--label', 'flag', '--sensitive', 'regoin'], 'Did you mean "region"?'],
    [['--from', sample, '--label', 'charges', '--sensitive', 'customer_id'], 'customer_id is no feature'],
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

const adult = ['adult-train.csv.gz', 'adult-test.csv.gz'].map((name) =>
  fileURLToPath(new URL(`../../../shared/data/fairness_adult/${name}`, import.meta.url)),
);
const adultPresent = adult.every((file) => existsSync(file));
if (!adultPresent) console.warn('Not run: a use case from Adult needs ../shared/data/fairness_adult.');

// the gaps of the labels themselves, by the same files, are in fairness.test.ts
describe.skipIf(!adultPresent)(
  'a use case from UCI Adult as it was published (needs ../shared/data/fairness_adult)',
  () => {
    const names =
      'age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,capital-gain,capital-loss,hours-per-week,native-country,income';
    const folder = mkdtempSync(join(root, 'usecases-'));
    const clean = join(root, 'adult.csv');
    const said = ['--header', names, '--clean', clean, '--label', 'income', '--sensitive', 'sex,race'];
    const made = () => run('--from', adult[0], ...said, '--use-cases', folder, '--id', 'adult', '--source', 'adult');

    test('runs at once: the first 2,500 rows are ingested, trained, governed, scored and monitored', async () => {
      expect(await made()).toMatchObject({
        code: 0,
        errors: expect.stringContaining('32561 rows read, 16 of them') as string,
      });
      const bytes = new TextEncoder().encode(readFileSync(clean, 'utf8').split('\n').slice(0, 2501).join('\n'));
      const runtime = await openRuntime({
        directory: mkdtempSync(join(root, 'state-')),
        useCases: folder,
        threads: 1,
      });
      try {
        await runtime.drop({ useCase: 'adult', source: 'adult', fileName: 'adult.csv', bytes });
        const ended = await runtime.deliver();
        expect(ended.map(({ machine, status, cause }) => [machine, status, cause])).toEqual(
          ['ingest', 'train', 'govern', 'score', 'monitor'].map((machine) => [machine, 'SUCCEEDED', undefined]),
        );
        const { manifest } = await loadVersion(runtime.ports, 'adult', 1);
        const { fairness } = await loadEvaluation(runtime.ports, manifest);
        expect(fairness.map(({ table, demographicParity }) => [table.feature, demographicParity?.highest])).toEqual([
          ['sex', 'Male'],
          ['race', expect.any(String)],
        ]);
      } finally {
        await runtime.close();
      }
    });

    test('learns from all of its training file what gives AUC ≥ .92 on the published test file', async () => {
      const useCase = useCaseOf(await catalogueFromFolder(folder), 'adult');
      // that file ends its labels in full stops, which no contract of the first one knows
      const header = names.split(',');
      const test = new TextDecoder()
        .decode(cleanCsv(readFileSync(adult[1]), { file: 'test', header }))
        .replaceAll(/\.$/gm, '');
      const trained = await featuresOf(useCase, readFileSync(clean));
      const judged = await featuresOf(useCase, new TextEncoder().encode(test));
      expect([trained.rows, judged.rows]).toEqual([32_545, 16_272]);
      const [candidate] = candidatesOf(useCase.declaration);
      const learnt = await learn(useCase.declaration, candidate, trained);
      expect(rocAuc(judged.label, predictRows(learnt, judged.columns))).toBeGreaterThan(0.92);
    });

    async function featuresOf(useCase: UseCase, bytes: Uint8Array) {
      const { contract } = useCase.contracts['adult'];
      const sql = await openSql();
      try {
        await validateFile({ sql, bytes, contract, fileName: 'adult.csv', digest: '', arrivedAtMs: 0, dropId: 'a' });
        await sql.run('CREATE VIEW adult AS FROM accepted');
        return rowSetOf(await sql.query(featureQuery(useCase)), useCase.declaration);
      } finally {
        await sql.close();
      }
    }
  },
);
