import { type Random, random } from '../../src/ml/random.ts';
import type { GeneratedFile, Generator, GeneratorValues } from '../../src/usecase/synthetic.ts';
import { type Claim, type Line, drawClaims } from './draw-claims.ts';

type Options = GeneratorValues & {
  rows?: number;
  seed?: number;
  dirtShare?: number;
  failedShare?: number;
  fraudShare?: number;
  inflation?: number;
};

export const options: Generator['options'] = {
  rows: { help: 'claims to write', least: 1, whole: true },
  seed: { help: 'the same seed gives the same files', whole: true },
  dirtShare: { help: 'share of records that break the contract of their file', least: 0, most: 0.5 },
  failedShare: { help: 'share of claims whose lines do not fit them', least: 0, most: 0.5 },
  fraudShare: { help: 'share of claims that are blown up, and nearly always denied', least: 0, most: 1 },
  inflation: { help: 'factor on all charges', least: 0.01 },
};

export const examples: Generator['examples'] = [
  ['bordereau generate claim-decision --rows 5000', 'a month of claims with their lines and, later, decisions'],
  ['bordereau generate claim-decision --month 2026-02 --inflation 1.3', 'a month that has drifted'],
];

/** The files of one month: claims, their lines, what was decided about them, and the table of relative values. */
export function generate(values: GeneratorValues = {}): GeneratedFile[] {
  return generateMonth(values).files;
}

export type GeneratedMonth = {
  files: GeneratedFile[];
  /** Every claim that was drawn, before anything went wrong with it. */
  claims: Claim[];
  /** Claims and lines that pass the contract of their own file and yet make no whole claim, by reason. */
  failed: { [reason: string]: number };
};

/** The same with what only the generator can know: for tests, and to measure what the best model could reach. */
export function generateMonth(values: Options = {}): GeneratedMonth {
  const { rows = 5000, seed = 42, month = '2026-01' } = values;
  const { dirtShare = 0.01, failedShare = 0.01, fraudShare = 0.03, inflation = 1 } = values;
  const people = random(seed);
  const claims = drawClaims(people, { claims: rows, month, fraudShare, inflation });
  const damage = people.fork(month).fork('damage');
  const delivered = unfit(claims, damage.fork('unfit'), failedShare);

  const headers = delivered.map((record) => ({ record, fields: claimFields(record) }));
  const claimFile = written(headers, claimHeader, claimDirt, damage.fork('claims'), dirtShare);
  const lineRecords = delivered.flatMap((record) =>
    record.lines.map((line) => ({ record, line, fields: lineFields(record, line) })),
  );
  const lineFile = written(lineRecords, lineHeader, lineDirt, damage.fork('lines'), dirtShare / 4);
  const decisions = delivered.map((record) => ({ record, fields: decisionFields(record) }));
  const decisionFile = written(decisions, decisionHeader, decisionDirt, damage.fork('decisions'), dirtShare / 2);

  const file = (source: string, { text, rows, dirt }: Written<unknown>): GeneratedFile => ({
    source,
    fileName: `${source}_${month}.csv`,
    bytes: new TextEncoder().encode(text),
    rows,
    dirt,
  });
  return {
    files: [
      file('rvus', { text: rvuTable, rows: rvuTable.trimEnd().split('\n').length - 1, dirt: {}, kept: [] }),
      file('claims', claimFile),
      file('lines', lineFile),
      file('decisions', decisionFile),
    ],
    claims,
    failed: failures(claimFile.kept, lineFile.kept),
  };
}

/** A claim as it is sent: the same, or with something wrong between its header and its lines. */
type Delivered = Claim & { linesFrom: string; linesTo: string };

function unfit(claims: readonly Claim[], draw: Random, share: number): Delivered[] {
  const chosen = draw.shuffle(draw.sample(claims.length, Math.round(claims.length * share)));
  const harm = new Map(Array.from(chosen, (at, i) => [at, harms[i % harms.length]]));
  return claims.map((claim, i) => {
    const whole = { ...claim, linesFrom: claim.serviceFrom, linesTo: claim.serviceTo };
    return harm.get(i)?.(whole) ?? whole;
  });
}

const harms: readonly ((claim: Delivered) => Delivered)[] = [
  (claim) => ({ ...claim, totalCents: claim.totalCents + 1 }),
  (claim) => ({ ...claim, lines: [] }),
  (claim) => ({ ...claim, linesTo: dayAfter(claim.linesTo || claim.linesFrom, claim.linesTo ? 1 : 60) }),
  (claim) => ({
    ...claim,
    lines: [...claim.lines, { ...claim.lines[0], controlNumber: `${claim.lines[0].controlNumber}-2`, chargeCents: 0 }],
  }),
];

const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);

/** Which of the accepted records make no whole claim: the first reason, as failed-claims.sql words it. */
function failures(
  headers: readonly { record: Delivered }[],
  lines: readonly { record: Delivered; line: Line }[],
): GeneratedMonth['failed'] {
  const failed: GeneratedMonth['failed'] = {};
  const count = (reason: string) => (failed[reason] = (failed[reason] ?? 0) + 1);
  const linesOf = Map.groupBy(lines, ({ record }) => record.id);
  const claims = new Set(headers.map(({ record }) => record.id));
  for (const id of linesOf.keys()) if (!claims.has(id)) count('no_claim');
  for (const { record } of headers) {
    const own = (linesOf.get(record.id) ?? []).map(({ line }) => line);
    const sum = own.reduce((cents, line) => cents + line.chargeCents, 0);
    if (own.length === 0) count('no_lines');
    else if (new Set(own.map(({ number }) => number)).size < own.length) count('line_number_repeated');
    else if (sum !== record.totalCents) count('lines_not_total');
    else if (record.linesTo !== record.serviceTo) count('lines_of_another_period');
  }
  return failed;
}

type Fields = { [column: string]: string };
type Dirt = { rule: string; change: (fields: Fields, good: Fields) => Fields };
type Written<Record> = { text: string; rows: number; dirt: { [rule: string]: number }; kept: Record[] };

/** A CSV file of the records; a share of them, never the first, is broken in each of the known ways in turn. */
function written<Record extends { fields: Fields }>(
  records: readonly Record[],
  header: readonly string[],
  kinds: readonly Dirt[],
  draw: Random,
  share: number,
): Written<Record> {
  const most = Math.max(0, records.length - 1);
  const places = draw.shuffle(draw.sample(most, Math.min(most, Math.round(records.length * share))));
  const dirty = new Map(Array.from(places, (place, i) => [place + 1, kinds[i % kinds.length]]));
  const dirt: { [rule: string]: number } = {};
  const kept: Record[] = [];
  const rows = records.map((record, i) => {
    const kind = dirty.get(i);
    if (kind === undefined) {
      kept.push(record);
      return record.fields;
    }
    dirt[kind.rule] = (dirt[kind.rule] ?? 0) + 1;
    return kind.change(record.fields, kept[kept.length - 1].fields);
  });
  const lines = rows.map((fields) => header.map((name) => fields[name]).join(','));
  return { text: `${[header.join(','), ...lines].join('\n')}\n`, rows: records.length, dirt, kept };
}

const changed = (rule: string, change: Dirt['change']): Dirt => ({
  rule,
  change: (fields, good) => ({ ...fields, ...change(fields, good) }),
});

const claimDirt: readonly Dirt[] = [
  changed('claim_id.required', () => ({ claim_id: '' })),
  changed('claim_id.unique', (_, { claim_id }) => ({ claim_id })),
  changed('service_period_ordered', ({ service_from }) => ({ service_from, service_to: '1999-12-31' })),
  changed('total_charges.exclusiveMinimum', () => ({ total_charges: '0.00' })),
  changed('total_charges.type', ({ total_charges }) => ({ total_charges: `USD ${total_charges}` })),
  changed('date_of_birth.type', () => ({ date_of_birth: '1980-02-30' })),
  changed('insurance_type_known', () => ({ insurance_type: 'medicair' })),
  changed('billing_provider_npi.pattern', () => ({ billing_provider_npi: '12345' })),
  changed('primary_diagnosis.pattern', () => ({ primary_diagnosis: '11.9' })),
];

const lineDirt: readonly Dirt[] = [
  changed('procedure_code.required', () => ({ procedure_code: '' })),
  changed('units.exclusiveMinimum', () => ({ units: '0' })),
  changed('charge.minimum', () => ({ charge: '-0.01' })),
  changed('service_date_in_claim_period', () => ({ service_date: '1999-12-31' })),
  changed('line_number.minimum', () => ({ line_number: '0' })),
  changed('units.type', () => ({ units: 'two' })),
];

const decisionDirt: readonly Dirt[] = [
  changed('approved.values', () => ({ approved: 'perhaps' })),
  changed('decided_at.type', () => ({ decided_at: '2026-02-30T00:00:00Z' })),
];

const dollars = (cents: number): string => (cents / 100).toFixed(2);

const claimHeader = ['claim_id', 'received_at', 'facility_id', 'patient_account_number', 'medical_record_number', 'patient_first_name', 'patient_last_name', 'date_of_birth', 'subscriber_id', 'admission_date', 'discharge_date', 'service_from', 'service_to', 'financial_class', 'insurance_type', 'insurance_plan', 'total_charges', 'expected_reimbursement', 'billing_provider_npi', 'billing_provider_name', 'primary_diagnosis', 'diagnosis_codes', 'batch_id', 'priority']; // prettier-ignore

function claimFields(claim: Delivered): Fields {
  const { patient, provider, serviceFrom, serviceTo, inpatient } = claim;
  return {
    claim_id: claim.id,
    received_at: claim.receivedAt,
    facility_id: provider.facility,
    patient_account_number: patient.account,
    medical_record_number: patient.recordNumber,
    patient_first_name: patient.firstName,
    patient_last_name: patient.lastName,
    date_of_birth: patient.birthDate,
    subscriber_id: patient.subscriber,
    admission_date: inpatient ? serviceFrom : '',
    discharge_date: inpatient ? serviceTo : '',
    service_from: serviceFrom,
    service_to: serviceTo,
    financial_class: patient.insuranceType.split('_')[0],
    insurance_type: patient.insuranceType === 'unknown' ? '' : patient.insuranceType,
    insurance_plan: 'standard',
    total_charges: dollars(claim.totalCents),
    expected_reimbursement: dollars(Math.round(claim.totalCents * 0.4)),
    billing_provider_npi: provider.npi,
    billing_provider_name: provider.name,
    primary_diagnosis: claim.diagnoses[0],
    diagnosis_codes: claim.diagnoses.join('|'),
    batch_id: claim.receivedAt.slice(0, 10),
    priority: 'normal',
  };
}

const lineHeader = ['line_control_number', 'claim_id', 'received_at', 'line_number', 'claim_service_from', 'claim_service_to', 'service_date', 'procedure_code', 'units', 'charge', 'rendering_provider_npi', 'diagnosis_pointers', 'modifiers']; // prettier-ignore

function lineFields(claim: Delivered, line: Line): Fields {
  return {
    line_control_number: line.controlNumber,
    claim_id: claim.id,
    received_at: claim.receivedAt,
    line_number: String(line.number),
    claim_service_from: claim.linesFrom,
    claim_service_to: claim.linesTo,
    service_date: line.serviceDate,
    procedure_code: line.procedureCode,
    units: String(line.units),
    charge: dollars(line.chargeCents),
    rendering_provider_npi: claim.provider.npi,
    diagnosis_pointers: line.pointers,
    modifiers: line.modifiers,
  };
}

const decisionHeader = ['claim_id', 'decided_at', 'approved'];

function decisionFields({ id, decidedAt, approved }: Claim): Fields {
  return { claim_id: id, decided_at: decidedAt, approved: approved ? 'approved' : 'denied' };
}

/** The predecessor's samples and round figures; what is not in it counts 1.00. */
const rvuTable = `procedure_code,rvu
99203,1.92
99213,2.11
99214,3.28
80053,0.85
85025,0.3
71046,0.9
93000,0.45
27447,38.5
29881,15.2
47562,18.9
66984,16.1
`;
