import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { InvalidContract } from '../../src/data/contract/parse.ts';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import {
  type Catalogue,
  catalogueFromFolder,
  catalogueFromJson,
  contractOf,
  useCaseOf,
} from '../../src/usecase/catalogue.ts';
import { dryRunFindings } from '../../src/usecase/dry-run.ts';
import { InvalidDeclaration, UnknownSource, UnknownUseCase } from '../../src/usecase/errors.ts';

const folder = fileURLToPath(new URL('../../usecases/', import.meta.url));
let catalogue: Catalogue;
let sql: SqlEngine;
beforeAll(async () => {
  catalogue = await catalogueFromFolder(folder);
  sql = await openSql();
});
afterAll(() => sql.close());

test('the catalogue is the same after a trip through JSON', () => {
  expect(catalogueFromJson(JSON.stringify(catalogue))).toEqual(catalogue);
});

test('the SQL of every use case runs, and gives the columns that its declaration names', async () => {
  for (const useCase of catalogue.useCases) {
    expect([useCase.declaration.id, await dryRunFindings(sql, useCase)]).toEqual([useCase.declaration.id, []]);
  }
});

test('one use case can be read alone, as it is among all; one that is not there is not told apart', async () => {
  const id = 'offer-prioritization';
  expect(await catalogueFromFolder(folder, id)).toEqual({ useCases: [useCaseOf(catalogue, id)] });
  expect(await catalogueFromFolder(folder, 'offers')).toEqual(catalogue);
});

test('what does not exist is answered with what does', () => {
  expect(() => useCaseOf(catalogue, 'insurance-costs')).toThrow(UnknownUseCase);
  expect(() => useCaseOf(catalogue, 'insurance-costs')).toThrow(
    'There is no use case "insurance-costs". Did you mean "insurance-cost"? There are: ',
  );
  const useCase = useCaseOf(catalogue, 'insurance-cost');
  expect(contractOf(useCase, 'policies').name).toBe('policies');
  expect(() => contractOf(useCase, 'policy')).toThrow(UnknownSource);
  expect(() => contractOf(useCase, 'constructor')).toThrow('has no source "constructor". It has: policies.');
});

describe('a folder that is not right', () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'bordereau-usecases-'));
    cpSync(join(folder, 'insurance-cost'), join(copy, 'insurance-cost'), { recursive: true });
    const file = join(copy, 'insurance-cost', 'usecase.ts');
    const declaration = readFileSync(file, 'utf8').replace(
      /from '.*declaration.ts'/,
      `from '${fileURLToPath(new URL('../../src/usecase/declaration.ts', import.meta.url))}'`,
    );
    writeFileSync(file, declaration);
  });
  afterEach(() => rmSync(copy, { recursive: true }));

  const edit = (file: string, change: (text: string) => string): void => {
    const path = join(copy, 'insurance-cost', file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };
  const failure = async (): Promise<Error> =>
    catalogueFromFolder(copy).then(
      () => new Error('nothing was wrong'),
      (error: unknown) => error as Error,
    );

  test('the copy itself is right', async () => {
    expect((await catalogueFromFolder(copy)).useCases).toHaveLength(1);
  });

  test('a misspelt key is named with its file and the known key', async () => {
    edit('usecase.ts', (text) => text.replace('minVolume', 'minVolumn').replace('maturity:', 'maturaty:'));
    const error = await failure();
    expect(error).toBeInstanceOf(InvalidDeclaration);
    expect(error.message).toContain('The use case insurance-cost/usecase.ts cannot be used');
    expect(error.message).toContain('monitor: there is no key "minVolumn" here. Did you mean "minVolume"?');
    expect(error.message).toContain('label: there is no key "maturaty" here. Did you mean "maturity"?');
    expect(error.message).toContain('label.maturity: is missing');
  });

  test('a file that is not there', async () => {
    rmSync(join(copy, 'insurance-cost', 'features.sql'));
    edit('usecase.ts', (text) => text.replace('policies.odcs.yaml', 'policy.odcs.yaml'));
    const { message } = await failure();
    expect(message).toContain('sources.policies: there is no file policy.odcs.yaml beside it');
    expect(message).toContain('there is no features.sql beside it');
  });

  test('a contract in contradiction with itself', async () => {
    edit('policies.odcs.yaml', (text) => text.replace('minimum: 18', 'minimum: 118'));
    const error = await failure();
    expect(error).toBeInstanceOf(InvalidContract);
    expect(error.message).toContain('insurance-cost/policies.odcs.yaml');
  });

  test('no declaration in the file', async () => {
    edit('usecase.ts', () => 'export const useCase = 1;\n');
    expect((await failure()).message).toContain('it needs "export default defineUseCase({ … })"');
  });

  test('no file with a declaration', async () => {
    rmSync(join(copy, 'insurance-cost', 'usecase.ts'));
    expect((await failure()).message).toContain('it cannot be loaded');
  });

  test('a folder of another name than the id', async () => {
    cpSync(join(copy, 'insurance-cost'), join(copy, 'other'), { recursive: true });
    expect((await failure()).message).toContain('id: its folder is called "other", the id must be the same');
  });
});

describe('the dry run finds what reading cannot', () => {
  const changed = (change: (text: string) => string, part: 'features' | 'declaration' = 'features') => {
    const useCase = structuredClone(useCaseOf(catalogue, 'insurance-cost'));
    if (part === 'features') useCase.features = change(useCase.features);
    else useCase.declaration = JSON.parse(change(JSON.stringify(useCase.declaration))) as typeof useCase.declaration;
    return dryRunFindings(sql, useCase);
  };

  test.each([
    [
      'AS age_risk_score',
      'AS age_risk_scores',
      'features.sql gives no column "age_risk_score". Did you mean "age_risk_scores"?',
    ],
    ['FROM policies', 'FROM policy', 'features.sql: Catalog Error: Table with name policy does not exist!'],
    ['* children)::DOUBLE', '* children)', 'features.sql gives the numeric feature "family_size_factor" as DECIMAL'],
    ['  region,', '  age AS region,', 'features.sql gives the categorical feature "region" as INTEGER'],
  ])('%s → %s', async (from, to, finding) => {
    expect((await changed((text) => text.replace(from, to))).join('\n')).toContain(finding);
  });

  test('a key that is given in another type than it is parted by', async () => {
    const useCase = structuredClone(useCaseOf(catalogue, 'offer-prioritization'));
    expect(await dryRunFindings(sql, useCase)).toEqual([]);
    delete useCase.labels;
    useCase.declaration.features.carried = [];
    useCase.declaration.label.outputs = ['age', 'risk_score'];
    useCase.features = `SELECT * REPLACE (len(member_id) AS member_id) FROM (${useCase.features}\n)`;
    expect(await dryRunFindings(sql, useCase)).toEqual([
      'features.sql gives "member_id" as BIGINT, which is no way to part members by: keep its type',
    ]);
  });

  test('a flag that does not compute', async () => {
    const findings = await changed(
      (text) => text.replace('adjusted_prediction > 25000', "smoker > DATE '2026-01-01' "),
      'declaration',
    );
    expect(findings.join('\n')).toMatch(/^flag requires_review: /);
  });
});
