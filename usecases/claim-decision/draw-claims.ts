import type { Random } from '../../src/ml/random.ts';
import { approvalLogOdds, probabilityOf } from './approval.ts';

export type Line = {
  controlNumber: string;
  number: number;
  serviceDate: string;
  procedureCode: string;
  units: number;
  chargeCents: number;
  pointers: string;
  modifiers: string;
};

export type Patient = {
  account: string;
  recordNumber: string;
  firstName: string;
  lastName: string;
  birthDate: string;
  subscriber: string;
  insuranceType: string;
  /** What they add to the log-odds of approval. */
  effect: number;
};

export type Provider = { npi: string; name: string; facility: string; effect: number };

export type Claim = {
  id: string;
  receivedAt: string;
  patient: Patient;
  provider: Provider;
  serviceFrom: string;
  serviceTo: string;
  inpatient: boolean;
  diagnoses: string[];
  lines: Line[];
  totalCents: number;
  isFraud: boolean;
  /** By what the seven features tell, and by everything. */
  logOdds: { features: number; all: number };
  approved: boolean;
  decidedAt: string;
};

/**
 * Claims of a month in the order in which they come in. Patients and providers are the same in every month; a claim is an
 * office visit, an outpatient or surgical case, or a hospital stay. Fraud is a claim blown up in units and charges, which is
 * nearly always denied.
 */
export function drawClaims(
  seed: Random,
  { claims, month, fraudShare, inflation }: { claims: number; month: string; fraudShare: number; inflation: number },
): Claim[] {
  const [startMs, endMs] = monthBounds(month);
  const source = seed.fork(month);
  const people = new Map<number, Patient>();
  const patientAt = (i: number) => {
    const known = people.get(i) ?? drawPatient(seed.fork(`patient ${i}`), i);
    people.set(i, known);
    return known;
  };
  const providers = Array.from({ length: 60 }, (_, i) => drawProvider(seed.fork(`provider ${i}`), i));
  const times = Float64Array.from({ length: claims }, () => startMs + source.integer((endMs - startMs) / 1000) * 1000);
  times.sort();
  const population = Math.max(50, Math.round(claims * 0.6));
  const control = source.fork('control numbers');
  return Array.from(times, (receivedMs, i) => {
    const draw = source.fork(i);
    const kind = draw.weighted(kinds, kindWeights);
    const patient = patientAt(draw.integer(population));
    const provider = draw.choice(providers);
    const isFraud = draw.uniform() < fraudShare;
    const days = kind.days[0] + draw.integer(kind.days[1] - kind.days[0] + 1);
    const fromMs = receivedMs - (days + 1 + draw.integer(20)) * dayMs;
    const goesOn = kind.inpatient && draw.uniform() < 0.05;
    const lines = drawLines(draw, control, kind, { fromMs, days, isFraud, inflation });
    const totalCents = lines.reduce((sum, line) => sum + line.chargeCents, 0);
    const serviceFrom = isoDay(fromMs);
    const units = lines.reduce((sum, line) => sum + line.units, 0);
    const surgery = lines.some(({ procedureCode }) => surgeries.includes(procedureCode)) ? 1 : 0;
    const features = approvalLogOdds({
      logTotalCharges: Math.log(1 + totalCents / 100),
      age: patient.birthDate === '' ? -1 : ageOn(serviceFrom, patient.birthDate),
      durationDays: goesOn ? 0 : days,
      insuranceType: patient.insuranceType,
      surgery,
      complexity: 0.4 * Math.min(lines.length / 10, 1) + 0.3 * Math.min(units / 20, 1) + 0.3 * surgery,
    });
    const all = features + provider.effect + patient.effect - (isFraud ? 5 : 0);
    return {
      id: `CLM-${month}-${String(i + 1).padStart(6, '0')}`,
      receivedAt: isoTime(receivedMs),
      patient,
      provider,
      serviceFrom,
      serviceTo: goesOn ? '' : isoDay(fromMs + (days - 1) * dayMs),
      inpatient: kind.inpatient,
      diagnoses: Array.from({ length: 1 + draw.poisson(1.2) }, () => draw.choice(diagnoses)).slice(0, 12),
      lines,
      totalCents,
      isFraud,
      logOdds: { features, all },
      approved: draw.uniform() < probabilityOf(all),
      decidedAt: isoTime(receivedMs + Math.round((2 + draw.gamma(2, 4)) * 86_400) * 1000),
    };
  });
}

type Kind = {
  inpatient: boolean;
  /** First to last day, both counted. */
  days: readonly [least: number, most: number];
  lines: readonly [least: number, most: number];
  codes: readonly string[];
  surgery: boolean;
  /** Of a line, in dollars; log-normal. */
  medianUsd: number;
};

const surgeries = ['27447', '29881', '47562', '66984', 'S2900'];
const tests = ['80053', '85025', '71046', '93000', '36415', '97110'];
const visits = ['99203', '99213', '99214', '99215'];
const kinds: readonly Kind[] = [
  { inpatient: false, days: [1, 1], lines: [1, 4], codes: [...visits, ...tests], surgery: false, medianUsd: 120 },
  { inpatient: false, days: [1, 3], lines: [2, 9], codes: tests, surgery: false, medianUsd: 260 },
  { inpatient: false, days: [1, 4], lines: [3, 10], codes: tests, surgery: true, medianUsd: 700 },
  { inpatient: true, days: [2, 21], lines: [5, 16], codes: [...tests, 'J1885'], surgery: false, medianUsd: 620 },
];
const kindWeights = [50, 25, 13, 12];

const diagnoses = ['E11.9', 'I10', 'J45.909', 'M17.11', 'K80.20', 'S83.241A', 'F32.9', 'C50.911', 'N39.0', 'Z00.00', 'H25.9', 'A09', 'D64.9', 'G43.909']; // prettier-ignore

function drawLines(
  draw: Random,
  control: Random,
  kind: Kind,
  { fromMs, days, isFraud, inflation }: { fromMs: number; days: number; isFraud: boolean; inflation: number },
): Line[] {
  const count = kind.lines[0] + draw.integer(kind.lines[1] - kind.lines[0] + 1);
  return Array.from({ length: count }, (_, i) => {
    const isSurgery = kind.surgery && i === 0;
    const units = isFraud ? 4 + draw.integer(8) : draw.uniform() < 0.15 ? 2 + draw.integer(3) : 1;
    const priceUsd = kind.medianUsd * (isSurgery ? 8 : 1) * Math.exp(draw.normal(0, 0.7)) * inflation;
    return {
      controlNumber: Array.from({ length: 3 }, () => control.integer(2 ** 32).toString(36)).join('-'),
      number: i + 1,
      serviceDate: isoDay(fromMs + draw.integer(days) * dayMs),
      procedureCode: isSurgery ? draw.choice(surgeries) : draw.choice(kind.codes),
      // therapy and drugs are counted in halves as well
      units: draw.uniform() < 0.05 ? units + 0.5 : units,
      chargeCents: Math.max(1, Math.round(priceUsd * (isFraud ? 3 : 1) * Math.sqrt(units) * 100)),
      pointers: draw.uniform() < 0.7 ? '1' : '1|2',
      modifiers: draw.uniform() < 0.1 ? '25' : '',
    };
  });
}

const insuranceTypes = ['medicare', 'medicaid', 'commercial', 'commercial_ppo', 'commercial_hmo', 'commercial_pos', 'bcbs', 'bcbs_ppo', 'bcbs_hmo', 'self_pay', 'workers_comp', 'other_government', 'tricare', 'champva', 'other', 'unknown']; // prettier-ignore
const insuranceWeights = [24, 14, 8, 10, 9, 4, 6, 7, 5, 3, 2, 1, 2, 1, 2, 2];
const firstNames = ['Ada', 'Bruno', 'Clara', 'Dmitri', 'Elena', 'Felix', 'Grace', 'Hugo', 'Ines', 'Jonas'];
const lastNames = [
  'Abbott',
  'Bianchi',
  'Castillo',
  'Dubois',
  'Eriksen',
  'Fischer',
  'Gupta',
  'Haddad',
  'Ivanova',
  'Jensen',
];

function drawPatient(draw: Random, i: number): Patient {
  const insuranceType = draw.weighted(insuranceTypes, insuranceWeights);
  const year = insuranceType === 'medicare' ? 1930 + draw.integer(31) : 1950 + draw.integer(70);
  const birthDate = isoDay(Date.UTC(year, draw.integer(12), 1 + draw.integer(28)));
  return {
    account: `ACC-${String(i + 1).padStart(7, '0')}`,
    recordNumber: `MRN${10_000_000 + draw.integer(90_000_000)}`,
    firstName: draw.choice(firstNames),
    lastName: draw.choice(lastNames),
    birthDate: draw.uniform() < 0.02 ? '' : birthDate,
    subscriber: `SUB${100_000_000 + draw.integer(900_000_000)}`,
    insuranceType,
    effect: draw.normal(0, 0.5),
  };
}

function drawProvider(draw: Random, i: number): Provider {
  return {
    npi: String(1_000_000_000 + draw.integer(899_999_999)),
    name: `${draw.choice(lastNames)} Medical Group`,
    facility: `FAC-${String((i % 20) + 1).padStart(3, '0')}`,
    effect: draw.normal(0, 0.9),
  };
}

const dayMs = 86_400_000;
const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const isoTime = (ms: number): string => new Date(ms).toISOString().replace('.000', '');

/** Whole years between two ISO dates, which compare as texts; 90 for 90 and above, as outside the PHI zone. */
function ageOn(day: string, birthDate: string): number {
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return Math.min(90, day.slice(5) < birthDate.slice(5) ? years - 1 : years);
}

function monthBounds(month: string): [startMs: number, endMs: number] {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new RangeError(`A month is written like 2026-01, not "${month}".`);
  const [year, number] = month.split('-').map(Number);
  return [Date.UTC(year, number - 1), Date.UTC(year, number)];
}
