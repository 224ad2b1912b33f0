import type { Online, RequestFault } from '../../src/usecase/online.ts';

/*
 * The seven features of one claim with its lines, as features.sql computes them from silver: the same rules under the same
 * names, money in whole cents, and each feature rounded to float32 once.
 */

export const online: Online = {
  featureNames: [
    'log_total_charges',
    'line_count',
    'age_at_service',
    'duration_days',
    'insurance_code',
    'surgery',
    'complexity',
  ],

  read(request, into, at, nowMs) {
    const faults: RequestFault[] = [];
    const fault = (rule: string, field: string) => void faults.push({ rule, field });
    if (!isObject(request)) {
      fault('claim.object', '');
      return { key: '', faults };
    }
    for (const name in request) if (!claimFields.has(name)) fault('unknown_field', name);
    const id = request['claim_id'];
    const key = typeof id === 'string' && id.length > 0 && id.length <= 100 ? id : '';
    if (key === '') fault('claim_id.required', 'claim_id');

    const from = day(request['service_from'], 'service_from', fault);
    const to = day(request['service_to'], 'service_to', fault);
    const born = day(request['date_of_birth'], 'date_of_birth', fault);
    if (request['service_from'] === undefined || request['service_from'] === null)
      fault('service_from.required', 'service_from');
    if (to < from) fault('service_period_ordered', 'service_to');

    const code = insuranceCode(request['insurance_type']);
    if (code === undefined) fault('insurance_type_known', 'insurance_type');
    const total = hundredths(request['total_charges'], 'total_charges', fault);
    if (total <= 0) fault('total_charges.exclusiveMinimum', 'total_charges');

    const lines = request['lines'];
    if (!Array.isArray(lines) || lines.length === 0) {
      fault('no_lines', 'lines');
      return { key, faults };
    }
    const { charges, units, surgery } = readLines(lines, { from, to }, fault);
    if (charges !== total && faults.length === 0) fault('lines_not_total', 'total_charges');

    into[at] = Math.fround(Math.log(1 + total / 100));
    into[at + 1] = Math.fround(lines.length);
    into[at + 2] = ageInSilver(born, from, Math.floor(nowMs / dayMs));
    into[at + 3] = Number.isNaN(to) ? 0 : to - from + 1;
    into[at + 4] = Math.fround(code ?? 0);
    into[at + 5] = surgery;
    into[at + 6] = Math.fround(
      0.4 * Math.min(lines.length / 10, 1) + 0.3 * Math.min(units / 100 / 20, 1) + 0.3 * surgery,
    );
    return { key, faults };
  },
};

/** What a claim may say: the columns of its contract, whether they are looked at or not. A misspelt one would seem to be missing. */
export const claimFields: ReadonlySet<string> = new Set([
  'claim_id',
  'received_at',
  'facility_id',
  'patient_account_number',
  'medical_record_number',
  'patient_first_name',
  'patient_last_name',
  'date_of_birth',
  'subscriber_id',
  'admission_date',
  'discharge_date',
  'service_from',
  'service_to',
  'financial_class',
  'insurance_type',
  'insurance_plan',
  'total_charges',
  'expected_reimbursement',
  'billing_provider_npi',
  'billing_provider_name',
  'primary_diagnosis',
  'diagnosis_codes',
  'batch_id',
  'priority',
  'lines',
]);

/** The same of a line; what joins lines and claims in files is not needed here. */
export const lineFields: ReadonlySet<string> = new Set([
  'line_control_number',
  'line_number',
  'service_date',
  'procedure_code',
  'units',
  'charge',
  'rendering_provider_npi',
  'diagnosis_pointers',
  'modifiers',
]);

const dayMs = 86_400_000;

type Fault = (rule: string, field: string) => void;

/** Charges in cents, units in hundredths, and whether there is surgery (1) or none (0). */
function readLines(lines: unknown[], { from, to }: { from: number; to: number }, fault: Fault) {
  let charges = 0;
  let units = 0;
  let surgery = 0;
  const numbers = new Set<unknown>();
  for (let i = 0; i < lines.length; i++) {
    const line: unknown = lines[i];
    const bad: Fault = (rule, field) => fault(rule, `lines[${i}].${field}`);
    if (!isObject(line)) {
      fault('line.object', `lines[${i}]`);
      continue;
    }
    for (const name in line) if (!lineFields.has(name)) bad('unknown_field', name);
    const number = line['line_number'];
    if (!Number.isInteger(number) || (number as number) < 1) bad('line_number.minimum', 'line_number');
    if (numbers.has(number)) bad('line_number_repeated', 'line_number');
    numbers.add(number);

    const date = day(line['service_date'], 'service_date', bad);
    if (line['service_date'] === undefined || line['service_date'] === null) {
      bad('service_date.required', 'service_date');
    }
    if (date < from || date > to) bad('service_date_in_claim_period', 'service_date');

    const lineUnits = hundredths(line['units'], 'units', bad);
    if (lineUnits <= 0) bad('units.exclusiveMinimum', 'units');
    const charge = hundredths(line['charge'], 'charge', bad);
    if (charge < 0) bad('charge.minimum', 'charge');
    charges += charge;
    units += lineUnits;

    const code = line['procedure_code'];
    if (typeof code !== 'string' || code === '') bad('procedure_code.required', 'procedure_code');
    else if (!/^[0-9A-Za-z]{1,20}$/.test(code)) bad('procedure_code.pattern', 'procedure_code');
    else if (isSurgery(code)) surgery = 1;
  }
  return { charges, units, surgery };
}

/** CPT 10021 to 69990, or a code that starts with S. */
function isSurgery(code: string): boolean {
  const first = code.charCodeAt(0);
  if (first === 83 || first === 115) return true;
  return code.length === 5 && code >= '10021' && code <= '69990' && /^[0-9]{5}$/.test(code);
}

const insuranceCodes = new Map<unknown, number>(
  Object.entries({
    medicare: 1,
    medicaid: 2,
    commercial: 3,
    commercial_ppo: 3.1,
    commercial_hmo: 3.2,
    commercial_pos: 3.3,
    bcbs: 4,
    bcbs_ppo: 4.1,
    bcbs_hmo: 4.2,
    self_pay: 5,
    workers_comp: 6,
    other_government: 7,
    tricare: 8,
    champva: 9,
    other: 10,
    unknown: 0,
  }),
);

function insuranceCode(type: unknown): number | undefined {
  if (type === undefined || type === null || type === '') return 0;
  return insuranceCodes.get(typeof type === 'string' ? type.toLowerCase() : type);
}

/** An amount with at most two decimals, in hundredths; NaN, with a fault, for anything else. */
function hundredths(value: unknown, field: string, fault: Fault): number {
  if (typeof value === 'number') {
    const whole = Math.round(value * 100);
    if (whole / 100 === value && Math.abs(whole) <= 1e15) return whole;
  }
  fault(value === undefined || value === null ? `${field}.required` : `${field}.type`, field);
  return NaN;
}

/** A date of the calendar as a count of days since 1970; NaN where it is missing, with a fault where it is none. */
function day(value: unknown, field: string, fault: Fault): number {
  if (value === undefined || value === null || value === '') return NaN;
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) {
    const [year, month, date] = [+value.slice(0, 4), +value.slice(5, 7), +value.slice(8)];
    if (month >= 1 && month <= 12 && date >= 1 && date <= daysIn(year, month)) {
      return Date.UTC(year, month - 1, date) / dayMs;
    }
  }
  fault(`${field}.type`, field);
  return NaN;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Whole years at the time of service, -1 where a date is missing; 90 for all who have turned 90 by now, as in silver. */
function ageInSilver(born: number, on: number, today: number): number {
  if (Number.isNaN(born) || Number.isNaN(on)) return -1;
  return wholeYears(born, on) >= 90 || wholeYears(born, today) >= 90 ? 90 : wholeYears(born, on);
}

/** As DuckDB's datesub counts them: a year is full on the day of the same date, or before it on the last day of its month. */
function wholeYears(from: number, to: number): number {
  const [start, end] = [new Date(from * dayMs), new Date(to * dayMs)];
  const years = end.getUTCFullYear() - start.getUTCFullYear();
  const months = end.getUTCMonth() - start.getUTCMonth();
  return months > 0 || (months === 0 && end.getUTCDate() >= start.getUTCDate()) ? years : years - 1;
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
