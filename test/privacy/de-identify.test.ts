import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../src/data/contract/contract.ts';
import { InvalidContract, parseContract } from '../../src/data/contract/parse.ts';
import { privacyClasses } from '../../src/data/contract/privacy-class.ts';
import { validateFile } from '../../src/data/quality/validate.ts';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import { privacyRules, restrictedZip3, safeHarborClasses } from '../../src/privacy/classes.ts';
import { DerivationFailed, deIdentify, planDeIdentification, releasedContract } from '../../src/privacy/de-identify.ts';

const property = (name: string, type: string, privacy?: string, more: string[] = []): string =>
  [
    `      - name: ${name}`,
    `        logicalType: ${type}`,
    ...more.filter((line) => !line.startsWith('derived')).map((line) => `        ${line}`),
    ...(privacy || more.some((line) => line.startsWith('derived')) ? ['        customProperties:'] : []),
    ...(privacy ? ['          - property: privacy', `            value: ${privacy}`] : []),
    ...more.flatMap((line) =>
      line.startsWith('derived: ')
        ? [
            '          - property: derived',
            `            value: ${JSON.stringify(line.slice('derived: '.length))}`,
            '          - property: whenAbsent',
            '            value: missing',
          ]
        : [],
    ),
  ].join('\n');

const contractYaml = (...properties: string[]): string =>
  `apiVersion: v3.1.0\nkind: DataContract\nid: urn:test:members\nversion: 1.0.0\nstatus: active\nschema:\n  - name: members\n    properties:\n${properties.join('\n')}\n`;
const contractWith = (...properties: string[]): Contract =>
  parseContract(contractYaml(...properties), 'members.odcs.yaml');
const findings = (...properties: string[]): string => {
  try {
    contractWith(...properties);
  } catch (error) {
    if (error instanceof InvalidContract) return error.findings.join('\n');
    throw error;
  }
  return '';
};

const key = property('member_id', 'string', 'identifier', ['primaryKey: true']);
const arrivedAtMs = Date.parse('2026-06-15T12:00:00Z');

let sql: SqlEngine;
beforeAll(async () => void (sql = await openSql({ threads: 1 })));
afterAll(() => sql.close());

/** The rows that leave the zone, without their lineage. */
async function released(contract: Contract, csv: string, erased: readonly string[] = []) {
  await validateFile({
    sql,
    bytes: Buffer.from(csv),
    fileName: 'members.csv',
    digest: '0'.repeat(64),
    contract,
    arrivedAtMs,
    dropId: 'd',
  });
  const counts = await deIdentify({
    sql,
    contract,
    from: 'accepted',
    into: 'released',
    arrivedAtMs,
    vaultOf: (column) => ({
      hasErased: async () => erased.length > 0,
      erasedAmong: async () => new Set(erased),
      surrogatesOf: async (identifiers) =>
        new Map(
          Array.from(identifiers, (identifier, i) => [
            identifier,
            erased.includes(identifier) ? undefined : `${column} ${i}`,
          ]),
        ),
    }),
  });
  const rows = await sql.rows(
    'SELECT * EXCLUDE (_drop_id, _source_file, _line, _ingested_at, _contract_version, _sequencer) FROM released ORDER BY _line',
  );
  return { rows, ...counts };
}

describe('32. ages, years and codes', () => {
  test('ages of 90 and above are one class', async () => {
    const contract = contractWith(key, property('age', 'integer', 'age'));
    const { rows } = await released(contract, 'member_id,age\na,18\nb,89\nc,90\nd,91\ne,117\nf,\n');
    expect(rows.map(({ age }) => age)).toEqual([18, 89, 90, 90, 90, null]);
  });

  test('no year of birth, and no other year, stands beside an age of 90 and above', async () => {
    const contract = contractWith(
      key,
      property('age', 'integer', 'age'),
      property('birth_date', 'date', 'birthDate'),
      property('admitted', 'date', 'date'),
    );
    const { rows } = await released(
      contract,
      [
        'member_id,age,birth_date,admitted',
        'a,40,1986-01-31,2026-02-03',
        'b,91,1935-01-31,2026-02-03',
        'c,,1936-06-15,2026-02-03', // 90 on the day of arrival
        'd,89,1936-06-16,2026-02-03', // 90 on the day after
        'e,89,1937-01-01,2026-02-03',
        'f,89,1930-01-01,2026-02-03', // an age that the date of birth contradicts
        'g,95,,2026-02-03',
      ].join('\n'),
    );
    expect(rows.map(({ age, birth_date, admitted }) => [age, birth_date, admitted])).toEqual([
      [40, 1986, 2026],
      [90, null, null],
      [90, null, null],
      [89, null, null],
      [89, 1937, 2026],
      [90, null, null],
      [90, null, null],
    ]);
  });

  test('ZIP codes keep three digits, those of small areas none', async () => {
    const contract = contractWith(key, property('zip', 'string', 'zip'));
    const zips = [
      '02139',
      '02139-4307',
      '021394307',
      ...restrictedZip3.map((area) => `${area}01`),
      '2139',
      'AB12 3CD',
      '',
    ];
    const { rows } = await released(contract, ['member_id,zip', ...zips.map((zip, i) => `${i},${zip}`)].join('\n'));
    expect(rows.map(({ zip }) => zip)).toEqual([
      '021',
      '021',
      '021',
      ...restrictedZip3.map(() => '000'),
      null,
      null,
      null,
    ]);
  });

  test('the restricted areas are the union of the lists of three censuses', () => {
    const listed = '036 059 063 102 203 205 369 556 692 790 821 823 830 831 878 879 884 890 893';
    expect([...restrictedZip3].join(' ')).toBe(listed);
  });
});

describe('what leaves the zone', () => {
  test('identifiers leave as surrogates, each column by its own vault, and a missing one stays missing', async () => {
    const contract = contractWith(key, property('provider', 'string', 'identifier'));
    const { rows, erased } = await released(contract, 'member_id,provider\nm2,p1\nm1,p1\nm3,\n');
    expect(rows).toEqual([
      { member_id: 'member_id 1', provider: 'provider 0' },
      { member_id: 'member_id 0', provider: 'provider 0' },
      { member_id: 'member_id 2', provider: null },
    ]);
    expect(erased).toBe(0);
  });

  test('rows of erased members are left out and counted', async () => {
    const contract = contractWith(key);
    const { rows, erased } = await released(contract, 'member_id\nm1\nm2\nm3\n', ['m2']);
    expect(rows).toHaveLength(2);
    expect(erased).toBe(1);
  });

  test('pseudonyms stay as they are, and those of erased members are left out', async () => {
    const contract = contractWith(property('member_id', 'string', 'pseudonym', ['primaryKey: true']));
    const { rows, erased } = await released(contract, 'member_id\nm1\nm2\nm3\n', ['m2']);
    expect(rows).toEqual([{ member_id: 'm1' }, { member_id: 'm3' }]);
    expect(erased).toBe(1);
  });

  test('a drop without rows leaves none', async () => {
    expect(await released(contractWith(key), 'member_id\n')).toEqual({ rows: [], erased: 0 });
  });

  test('direct identifiers, prose, and texts that nobody classified do not exist outside', async () => {
    const direct = privacyClasses.filter((known) => privacyRules[known].treatment === 'drop');
    const contract = contractWith(
      key,
      ...direct.map((known) => property(`column_${known}`, 'string', known)),
      property('remark', 'string'),
      property('plan', 'string', undefined, [
        'quality:',
        '  - { name: plan_known, metric: invalidValues, arguments: { validValues: [gold] }, mustBe: 0, severity: quarantine }',
      ]),
    );
    const header = contract.columns.map(({ name }) => name).join(',');
    const { rows } = await released(contract, `${header}\nm1,${direct.map(() => 'x').join(',')},remarkable,gold\n`);
    expect(rows).toEqual([{ member_id: 'member_id 0', plan: 'gold' }]);
    expect(releasedContract(contract).columns.map(({ name }) => name)).toEqual(['member_id', 'plan']);
  });

  test('a window over dates is computed inside; only its number gets out', async () => {
    const contract = contractWith(
      property('claim_id', 'string', 'identifier', ['primaryKey: true']),
      property('member_id', 'string', 'identifier'),
      property('service_date', 'date', 'date'),
      property('claims_before_90d', 'integer', undefined, [
        'derived: count(*) OVER (PARTITION BY member_id ORDER BY service_date RANGE BETWEEN INTERVAL 90 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING)',
      ]),
    );
    const { rows } = await released(
      contract,
      'claim_id,member_id,service_date\n1,a,2026-01-01\n2,a,2026-03-31\n3,a,2026-04-02\n4,b,2026-04-02\n',
    );
    expect(rows.map(({ service_date, claims_before_90d }) => [service_date, claims_before_90d])).toEqual([
      [2026, 0],
      [2026, 1],
      [2026, 1],
      [2026, 0],
    ]);
  });

  test('a derivation that fails does not say on which value', async () => {
    const contract = contractWith(
      key,
      property('ssn', 'string', 'ssn'),
      property('digits', 'integer', undefined, ['derived: CAST(ssn AS INTEGER)']),
    );
    const failed = released(contract, 'member_id,ssn\nm1,123-45-6789\n');
    await expect(failed).rejects.toThrow(DerivationFailed);
    await expect(failed).rejects.not.toThrow(/123|6789/);
  });

  test('the released contract describes the released table', async () => {
    const contract = contractWith(
      key,
      property('age', 'integer', 'age', ['physicalType: SMALLINT']),
      property('zip', 'string', 'zip'),
      property('born', 'timestamp', 'birthDate'),
      property('seen', 'timestamp', 'recordTime'),
      property('amount', 'number', undefined, ['physicalType: DECIMAL(9,2)']),
    );
    await released(
      contract,
      'member_id,age,zip,born,seen,amount\na,40,02139,1986-01-31T00:00:00Z,2026-01-01T00:00:00Z,1.50\n',
    );
    const described = await sql.rows('DESCRIBE released');
    const types = new Map(described.map((row) => [row['column_name'], row['column_type']]));
    for (const { name, sqlType } of releasedContract(contract).columns) {
      expect((types.get(name) as string).replace(' WITH TIME ZONE', '')).toBe(sqlType);
    }
  });
});

describe('a contract that leaves the treatment open is refused when it is read', () => {
  test('a restricted column needs a class that protects it', () => {
    const restricted = ['classification: restricted'];
    expect(findings(key, property('code', 'string', undefined, restricted))).toMatch(
      /"code" is restricted and has no treatment: .*medicalRecordNumber/,
    );
    expect(findings(key, property('code', 'string', 'none', restricted))).toMatch(
      /"code" is restricted and would be kept/,
    );
    expect(findings(key, property('code', 'string', 'otherCode', restricted))).toBe('');
  });

  test.each([
    ['ssn', 'string', 'ssn'],
    ['patientDOB', 'date', 'birthDate'],
    ['age', 'integer', 'age'],
    ['zip_code', 'string', 'zip'],
    ['e-mail', 'string', 'email'],
    ['Last Name', 'string', 'name'],
    ['home phone', 'string', 'phone'],
    ['MRN', 'string', 'medicalRecordNumber'],
    ['vin', 'string', 'vehicle'],
    ['ip_address', 'string', 'ipAddress'],
  ])('a column called %s has to be classified', (header, type, looks) => {
    const column = (privacy?: string) => property('c', type, privacy, [`physicalName: ${header}`]);
    expect(findings(key, column())).toMatch(new RegExp(`"c" looks like ${looks}`));
    expect(findings(key, column(looks))).toBe('');
    expect(findings(key, column('none'))).toBe('');
  });

  test.each([
    'smoker',
    'message',
    'percentage',
    'coverage',
    'stage',
    'charges',
    'plan_name',
    'region',
    'shipment',
    'equipment',
    'description',
  ])('a column called %s need not be', (name) => expect(findings(key, property(name, 'integer'))).toBe(''));

  test('a class that does not fit the type', () => {
    expect(findings(key, property('c', 'integer', 'zip'))).toMatch(
      /class zip needs the logicalType string, it is integer/,
    );
    expect(findings(property('id', 'integer', undefined, ['primaryKey: true']))).toMatch(
      /class identifier needs the logicalType string/,
    );
    expect(findings(key, property('c', 'string', 'birthDate'))).toMatch(/needs the logicalType date or timestamp/);
  });

  test('an unknown class, and a derivation that is none', () => {
    expect(findings(key, property('c', 'string', 'nickname'))).toMatch(/nickname/);
    expect(findings(key, property('c', 'integer', undefined, ['derived: other + 1']))).toMatch(
      /"derived": there is no column "other"/,
    );
    expect(findings(key, property('c', 'date', undefined, ['derived: now()']))).toMatch(/logicalType that is no time/);
  });
});

test('every class of the Safe Harbor rule has a class that a contract can declare', () => {
  const covered = new Set(privacyClasses.map((known) => privacyRules[known].safeHarbor));
  expect(safeHarborClasses.filter((known) => !covered.has(known))).toEqual([]);
});

test('what nobody declared is guessed on the safe side', () => {
  const contract = contractWith(
    property('id', 'string', undefined, ['primaryKey: true']),
    property('note', 'string'),
    property('happened', 'date'),
    property('amount', 'number'),
    property('flag', 'boolean'),
  );
  const { columns } = planDeIdentification(contract);
  expect(
    columns.map(({ column, privacy, treatment, declared }) => [column.name, privacy, treatment, declared]),
  ).toEqual([
    ['id', 'identifier', 'surrogate', false],
    ['note', 'freeText', 'drop', false],
    ['happened', 'date', 'year', false],
    ['amount', 'none', 'keep', false],
    ['flag', 'none', 'keep', false],
  ]);
});
