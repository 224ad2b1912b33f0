import { createHash } from 'node:crypto';
import type { Random } from '../../../src/ml/random.ts';
import { beta, exponential } from './draws.ts';
import { dayMs } from './months.ts';

/** A member as of the first delivery. */
export type Member = {
  /** MBR_ and eight hexadecimal digits. */
  id: string;
  age: number;
  bornMs: number;
  enrolledMs: number;
  gender: string;
  region: string;
  plan: string;
  income: string;
  familySize: number;
  /** 0 to 100, in hundredths. */
  riskHundredths: number;
  chronicConditions: number;
  /** The member's own stream; what is drawn from its forks changes with nobody else. */
  random: Random;
};

/** The member of that index. `nowMs` is the end of the month of the first delivery. */
export function memberAt(index: number, source: Random, idOf: (index: number) => string, nowMs: number): Member {
  const random = source.fork(index);
  const draw = random.fork('member');
  const age = draw.weighted(ages, ageWeights);
  const today = new Date(nowMs - dayMs);
  const lastBirthdayMs = Date.UTC(today.getUTCFullYear() - age, today.getUTCMonth(), today.getUTCDate());
  return {
    id: idOf(index),
    age,
    bornMs: lastBirthdayMs - draw.integer(365) * dayMs,
    // tenure is the time since enrolment, where the predecessor drew the two apart
    enrolledMs: nowMs - dayMs - Math.floor(exponential(draw, 1095)) * dayMs,
    gender: draw.weighted(['M', 'F', 'O'], [0.48, 0.5, 0.02]),
    region: draw.choice(regions),
    plan: draw.weighted(plans, [0.25, 0.35, 0.2, 0.1, 0.1]),
    income: draw.weighted(incomes, [0.1, 0.2, 0.25, 0.2, 0.15, 0.1]),
    familySize: draw.weighted([1, 2, 3, 4, 5, 6], [0.25, 0.3, 0.2, 0.15, 0.07, 0.03]),
    riskHundredths: Math.round(10_000 * beta(draw, 2, 5)),
    chronicConditions: chronicConditions(draw, age),
    random,
  };
}

export const regions = ['Northeast', 'Southeast', 'Midwest', 'Southwest', 'West'] as const;
export const plans = ['HMO', 'PPO', 'EPO', 'HDHP', 'POS'] as const;
const incomes = ['<30K', '30K-50K', '50K-75K', '75K-100K', '100K-150K', '>150K'] as const;

const ages = Array.from({ length: 67 }, (_, i) => 18 + i);
const ageWeights = ages.map((age) => (age < 26 ? 0.8 : age < 35 ? 1.2 : age < 50 ? 1.5 : age < 65 ? 1.3 : 0.7));

/** Five trials, the chance halved after each. */
function chronicConditions(draw: Random, age: number): number {
  let chance = Math.min(0.1 + (age - 30) / 200, 0.5);
  let found = 0;
  for (let trial = 0; trial < 5; trial++, chance /= 2) if (draw.uniform() < chance) found++;
  return found;
}

/** Whole years from birth to a time. */
export function ageAt(bornMs: number, atMs: number): number {
  const [born, at] = [new Date(bornMs), new Date(atMs)];
  const years = at.getUTCFullYear() - born.getUTCFullYear();
  const birthdayMs = Date.UTC(at.getUTCFullYear(), born.getUTCMonth(), born.getUTCDate());
  return birthdayMs > atMs ? years - 1 : years;
}

/** Whether rosters and statements of a time tell of the member: enrolled by then, and an adult. */
export function isListed({ enrolledMs, bornMs }: Member, atMs: number): boolean {
  return enrolledMs <= atMs && ageAt(bornMs, atMs) >= 18;
}

/** Months of membership as the roster tells them: at least 1, at most 240. */
export function tenureAt(enrolledMs: number, atMs: number): number {
  return Math.min(240, Math.max(1, Math.floor((atMs - enrolledMs) / (30.4375 * dayMs))));
}

/**
 * Index → member id, each index below 2³² another one: a Feistel network of four rounds (Luby and Rackoff, "How to construct
 * pseudorandom permutations from pseudorandom functions", 1988) over two halves of 16 bits, keyed by the seed's hash. Not for secrets.
 */
export function memberIds(seed: number | string): (index: number) => string {
  const rounds = [0, 1, 2, 3].map((round) =>
    createHash('sha256').update(`member id/${seed}/${round}`).digest().readInt32LE(0),
  );
  return (index) => {
    let left = index >>> 16;
    let right = index & 0xffff;
    for (const key of rounds) [left, right] = [right, left ^ (mixed(right ^ key) & 0xffff)];
    return `MBR_${((left * 0x10000 + right) >>> 0).toString(16).padStart(8, '0')}`;
  };
}

/** The finaliser of MurmurHash3: every bit of the input changes half of the output's. */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
