import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSql, type SqlEngine } from '../../../src/data/sql.ts';
import type { Claim } from '../../../usecases/claim-decision/draw-claims.ts';
import { generateMonth } from '../../../usecases/claim-decision/generate.ts';
import { claimFields, lineFields, online } from '../../../usecases/claim-decision/online.ts';
import { arrivedAtMs, contractOf, fileOf, ingest, textOf } from './silver.ts';

let sql: SqlEngine;
beforeAll(async () => {
  sql = await openSql({ threads: 2 });
});
afterAll(() => sql.close());

const seven = online.featureNames;
type Row = { [column: string]: number | string | null };

async function featuresOf(query = textOf('features.sql')): Promise<Map<string, Row>> {
  const rows = (await sql.rows(`SELECT * FROM (${query})`)) as Row[];
  return new Map(rows.map((row) => [String(row['claim_id']).slice(2), row]));
}

describe('the seven features of the specification', () => {
  const codes: { [type: string]: number } = { medicare: 1, medicaid: 2, commercial: 3, commercial_ppo: 3.1, commercial_hmo: 3.2, commercial_pos: 3.3, bcbs: 4, bcbs_ppo: 4.1, bcbs_hmo: 4.2, self_pay: 5, workers_comp: 6, other_government: 7, tricare: 8, champva: 9, other: 10, unknown: 0 }; // prettier-ignore

  /** §3, read word by word, from the claim as it was drawn. */
  function naive({ patient, lines, totalCents, serviceFrom, serviceTo }: Claim): number[] {
    const surgery = lines.some(({ procedureCode: code }) => {
      const cpt = /^\d{5}$/.test(code) ? Number(code) : NaN;
      return (cpt >= 10021 && cpt <= 69990) || code.startsWith('S');
    });
    const ageOn = (day: string) => {
      let years = 0;
      const [year, rest] = [Number(patient.birthDate.slice(0, 4)), patient.birthDate.slice(4)];
      while (`${year + years + 1}${rest}` <= day) years++;
      return years;
    };
    // who has turned 90 by the file's arrival is 90 in silver, whenever the service was
    const isOld = ageOn(new Date(arrivedAtMs).toISOString().slice(0, 10)) >= 90;
    const age = patient.birthDate === '' ? -1 : isOld ? 90 : ageOn(serviceFrom);
    const days = serviceTo === '' ? 0 : (Date.parse(serviceTo) - Date.parse(serviceFrom)) / 86_400_000 + 1;
    const units = lines.reduce((sum, line) => sum + line.units, 0);
    const complexity = 0.4 * Math.min(lines.length / 10, 1) + 0.3 * Math.min(units / 20, 1) + 0.3 * Number(surgery);
    return [Math.log1p(totalCents / 100), lines.length, age, days, codes[patient.insuranceType], Number(surgery), complexity]; // prettier-ignore
  }

  test('agree with a naive twin on every claim of a month, and are float32', async () => {
    const { files, claims } = generateMonth({ rows: 900, dirtShare: 0, failedShare: 0 });
    await ingest(sql, files);
    const features = await featuresOf();
    expect(features.size).toBe(900);
    for (const claim of claims) {
      const row = features.get(claim.id)!;
      for (const [i, expected] of naive(claim).entries()) {
        const value = Number(row[seven[i]]);
        expect(value).toBe(Math.fround(value));
        // one float32 step: the twin's own sums are doubles
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(Math.abs(expected) * 2 ** -23);
      }
      expect(row['approved']).toBe(Number(claim.approved));
    }
    const [{ ages, days }] = await sql.rows(
      `SELECT count(*) FILTER (age_at_service = -1) AS ages, count(*) FILTER (duration_days = 0) AS days FROM (${textOf('features.sql')})`,
    );
    expect([Number(ages) > 0, Number(days) > 0]).toEqual([true, true]);
  });

  test('payment: a procedure without a relative value counts 1.00, and a unit is paid 38.87', async () => {
    await ingest(sql, [
      fileOf('rvus', [{ procedure_code: '99213', rvu: '2.11' }]),
      fileOf('claims', [header({ total_charges: '150.00' })]),
      fileOf('lines', [
        line({ line_control_number: 'a', procedure_code: '99213', units: '2.5', charge: '100.00' }),
        line({ line_control_number: 'b', line_number: 2, procedure_code: 'X1', units: 3, charge: '50.00' }),
      ]),
    ]);
    const row = (await featuresOf()).get('c1')!;
    expect(row['rvu_total']).toBe(8.275);
    expect(row['reimbursement']).toBe(321.65);
    expect(row['approved']).toBeNull();
  });
});

describe('what is known when a claim comes in', () => {
  test('is what a walk through time finds: decisions before it, of its provider and its patient', async () => {
    const { files, claims } = generateMonth({ rows: 500, dirtShare: 0, failedShare: 0, seed: 5 });
    await ingest(sql, files);
    const features = await featuresOf();
    let withHistory = 0;
    for (const claim of claims) {
      const known = claims.filter(({ decidedAt }) => decidedAt < claim.receivedAt);
      const provider = known.filter((other) => other.provider.npi === claim.provider.npi);
      const patient = known.filter((other) => other.patient.account === claim.patient.account);
      const denied = (some: Claim[]) => some.filter(({ approved }) => !approved).length;
      expect(features.get(claim.id)).toMatchObject({
        provider_decided: provider.length,
        provider_denial_share: (denied(provider) + 2) / (provider.length + 8),
        patient_denied: denied(patient),
        diagnoses: claim.diagnoses.length,
      });
      withHistory += Number(denied(patient) > 0);
    }
    expect(withHistory).toBeGreaterThan(0);
  });

  test('a decision at the very time of the claim is not known yet', async () => {
    await ingest(sql, [
      fileOf('claims', [header({}), header({ claim_id: 'c2', received_at: '2026-01-12T00:00:00Z' })]),
      fileOf('lines', [
        line({ line_control_number: 'a' }),
        line({ line_control_number: 'b', claim_id: 'c2', received_at: '2026-01-12T00:00:00Z' }),
      ]),
      fileOf('decisions', [{ claim_id: 'c1', decided_at: '2026-01-12T00:00:00Z', approved: 'denied' }]),
    ]);
    expect((await featuresOf()).get('c2')).toMatchObject({ provider_decided: 0, patient_denied: 0 });
  });

  test('a file that comes without the other leaves nothing out for good: the claim is whole when its lines are there', async () => {
    await ingest(sql, [fileOf('claims', [header({})])]);
    expect((await featuresOf()).size).toBe(0);
    expect(await sql.rows(`SELECT stage, reason FROM (${textOf('failed-claims.sql')})`)).toEqual([
      { stage: 'join', reason: 'no_lines' },
    ]);
    await ingest(sql, [fileOf('claims', [header({})]), fileOf('lines', [line({})])]);
    expect((await featuresOf()).size).toBe(1);
    expect(await sql.rows(textOf('failed-claims.sql'))).toEqual([]);
  });
});

describe('nothing that identifies a patient gets out', () => {
  test('names, numbers and dates are gone; the age is capped, and claims share their surrogates over the files', async () => {
    await ingest(sql, [
      fileOf('claims', [
        header({
          patient_first_name: 'Ada',
          patient_last_name: 'Castillo',
          medical_record_number: 'MRN123',
          subscriber_id: 'SUB123',
          date_of_birth: '1930-01-01',
        }),
      ]),
      fileOf('lines', [line({})]),
    ]);
    const released = [...(await sql.rows('SELECT * FROM claims')), ...(await sql.rows('SELECT * FROM lines'))];
    const columns = released.flatMap(Object.keys);
    for (const gone of ['patient_first_name', 'patient_last_name', 'medical_record_number', 'subscriber_id']) {
      expect(columns).not.toContain(gone);
    }
    expect(JSON.stringify(released)).not.toMatch(/Ada|Castillo|MRN123|SUB123|1930|"2026-01-0/);
    expect((await featuresOf()).get('c1')).toMatchObject({ age_at_service: 90 });
  });
});

describe('training and serving see the same', () => {
  test('online.ts gives the bits of features.sql on random claims', async () => {
    const drawn = fc.sample(claimArbitrary, { numRuns: 800, seed: 42 });
    const requests = drawn.map((claim, i) => ({ ...claim, claim_id: `c${i}` }));
    await ingest(sql, [
      fileOf(
        'claims',
        requests.map((claim) =>
          header({
            service_to: '',
            insurance_type: '',
            ...plain(claim),
            total_charges: claim.total_charges.toFixed(2),
          }),
        ),
      ),
      fileOf(
        'lines',
        requests.flatMap((claim) =>
          claim.lines.map((one) =>
            line({
              claim_id: claim.claim_id,
              line_control_number: `${claim.claim_id}-${one.line_number}`,
              claim_service_from: claim.service_from,
              claim_service_to: claim.service_to ?? '',
              ...one,
              charge: one.charge.toFixed(2),
            }),
          ),
        ),
      ),
    ]);
    const features = await featuresOf();
    expect(features.size).toBe(requests.length);
    const into = new Float64Array(seven.length);
    for (const request of requests) {
      expect(online.read(request, into, 0, arrivedAtMs)).toEqual({ key: request.claim_id, faults: [] });
      const row = features.get(request.claim_id)!;
      expect([...into]).toEqual(seven.map((name) => Number(row[name])));
    }
  });

  test('a request may say what the contracts say, but for what joins the files', () => {
    const columnsOf = (source: string) =>
      contractOf(source).columns.flatMap(({ name, derived }) => (derived === undefined ? [name] : []));
    expect([...claimFields]).toEqual([...columnsOf('claims'), 'lines']);
    const joining = new Set(['claim_id', 'received_at', 'claim_service_from', 'claim_service_to']);
    expect([...lineFields]).toEqual(columnsOf('lines').filter((name) => !joining.has(name)));
  });

  test('what is wrong with a request has the name of the contract’s rule, and its place', () => {
    const good = { ...fc.sample(claimArbitrary, { numRuns: 1, seed: 1 })[0], claim_id: 'c' };
    const faultsOf = (request: unknown) => online.read(request, new Float64Array(7), 0, arrivedAtMs).faults;
    expect(faultsOf(good)).toEqual([]);
    expect(faultsOf(7)).toEqual([{ rule: 'claim.object', field: '' }]);
    const [first, ...rest] = good.lines;
    const broken: [object, string, string][] = [
      [{ claim_id: undefined }, 'claim_id.required', 'claim_id'],
      [{ date_of_brith: '1980-01-01' }, 'unknown_field', 'date_of_brith'],
      [{ lines: [{ ...first, charges: 1 }, ...rest] }, 'unknown_field', 'lines[0].charges'],
      [{ service_from: '2026-02-30' }, 'service_from.type', 'service_from'],
      [{ service_to: '1999-01-01', lines: good.lines }, 'service_period_ordered', 'service_to'],
      [{ insurance_type: 'medicair' }, 'insurance_type_known', 'insurance_type'],
      [{ total_charges: good.total_charges + 0.01 }, 'lines_not_total', 'total_charges'],
      [{ total_charges: 0.001 }, 'total_charges.type', 'total_charges'],
      [{ total_charges: '12.00' }, 'total_charges.type', 'total_charges'],
      [{ lines: [] }, 'no_lines', 'lines'],
      [{ lines: [{ ...first, units: 0 }, ...rest] }, 'units.exclusiveMinimum', 'lines[0].units'],
      [{ lines: [{ ...first, charge: -1 }, ...rest] }, 'charge.minimum', 'lines[0].charge'],
      [{ lines: [{ ...first, procedure_code: '' }, ...rest] }, 'procedure_code.required', 'lines[0].procedure_code'],
      [{ lines: [{ ...first, service_date: '1999-01-01' }, ...rest] }, 'service_date_in_claim_period', 'lines[0].service_date'], // prettier-ignore
      [{ lines: [first, first] }, 'line_number_repeated', 'lines[1].line_number'],
    ];
    for (const [change, rule, field] of broken)
      expect(faultsOf({ ...good, ...change })).toContainEqual({ rule, field });
  });
});

/** The header's columns of a request. */
const plain = (claim: object): object => Object.fromEntries(Object.entries(claim).filter(([name]) => name !== 'lines'));

function header(claim: { [column: string]: unknown }): { [column: string]: string | number } {
  const given = Object.fromEntries(Object.entries(claim).map(([name, value]) => [name, (value ?? '') as string]));
  return {
    claim_id: 'c1',
    received_at: '2026-01-10T00:00:00Z',
    facility_id: 'F',
    patient_account_number: 'A',
    service_from: '2026-01-05',
    service_to: '2026-01-06',
    insurance_type: 'medicare',
    total_charges: '10.00',
    billing_provider_npi: '1234567890',
    primary_diagnosis: 'E11.9',
    ...given,
  };
}

function line(given: { [column: string]: string | number }): { [column: string]: string | number } {
  return {
    line_control_number: 'l1',
    claim_id: 'c1',
    received_at: '2026-01-10T00:00:00Z',
    line_number: 1,
    claim_service_from: '2026-01-05',
    claim_service_to: '2026-01-06',
    service_date: '2026-01-05',
    procedure_code: '99213',
    units: 1,
    charge: '10.00',
    ...given,
  };
}

const isoDay = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10);

/** Claims that keep every rule, with the edges among them: leap days, the bounds of surgery, cents and halves. */
const claimArbitrary = fc
  .record({
    from: fc.integer({ min: 18_000, max: 20_500 }),
    days: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    born: fc.option(fc.oneof(fc.integer({ min: -20_000, max: 18_000 }), fc.constantFrom(789, 11_016, -31_500)), { nil: undefined }), // prettier-ignore
    onBirthday: fc.constantFrom(-1, 0, 1, undefined),
    insurance: fc.constantFrom(undefined, 'medicare', 'BCBS_PPO', 'commercial_hmo', 'other', 'unknown', 'champva'),
    lines: fc.array(
      fc.record({
        offset: fc.integer({ min: 0, max: 40 }),
        code: fc.constantFrom(
          '10020',
          '10021',
          '69990',
          '69991',
          'S0001',
          's2',
          '99213',
          'J1885',
          '1002',
          '100211',
          'A',
        ),
        units: fc.integer({ min: 1, max: 5000 }),
        cents: fc.integer({ min: 1, max: 99_999_999 }),
      }),
      { minLength: 1, maxLength: 14 },
    ),
  })
  .map(({ from, days, born, onBirthday, insurance, lines }) => {
    const cents = lines.reduce((sum, one) => sum + one.cents, 0);
    const first = new Date(from * 86_400_000);
    const birthday =
      onBirthday === undefined || born === undefined
        ? born
        : Date.UTC(1970 + (born % 20), first.getUTCMonth(), first.getUTCDate() + onBirthday) / 86_400_000;
    return {
      service_from: isoDay(from),
      ...(days !== undefined && { service_to: isoDay(from + days) }),
      ...(birthday !== undefined && { date_of_birth: isoDay(birthday) }),
      ...(insurance !== undefined && { insurance_type: insurance }),
      total_charges: cents / 100,
      lines: lines.map((one, i) => ({
        line_number: i + 1,
        service_date: isoDay(from + (days === undefined ? one.offset : Math.min(one.offset, days))),
        procedure_code: one.code,
        units: one.units / 100,
        charge: one.cents / 100,
      })),
    };
  });
