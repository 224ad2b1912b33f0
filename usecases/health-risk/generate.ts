import { type Random, random } from '../../src/ml/random.ts';
import type { GeneratedFile, Generator } from '../../src/usecase/synthetic.ts';
import { type CsvRow, type Dirt, csvFile, lineOf, monthBounds, monthIndex } from '../synthetic-csv.ts';

export type GenerateOptions = {
  /** Records of the file, malformed ones included. @default 6,000 */
  rows?: number;
  seed?: number | string;
  /** The month whose new patients and changes the file brings. @default '2026-01' */
  month?: string;
  /** Share of the records that are about last month's patients: the version that ends, and the one that begins. @default 0.2 */
  changes?: number;
  /** Years by which the new patients are older. @default 0 */
  agedBy?: number;
  /** Factor on all charges. @default 1 */
  inflation?: number;
  /** Standard deviation of what assessors add to the score, in points. @default 0: the score is its formula */
  noise?: number;
  /** The share of records that break the contract. @default 0.02 */
  dirtShare?: number;
};

const header = [
  'patient_surrogate_key',
  'patient_natural_key',
  'version',
  'effective_from',
  'effective_to',
  'is_current_record',
  'patient_name',
  'ssn',
  'date_of_birth',
  'zip',
  'medical_record_number',
  'patient_age_category',
  'patient_sex',
  'patient_region',
  'bmi_category',
  'family_size_category',
  'smoker_flag',
  'data_quality_score',
  'insurance_charges',
  'health_risk_score',
];

/**
 * A seeded month of the patient dimension: each new patient once, and two records for every patient of the month before in whose
 * life something changed, the version that ends and the one that holds from then on. Numbers reach us as the upstream system's
 * categories only; the score is its formula over the numbers behind them.
 */
export function patients(options: GenerateOptions = {}): GeneratedFile {
  const { rows = 6000, seed = 42, month = '2026-01', changes = 0.2, dirtShare = 0.02 } = options;
  const source = random(seed).fork(month);
  const changed = Math.floor((rows * changes) / 2);
  const newcomers = population(seed, month, rows - 2 * changed, options).map((person) => recordOf(person, 1));
  const before = population(seed, previous(month), changed, { ...options, agedBy: 0, inflation: 1 });
  const records = [...newcomers, ...before.flatMap((person) => change(person, source.fork('change'), month, options))];
  source.fork('order').shuffle(records);
  let next = 0;
  return csvFile({
    source: 'patients',
    fileName: `patients_${month}.csv`,
    header,
    rows,
    dirtShare,
    kinds,
    random: source,
    draw: () => records[next++],
  });
}

export const options: Generator['options'] = {
  rows: { help: 'records to write, malformed ones included', least: 1, whole: true },
  seed: { help: 'the same seed gives the same file', whole: true },
  changes: { help: "share of the records that are about last month's patients", least: 0, most: 1 },
  agedBy: { help: 'years by which the new patients are older' },
  inflation: { help: 'factor on all charges', least: 0.01 },
  noise: { help: 'points by which assessors stray from the formula; 0 is the formula itself', least: 0 },
  dirtShare: { help: 'share of records that break the contract', least: 0, most: 1 },
};

export const examples: Generator['examples'] = [
  ['bordereau generate health-risk --out patients.csv', 'a month of the patient dimension'],
  [
    'bordereau generate health-risk --month 2026-02 --aged-by 9 --inflation 1.3 --out february.csv',
    'a month that has drifted',
  ],
];

export const generate: Generator['generate'] = (values) => [patients(values)];

/** What is known of a patient upstream, where numbers are still numbers. */
type Person = {
  key: string;
  from: number;
  name: string;
  ssn: string;
  birthDate: string;
  zip: string;
  recordNumber: string;
  age: number;
  sex: string;
  region: string;
  bmi: number;
  children: number;
  isSmoker: boolean;
  quality: number;
  charges: number;
  score: number;
};

const columns = [
  'age', 'sex', 'region', 'bmi', 'children', 'smoker', 'charges', 'noise', 'quality', 'name', 'ssn', 'birth', 'zip', 'record', 'time',
] as const; // prettier-ignore

/**
 * Age N(45, 15) in 18–95, BMI N(28, 6) in 16–50, children Poisson(1.2), smokers 15 % and a tenth of a point more per year over 30;
 * charges as in insurance-cost at sigma 0.3. Each column has its own stream.
 */
function population(seed: number | string, month: string, people: number, options: GenerateOptions): Person[] {
  const { agedBy = 0, inflation = 1, noise = 0 } = options;
  const source = random(seed).fork(month);
  const draws = Object.fromEntries(columns.map((name) => [name, source.fork(name)])) as {
    [name in (typeof columns)[number]]: Random;
  };
  const [startMs, endMs] = monthBounds(month);
  const firstKey = 10_000_000 + 1_000_000 * monthIndex(month);
  return Array.from({ length: people }, (_, i) => {
    const age = clamp(Math.trunc(draws.age.normal(45 + agedBy, 15)), 18, 95);
    const bmi = clamp(Math.round(draws.bmi.normal(28, 6) * 10) / 10, 16, 50);
    const children = draws.children.poisson(1.2);
    const isSmoker = draws.smoker.uniform() < 0.15 + 0.001 * (age - 30);
    const charges =
      Math.exp(0.3 * draws.charges.normal()) * expectedCharges({ age, bmi, children, isSmoker }) * inflation;
    const strayed = noise * draws.noise.normal();
    const from = startMs + draws.time.integer((endMs - startMs) / 1000) * 1000;
    return {
      key: `PAT-${firstKey + i}`,
      from,
      name: `${draws.name.choice(familyNames)}, ${draws.name.choice(givenNames)}`,
      ssn: `9${digits(draws.ssn, 2)}-${digits(draws.ssn, 2)}-${digits(draws.ssn, 4)}`,
      birthDate: birthDate(draws.birth, age, from),
      zip: digits(draws.zip, 5),
      recordNumber: `MRN${digits(draws.record, 8)}`,
      age,
      sex: draws.sex.weighted(['MALE', 'FEMALE', 'OTHER', 'UNKNOWN'], [0.49, 0.49, 0.01, 0.01]),
      region: draws.region.choice(['NORTHEAST', 'NORTHWEST', 'SOUTHEAST', 'SOUTHWEST']),
      bmi,
      children,
      isSmoker,
      quality: draws.quality.uniform() < 0.95 ? 100 : 80 + draws.quality.integer(20),
      charges,
      score: clamp(Math.round(riskScore({ age, bmi, isSmoker, charges }) + strayed), 0, highestScore),
    };
  });
}

type Body = Pick<Person, 'age' | 'bmi' | 'isSmoker'>;

const expectedCharges = ({ age, bmi, children, isSmoker }: Body & { children: number }): number =>
  3000 * (age / 40) ** 1.5 * (1 + Math.max(0, (bmi - 25) / 25)) * (isSmoker ? 2.5 : 1) * (1 + 0.1 * children);

/** The points of the upstream system; nobody can be underweight and obese, so that the most is 75. */
export function riskScore({ age, bmi, isSmoker, charges }: Body & { charges: number }): number {
  return (
    (age > 65 ? 20 : 0) +
    (isSmoker ? 25 : 0) +
    (bmi > 30 ? 15 : 0) +
    (bmi < 18.5 ? 10 : 0) +
    (charges > 20_000 ? 15 : 0)
  );
}

export const highestScore = 75;

/** The record that ends and the one that begins when something changes in a patient's life: weight, smoking, costs. */
function change(person: Person, stream: Random, month: string, { noise = 0 }: GenerateOptions): CsvRow[] {
  const own = stream.fork(person.key);
  const [startMs, endMs] = monthBounds(month);
  const at = startMs + own.integer((endMs - startMs) / 1000) * 1000;
  const body = {
    age: person.age,
    children: person.children,
    bmi: clamp(Math.round((person.bmi + own.normal(0, 2)) * 10) / 10, 16, 50),
    isSmoker: person.isSmoker && own.uniform() < 0.8,
  };
  const charges = Math.exp(0.3 * own.normal()) * expectedCharges(body);
  const score = clamp(Math.round(riskScore({ ...body, charges }) + noise * own.normal()), 0, highestScore);
  return [recordOf(person, 1, at), recordOf({ ...person, ...body, charges, score, from: at }, 2)];
}

function recordOf(person: Person, version: number, endedAt?: number): CsvRow {
  return {
    patient_surrogate_key: `${person.key.slice(4)}0${version}`,
    patient_natural_key: person.key,
    version: String(version),
    effective_from: instant(person.from),
    effective_to: endedAt === undefined ? '9999-12-31T00:00:00Z' : instant(endedAt),
    is_current_record: endedAt === undefined ? 'true' : 'false',
    patient_name: person.name,
    ssn: person.ssn,
    date_of_birth: person.birthDate,
    zip: person.zip,
    medical_record_number: person.recordNumber,
    patient_age_category: classOf(person.age, ageCategories),
    patient_sex: person.sex,
    patient_region: person.region,
    bmi_category: classOf(person.bmi, bmiCategories),
    family_size_category: classOf(person.children, familyCategories),
    smoker_flag: person.isSmoker ? 'True' : 'False',
    data_quality_score: String(person.quality),
    insurance_charges: person.charges.toFixed(2),
    health_risk_score: String(person.score),
  };
}

/** The upstream system's classes: the first whose `below` lies above the value. */
type Classes = readonly (readonly [name: string, below: number])[];
export const ageCategories: Classes = [
  ['YOUNG_ADULT', 30],
  ['MIDDLE_AGED', 50],
  ['MATURE_ADULT', 65],
  ['SENIOR', 90],
  ['ELDERLY_DEIDENTIFIED', Infinity],
];
export const bmiCategories: Classes = [
  ['UNDERWEIGHT', 18.5],
  ['NORMAL', 25],
  ['OVERWEIGHT', 30],
  ['OBESE_CLASS_1', 35],
  ['OBESE_CLASS_2', 40],
  ['OBESE_CLASS_3', Infinity],
];
export const familyCategories: Classes = [
  ['NO_DEPENDENTS', 1],
  ['SMALL', 3],
  ['MEDIUM', 5],
  ['LARGE', Infinity],
];

const classOf = (value: number, classes: Classes): string => classes.find(([, below]) => value < below)![0];

const changed = (rule: string, spoil: (row: CsvRow, good: CsvRow) => CsvRow): Dirt => ({ rule, spoil });

/** What goes wrong in real files, with the rule of the contract that finds it. */
const kinds: readonly Dirt[] = [
  // names that another version of the upstream system used: its readers made people of 70 with four children of them
  changed('age.values', () => ({ patient_age_category: 'ADULT' })),
  changed('children.values', () => ({ family_size_category: 'SINGLE' })),
  changed('bmi.values', () => ({ bmi_category: 'OBESE' })),
  changed('age.required', () => ({ patient_age_category: '' })),
  changed('smoker.values', () => ({ smoker_flag: 'maybe' })),
  changed('sex_known', () => ({ patient_sex: 'M' })),
  changed('region_known', () => ({ patient_region: 'MIDWEST' })),
  changed('patient_natural_key.minLength', () => ({ patient_natural_key: 'P-1' })),
  changed('health_risk_score.maximum', () => ({ health_risk_score: '76' })),
  changed('health_risk_score.type', () => ({ health_risk_score: 'high' })),
  changed('current_record_is_open', ({ is_current_record }) => ({
    is_current_record: is_current_record === 'true' ? 'false' : 'true',
  })),
  changed('effective_in_order', () => ({
    effective_from: '9999-12-31T00:00:01Z',
    is_current_record: 'true',
    effective_to: '9999-12-31T00:00:00Z',
  })),
  changed('version.minimum', () => ({ version: '0' })),
  changed('patient_surrogate_key.unique', (_, { patient_surrogate_key }) => ({ patient_surrogate_key })),
  { rule: 'csv.fields', spoil: (row) => lineOf(row, header.slice(0, 12)) },
];

const givenNames = ['Alice', 'Bruno', 'Carla', 'Diego', 'Emma', 'Frank', 'Gina', 'Henry', 'Irene', 'James'];
const familyNames = ['Baker', 'Cooper', 'Diaz', 'Ellis', 'Flores', 'Gray', 'Hill', "O'Brien", 'Reed', 'Young'];

const digits = (stream: Random, count: number): string =>
  Array.from({ length: count }, () => stream.integer(10)).join('');

function birthDate(stream: Random, age: number, atMs: number): string {
  const now = new Date(atMs);
  const birthday = Date.UTC(now.getUTCFullYear() - age, now.getUTCMonth(), now.getUTCDate());
  return new Date(birthday - (1 + stream.integer(364)) * 86_400_000).toISOString().slice(0, 10);
}

const instant = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('.000', '');

function previous(month: string): string {
  const [startMs] = monthBounds(month);
  return new Date(startMs - 1).toISOString().slice(0, 7);
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
