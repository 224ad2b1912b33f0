import { type Random, random } from '../../src/ml/random.ts';
import type { GeneratedFile, Generator } from '../../src/usecase/synthetic.ts';

export type GenerateOptions = {
  /** Records of the file, malformed ones included. @default 10,000 */
  rows?: number;
  seed?: number | string;
  /** The month in which the rows are recorded, and which people it draws. @default '2026-01' */
  month?: string;
  /** Standard deviation of the log of the costs' noise: R² can reach .845 at .25 and .787 at .3. @default 0.25 */
  sigma?: number;
  /** Factor on all charges. @default 1 */
  inflation?: number;
  /** Years by which the population is older. @default 0 */
  agedBy?: number;
  /** The first customer_id; the others count up from it. @default - a million for each month from 2026-01 on, so that months do not meet */
  firstId?: number;
  /** The share of records that break the contract. @default 0.02 */
  dirtShare?: number;
};

/** The same for the command line. */
export const options: Generator['options'] = {
  rows: { help: 'records to write, malformed ones included', least: 1, whole: true },
  seed: { help: 'the same seed gives the same file', whole: true },
  sigma: { help: 'noise of the costs; 0.25 lets R² reach .845, 0.3 is the compatibility profile (.787)', least: 0 },
  inflation: { help: 'factor on all charges', least: 0.01 },
  agedBy: { help: 'years by which the population is older' },
  dirtShare: { help: 'share of records that break the contract', least: 0, most: 1 },
};

type Policy = {
  customerId: string;
  age: string;
  sex: string;
  bmi: string;
  children: string;
  smoker: string;
  region: string;
  charges: string;
  timestamp: string;
  name: string;
  ssn: string;
  dateOfBirth: string;
  zip: string;
  mrn: string;
};

const header = 'customer_id,age,sex,bmi,children,smoker,region,charges,timestamp,name,ssn,date_of_birth,zip,mrn';

/**
 * A seeded month of policies as an insurer would send it: a CSV file with some records that break the contract, each in one
 * known way. Age N(45, 15) in 18–85, BMI N(28, 6) in 16–50, children Poisson(1.2), smokers 15 % and a tenth of a point more per
 * year over 30; charges grow with age, BMI over 25, children and smoking, times LogNormal(0, sigma). Each column has its own
 * stream: another sigma or inflation changes the charges and not the people. Names and numbers are invented, so that there is
 * something to keep in the PHI zone; no social security number of that form is ever given out.
 */
export function generate(given: GenerateOptions = {}): [GeneratedFile] {
  const { rows = 10_000, seed = 42, month = '2026-01', dirtShare = 0.02 } = given;
  const source = random(seed).fork(month);
  const dirty = planDirt(source.fork('dirt'), rows, dirtShare);
  const draw = policies(source, { sigma: 0.25, inflation: 1, agedBy: 0, firstId: firstIdOf(month), ...given, month });
  const dirt: { [rule: string]: number } = {};
  const lines = [header];
  let good: Policy | undefined;
  for (let row = 0; row < rows; row++) {
    const policy = draw();
    const kind = dirty.get(row);
    if (kind === undefined) {
      good = policy;
      lines.push(Object.values(policy).join(','));
    } else {
      dirt[kind.rule] = (dirt[kind.rule] ?? 0) + 1;
      lines.push(kind.write(policy, good!));
    }
  }
  // some systems end some lines in their own way; that is no fault
  const lineEnds = source.fork('line ends');
  const text = lines.map((line) => line + (lineEnds.uniform() < 0.1 ? '\r\n' : '\n')).join('');
  const bytes = new TextEncoder().encode(text);
  return [{ source: 'policies', fileName: `policies_${month}.csv`, bytes, rows, dirt }];
}

function policies(
  source: Random,
  {
    sigma,
    inflation,
    agedBy,
    firstId,
    month,
  }: Required<Pick<GenerateOptions, 'sigma' | 'inflation' | 'agedBy' | 'firstId' | 'month'>>,
): () => Policy {
  const names = [
    'age', 'sex', 'bmi', 'children', 'smoker', 'region', 'noise', 'time', 'name', 'ssn', 'birthday', 'zip', 'mrn',
  ] as const; // prettier-ignore
  const draws = Object.fromEntries(names.map((name) => [name, source.fork(name)])) as {
    [name in (typeof names)[number]]: Random;
  };
  const [startMs, endMs] = monthBounds(month);
  let customerId = firstId;
  return () => {
    const age = clamp(Math.trunc(draws.age.normal(45 + agedBy, 15)), 18, 85);
    const bmi = clamp(Math.round(draws.bmi.normal(28, 6) * 10) / 10, 16, 50);
    const children = draws.children.poisson(1.2);
    const smoker = draws.smoker.uniform() < 0.15 + 0.001 * (age - 30);
    const expected =
      3000 * (age / 40) ** 1.5 * (1 + Math.max(0, (bmi - 25) / 25)) * (smoker ? 2.5 : 1) * (1 + 0.1 * children);
    const charges = expected * Math.exp(sigma * draws.noise.normal()) * inflation;
    const recordedMs = startMs + draws.time.integer((endMs - startMs) / 1000) * 1000;
    return {
      customerId: String(customerId++),
      age: String(age),
      sex: draws.sex.choice(['MALE', 'FEMALE']),
      bmi: bmi.toFixed(1),
      children: String(children),
      smoker: smoker ? 'True' : 'False',
      region: draws.region.choice(['NORTHEAST', 'NORTHWEST', 'SOUTHEAST', 'SOUTHWEST']),
      charges: charges.toFixed(2),
      timestamp: new Date(recordedMs).toISOString().replace('.000', ''),
      name: `${draws.name.choice(givenNames)} ${draws.name.choice(familyNames)}`,
      ssn: `9${digits(draws.ssn, 2)}-${1 + draws.ssn.integer(4)}${digits(draws.ssn, 1)}-${digits(draws.ssn, 4)}`,
      dateOfBirth: birthDate(draws.birthday, age, recordedMs),
      zip: digits(draws.zip, 5),
      mrn: `MRN-${digits(draws.mrn, 8)}`,
    };
  };
}

const givenNames = [
  'Adaeze', 'Bartholomew', 'Clementine', 'Dmitri', 'Esperanza', 'Fitzgerald', 'Guadalupe', 'Hiroshi', 'Isadora', 'Jebediah',
  'Konstantin', 'Lakshmi', 'Montgomery', 'Ngozi', 'Octavia', 'Philomena',
] as const; // prettier-ignore
const familyNames = [
  'Abernathy', 'Blumenthal', 'Castellanos', 'Drummond', 'Etxeberria', 'Fairweather', 'Grzybowski', 'Hollingsworth', 'Ishikawa',
  'Jankowski', 'Krishnamurthy', 'Lindqvist', 'Mbeki', 'Nightingale', 'Okonkwo', 'Prendergast',
] as const; // prettier-ignore

const digits = (stream: Random, count: number): string =>
  Array.from({ length: count }, () => stream.integer(10)).join('');

/** A day on which somebody of that age was born, as of a time; nobody is born on 29 February. */
function birthDate(stream: Random, age: number, atMs: number): string {
  const lastBirthday = new Date(atMs - stream.integer(365) * dayMs);
  const [, month, day] = lastBirthday.toISOString().slice(0, 10).split('-');
  const born = `${lastBirthday.getUTCFullYear() - age}-${month}-${day}`;
  return day === '29' && month === '02' ? born.replace('02-29', '02-28') : born;
}

const dayMs = 86_400_000;

type Dirt = { rule: string; write: (policy: Policy, good: Policy) => string };

const changed = (rule: string, change: (policy: Policy, good: Policy) => Partial<Policy>): Dirt => ({
  rule,
  write: (policy, good) => Object.values({ ...policy, ...change(policy, good) }).join(','),
});

/** What goes wrong in real files, with the rule of the contract that finds it. */
const kinds: readonly Dirt[] = [
  changed('bmi.required', () => ({ bmi: '' })),
  changed('age.minimum', () => ({ age: '17' })),
  changed('age.maximum', () => ({ age: '101' })),
  changed('age.type', () => ({ age: 'forty' })),
  changed('smoker.values', () => ({ smoker: 'maybe' })),
  changed('charges.exclusiveMinimum', ({ charges }) => ({ charges: `-${charges}` })),
  changed('charges.type', () => ({ charges: '1.2e4' })),
  changed('region_known', () => ({ region: 'SOUTHEST' })),
  changed('customer_id.unique', (_, { customerId }) => ({ customerId })),
  changed('recorded_at.type', () => ({ timestamp: '2026-02-30T00:00:00Z' })),
  { rule: 'csv.fields', write: (policy) => Object.values(policy).slice(0, 5).join(',') },
  { rule: 'csv.fields', write: (policy) => [...Object.values(policy), policy.region].join(',') },
];

/** One to a file: a second one would seem to close the first, and the rule that finds that would be another. */
const unclosedQuote = changed('csv.unclosed-quote', ({ region }) => ({ region: `"${region}` }));

/** Which records are dirty, and how; the first is good, so that there is a customer_id to repeat. */
function planDirt(stream: Random, rows: number, share: number): Map<number, Dirt> {
  const count = Math.min(Math.round(rows * share), Math.max(0, rows - 1));
  const places = stream.shuffle(stream.sample(Math.max(0, rows - 1), count));
  return new Map(
    Array.from(places, (place, i) => [place + 1, i === 0 ? unclosedQuote : kinds[(i - 1) % kinds.length]]),
  );
}

function monthBounds(month: string): [startMs: number, endMs: number] {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new RangeError(`A month is written like 2026-01, not "${month}".`);
  const [year, number] = month.split('-').map(Number);
  return [Date.UTC(year, number - 1), Date.UTC(year, number)];
}

/** 1,000,000 in 2026-01, 2,000,000 in 2026-02, … and round again after a century. */
function firstIdOf(month: string): number {
  const [year, number] = month.split('-').map(Number);
  const months = (year - 2026) * 12 + number - 1;
  return 1_000_000 * (1 + (((months % 1200) + 1200) % 1200));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
