import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { contractChanges } from '../../../src/data/contract/compare.ts';
import type { Column, Contract } from '../../../src/data/contract/contract.ts';
import { parseContract } from '../../../src/data/contract/parse.ts';

const yaml = readFileSync(new URL('../../fixtures/contracts/claims.odcs.yaml', import.meta.url), 'utf8');
const contract = parseContract(yaml, 'claims.odcs.yaml');

const withColumn = (name: string, change: Partial<Column>): Contract => ({
  ...contract,
  columns: contract.columns.map((column) => (column.name === name ? { ...column, ...change } : column)),
});
const effects = (before: Contract, after: Contract) =>
  contractChanges(before, after).map(({ effect, what }) => `${effect}: ${what}`);
const added: Column = {
  name: 'extra',
  headers: ['extra'],
  type: 'string',
  sqlType: 'VARCHAR',
  required: false,
  unique: false,
  primaryKey: false,
};

describe('two versions of a contract', () => {
  test('that ask for the same have no changes', () => {
    expect(contractChanges(contract, { ...contract, version: '9.9.9' })).toEqual([]);
  });

  test.each<[string, Contract, string[]]>([
    [
      'a look-back that quarantines',
      { ...contract, lookBack: { from: 'service_date', onTimeDays: 30, mostDays: 90, beyond: 'quarantine' } },
      ['narrowing: lookBack none → 30 to 90 days (quarantine)'],
    ],
    [
      'a look-back that only warns',
      { ...contract, lookBack: { from: 'service_date', onTimeDays: 30, mostDays: 90, beyond: 'warn' } },
      ['additive: lookBack none → 30 to 90 days (warn)'],
    ],
    [
      'a removed column',
      { ...contract, columns: contract.columns.filter(({ name }) => name !== 'note') },
      ['breaking: column note removed'],
    ],
    [
      'a column that may be missing',
      { ...contract, columns: [...contract.columns, { ...added, whenAbsent: 'missing' }] },
      ['additive: column extra added'],
    ],
    [
      'a column that must be there',
      { ...contract, columns: [...contract.columns, added] },
      ['narrowing: column extra added'],
    ],
    [
      'another type in the table',
      withColumn('units', { sqlType: 'BIGINT' }),
      [expect.stringMatching(/^breaking: column units: \w+ → BIGINT$/) as string],
    ],
    [
      'another unit',
      withColumn('amount', { unit: 'XTS' }),
      [expect.stringMatching(/^breaking: column amount: unit .* → XTS$/) as string],
    ],
    [
      'another privacy class',
      withColumn('note', { privacy: 'none' }),
      ['breaking: column note: privacy guessed → none'],
    ],
    ['a tighter bound', withColumn('units', { maximum: 10 }), ['narrowing: column units: maximum 50 → 10']],
    ['a wider bound', withColumn('units', { maximum: 90 }), ['additive: column units: maximum 50 → 90']],
    ['no bound', withColumn('units', { maximum: undefined }), ['additive: column units: maximum 50 → none']],
    [
      'a value no longer needed',
      withColumn('amount', { required: false }),
      ['additive: column amount: no longer required'],
    ],
    [
      'a higher limit of quarantine',
      { ...contract, maximumQuarantinedShare: 1 },
      [expect.stringMatching(/^additive: maximumQuarantinedShare/) as string],
    ],
    [
      'another delimiter',
      { ...contract, csv: { ...contract.csv, delimiter: '|' } },
      ['narrowing: delimiter ";" → "|"'],
    ],
    ['one format only', { ...contract, format: 'jsonl' }, ['narrowing: format any → jsonl']],
    ['another encoding', { ...contract, encoding: 'windows-1252' }, ['narrowing: encoding utf-8 → windows-1252']],
  ])('%s', (_, after, expected) => {
    expect(effects(contract, after)).toEqual(expected);
  });

  test('a change and its reverse: a wider contract is narrower the other way round', () => {
    const wider = withColumn('units', { maximum: 90 });
    expect(effects(wider, contract)).toEqual(['narrowing: column units: maximum 90 → 50']);
  });

  test('a written value that means something else makes other rows of the same file', () => {
    const kind = contract.columns.find(({ name }) => name === 'kind')!;
    const [written] = Object.keys(kind.values!);
    const after = withColumn('kind', { values: { ...kind.values, [written]: 'elsewhere' } });
    expect(effects(contract, after)).toEqual([
      `breaking: column kind: "${written}" means elsewhere instead of ${kind.values![written]}`,
    ]);
  });

  test('rules: a new one narrows unless it warns, a removed one does not, a stricter outcome does', () => {
    const rule = { name: 'new_rule', outcome: 'warn' as const, condition: 'units > 0', description: '' };
    const having = (outcome: 'warn' | 'quarantine' | 'halt'): Contract => ({
      ...contract,
      rowRules: [...contract.rowRules, { ...rule, outcome }],
    });
    expect(effects(contract, having('warn'))).toEqual(['additive: rule new_rule added (warn)']);
    expect(effects(contract, having('quarantine'))).toEqual(['narrowing: rule new_rule added (quarantine)']);
    expect(effects(having('halt'), contract)).toEqual(['additive: rule new_rule removed']);
    expect(effects(having('warn'), having('halt'))).toEqual(['narrowing: rule new_rule: warn → halt']);
    expect(effects(having('halt'), having('warn'))).toEqual(['additive: rule new_rule: halt → warn']);
  });

  test('an enumeration is told by its values, once', () => {
    const enumerated = parseContract(
      readFileSync(new URL('../../../usecases/insurance-cost/policies.odcs.yaml', import.meta.url), 'utf8'),
      'policies.odcs.yaml',
    );
    const text = readFileSync(new URL('../../../usecases/insurance-cost/policies.odcs.yaml', import.meta.url), 'utf8');
    const more = parseContract(text.replace('[FEMALE, MALE]', '[FEMALE, MALE, OTHER]'), 'p');
    expect(effects(enumerated, more)).toEqual(['additive: column sex: value "OTHER" added']);
    expect(effects(more, enumerated)).toEqual(['narrowing: column sex: value "OTHER" removed']);
  });
});
