import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { InvalidContract, parseContract } from '../../../src/data/contract/parse.ts';

const good = readFileSync(new URL('../../fixtures/contracts/claims.odcs.yaml', import.meta.url), 'utf8');

const findings = (yaml: string): readonly string[] => {
  try {
    parseContract(yaml, 'claims.odcs.yaml');
  } catch (error) {
    if (error instanceof InvalidContract) return error.findings;
    throw error;
  }
  return [];
};

/** The contract with one text replaced; the text must be there. */
const altered = (from: string, to: string): string => {
  expect(good).toContain(from);
  return good.replace(from, () => to);
};

test('a contract is read as plain data', () => {
  const contract = parseContract(good, 'claims.odcs.yaml');
  expect(JSON.parse(JSON.stringify(contract))).toEqual(contract);
  expect(contract).toMatchObject({
    id: 'urn:test:claims',
    version: '2.1.0',
    name: 'claims',
    maximumQuarantinedShare: 0.5,
  });
  expect(contract.csv).toEqual({ delimiter: ';', unknownColumns: 'ignore' });
  expect(contract.columns.map(({ name, sqlType }) => `${name} ${sqlType}`)).toEqual([
    'claim_id VARCHAR',
    'amount DECIMAL(9,2)',
    'units SMALLINT',
    'kind VARCHAR',
    'paid BOOLEAN',
    'service_date DATE',
    'received_at TIMESTAMP',
    'note VARCHAR',
  ]);
  expect(contract.columns[3]).toEqual({
    name: 'kind',
    headers: ['kind', 'claim_kind', 'art'],
    type: 'string',
    sqlType: 'VARCHAR',
    required: true,
    unique: false,
    primaryKey: false,
    letterCase: 'lower',
    values: { in: 'inpatient', out: 'outpatient' },
    levels: ['inpatient', 'outpatient'],
  });
  expect(contract.rowRules.map(({ name, outcome, condition }) => [name, outcome, condition])).toEqual([
    ['amount_plausible', 'warn', 'amount < 100000'],
    ['kind_known', 'quarantine', `"kind" IN ('inpatient', 'outpatient')`],
    ['date_before_receipt', 'halt', 'service_date <= received_at'],
  ]);
  expect(
    contract.fileRules.map(({ name, metric, columns, must, unit, outcome }) => [
      name,
      metric,
      columns,
      must,
      unit,
      outcome,
    ]),
  ).toEqual([
    ['notes_mostly_there', 'nullValues', ['note'], { operator: 'mustBeLessThan', value: 90 }, 'percent', 'warn'],
    ['enough_claims', 'rowCount', [], { operator: 'mustBeGreaterOrEqualTo', value: 2 }, 'rows', 'halt'],
    [
      'claims_not_repeated',
      'duplicateValues',
      ['amount', 'units', 'service_date'],
      { operator: 'mustBe', value: 0 },
      'rows',
      'warn',
    ],
  ]);
});

describe('what is misspelt is named with its line, its path and the nearest known word', () => {
  test.each([
    [
      'severity: halt',
      'severty: halt',
      /line \d+, schema\[0\]\.quality\[0\]: there is no key "severty" here. Did you mean "severity"\?/,
    ],
    [
      'logicalType: date',
      'logicalType: dat',
      /line \d+, schema\[0\]\.properties\[5\]\.logicalType: is "dat".* Did you mean "date"\?/,
    ],
    ['severity: warn', 'severity: warm', /is "warm", it must be warn, quarantine or halt. Did you mean "warn"\?/],
    ['property: case', 'property: caes', /customProperties\[1\]: there is no property "caes". Did you mean "case"\?/],
    ['value: lower', 'value: lowr', /customProperties\[1\]\.value: is "lowr".* Did you mean "lower"\?/],
    ['metric: rowCount', 'metric: rowcount', /Did you mean "rowCount"\?/],
    [
      'amount < 100000',
      'amuont < 100000',
      /rule "amount_plausible": there is no column "amuont". Did you mean "amount"\?/,
    ],
    [
      '[amount, units, service_date]',
      '[amount, unit, service_date]',
      /rule "claims_not_repeated": there is no column "unit". Did you mean "units"\?/,
    ],
    ["value: ';'", "value: ';;'", /it must be ,, ;, \t or \|/],
    ['version: 2.1.0', 'version: 2', /line \d+, version: .*expected string/],
    ['apiVersion: v3.1.0', 'apiVersion: v9', /apiVersion: is "v9"/],
  ])('%s → %s', (from, to, message) => {
    expect(findings(altered(from, to)).join('\n')).toMatch(message);
  });
});

describe('what contradicts itself is refused', () => {
  test.each([
    ['minimum: 1\n', 'minimum: 99\n', /logicalTypeOptions: no value lies between its bounds/],
    [
      'required: true # amount',
      'required: true\n        unique: true\n        customProperties: [{ property: whenAbsent, value: missing }]',
      /"whenAbsent: missing" contradicts "required: true"/,
    ],
    [
      'value: lineNumber',
      'value: arrivalTime',
      /"whenAbsent: arrivalTime" needs the logicalType timestamp, it is string/,
    ],
    [
      "pattern: '^[0-9a-f-]+$'",
      "pattern: '^[A-Z]+$'",
      /"whenAbsent: lineNumber" makes texts such as 0123abcd-1, which the column does not allow/,
    ],
    ["pattern: '^[0-9a-f-]+$'", "pattern: '('", /"pattern" is not a regular expression/],
    ["pattern: '^[0-9a-f-]+$'", "pattern: '^(?!x)'", /"pattern" looks around or back/],
    ['required: true # amount', 'primaryKey: true', /properties: more than one property is a primaryKey/],
    ['- name: note', '- name: AMOUNT', /there are two columns "AMOUNT"/],
    ['- name: note', '- name: _note', /"_note" cannot name a column/],
    ['name: enough_claims', 'name: kind_known', /there are two rules "kind_known"/],
    ['[inpatient, outpatient]', '[inpatient, inpatient]', /the valid value "inpatient" stands there twice/],
    ['[inpatient, outpatient]', '[inpatient]', /"out" stands for "outpatient", which is not among the valid values/],
    ['in: inpatient', 'IN: inpatient', /"IN" cannot occur, letters are brought to lower case first/],
    ['value: [claim_kind, art]', 'value: [claim_kind, note]', /the header "note" already stands for a column/],
    [
      'physicalType: SMALLINT',
      'physicalType: DOUBLE',
      /physicalType: the logicalType integer cannot be stored as DOUBLE; possible: SMALLINT, INTEGER, BIGINT/,
    ],
    ['DECIMAL(9,2)', 'DECIMAL(2,9)', /more of them after the point than in all/],
    ['maximum: 50', "maximum: '50'", /"maximum" does not fit the logicalType integer/],
    ['maximum: 50', 'maxLength: 50', /"maxLength" needs the logicalType string/],
    ['mustBeLessThan: 90', 'mustBeLessThan: 90\n            mustBe: 1', /exactly one of mustBe/],
    [
      'severity: warn # notes',
      'severity: quarantine',
      /a rule over the whole file needs "severity: warn" or "severity: halt"/,
    ],
    [
      'validValues: [inpatient, outpatient]\n            mustBe: 0',
      'validValues: [inpatient, outpatient]\n            mustBe: 3',
      /invalidValues is checked row by row/,
    ],
    ['implementation: amount < 100000', "implementation: ''", /needs "engine: bordereau"/],
    ['amount < 100000', 'amount < (SELECT 1)', /one condition over the columns/],
    ['logicalType: date', 'logicalType: time', /is "time"/],
  ])('%j → %j', (from, to, message) => {
    expect(findings(altered(from, to)).join('\n')).toMatch(message);
  });

  test('all findings come at once', () => {
    const yaml = altered('minimum: 1\n', 'minimum: 99\n').replace('amount < 100000', 'amuont < 100000');
    expect(findings(yaml)).toHaveLength(2);
  });
});

test('what is not YAML is refused with its line', () => {
  expect(findings(`${good}\n  - [`).join('\n')).toMatch(/^line \d+: /);
  expect(findings('just words').join('\n')).toContain('the document');
  expect(() => parseContract('', 'claims.odcs.yaml')).toThrow('The data contract claims.odcs.yaml cannot be used');
});
