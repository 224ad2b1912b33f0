import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type Tally,
  armOf,
  brokenGuard,
  judgeOutcomes,
  noTally,
  percentAt,
  planSchema,
} from '../../src/governance/experiment.ts';
import { usualPlan } from '../serving/plan.ts';
import { random } from '../../src/ml/random.ts';

const plan = usualPlan('a-salt-of-its-own');

describe('the split', () => {
  /** As the specification words it: the first four digits of the hexadecimal text. */
  const naive = (key: string, salt: string, percent: number) =>
    parseInt(
      createHash('sha256')
        .update(key + salt, 'utf8')
        .digest('hex')
        .slice(0, 4),
      16,
    ) %
      100 <
    percent
      ? 'challenger'
      : 'control';
  const keys = Array.from({ length: 20_000 }, (_, i) => `CLM-${i}`);

  test('is the one of the specification, for every key', () => {
    for (const key of keys.slice(0, 3000)) expect(armOf(key, 'pepper', 30)).toBe(naive(key, 'pepper', 30));
  });

  test('is sticky: a larger percent adds keys and takes none away; another salt splits anew', () => {
    const of = (percent: number, salt = 'pepper') =>
      new Set(keys.filter((key) => armOf(key, salt, percent) === 'challenger'));
    const [five, half] = [of(5), of(50)];
    expect([...five].every((key) => half.has(key))).toBe(true);
    // 5 % and 50 % of 20,000, each within five standard errors
    expect(Math.abs(five.size - 1000)).toBeLessThan(5 * Math.sqrt(950));
    expect(Math.abs(half.size - 10_000)).toBeLessThan(5 * Math.sqrt(5000));
    const other = of(50, 'salt');
    expect(Math.abs([...half].filter((key) => other.has(key)).length - 5000)).toBeLessThan(400);
    expect([of(0).size, of(100).size]).toEqual([0, keys.length]);
  });

  test('ramps in the declared steps, and the last one stays', () => {
    const started = {
      plan: {
        ...plan,
        steps: [
          { percent: 5, hours: 24 },
          { percent: 50, hours: 1 },
        ],
      },
      startedAtMs: 1000,
    };
    const hour = 3_600_000;
    expect([0, 24 * hour - 1, 24 * hour, 25 * hour, 1000 * hour].map((ms) => percentAt(started, 1000 + ms))).toEqual([
      5, 5, 50, 50, 50,
    ]);
  });
});

describe('a guard', () => {
  const good: Tally = { decisions: 1000, errors: 10, slow: 0, positive: 600 };

  test('is silent about arms that do alike, and about arms that have decided little', () => {
    expect(brokenGuard(plan, good, good)).toBeNull();
    expect(brokenGuard(plan, good, noTally)).toBeNull();
    expect(brokenGuard(plan, good, { decisions: 999, errors: 999, slow: 999, positive: 0 })).toBeNull();
  });

  test.each([
    [{ errors: 21 }, 'fails in 2.1 % of its decisions, control in 1.0 %'],
    [{ slow: 11 }, 'takes longer than 5 ms in 1.1 %'],
    [{ positive: 499 }, 'approves 49.9 %, control 60.0 %'],
    [{ positive: 701 }, 'approves 70.1 %, control 60.0 %'],
  ])('breaks at %o and says so with both figures', (change, text) => {
    expect(brokenGuard(plan, good, { ...good, ...change })).toContain(text);
  });

  test('is not broken by chance, though every decision is a look', () => {
    let broken: string | null = null;
    for (let seed = 0; seed < 60; seed++) {
      const draw = random(seed);
      const tallies = { control: { ...noTally }, challenger: { ...noTally } };
      for (let decision = 0; decision < 8000; decision++) {
        const tally = tallies[draw.uniform() < 0.5 ? 'control' : 'challenger'];
        tally.decisions += 1;
        tally.errors += Number(draw.uniform() < 0.002);
        tally.slow += Number(draw.uniform() < 0.003);
        tally.positive += Number(draw.uniform() < 0.6);
        broken ??= brokenGuard(plan, tallies.control, tallies.challenger);
      }
    }
    expect(broken).toBeNull();
  });

  test('lets the edge pass', () => {
    expect(brokenGuard(plan, good, { ...good, errors: 20, slow: 10, positive: 500 })).toBeNull();
  });
});

describe('the test of outcomes', () => {
  /** Thirty days of two arms with these chances of being right. */
  const days = (seed: number, control: number, challenger: number) => {
    const draw = random(seed);
    const count = (chance: number) => ({
      trials: 60,
      successes: Array.from({ length: 60 }, () => draw.uniform()).filter((u) => u < chance).length,
    });
    return Array.from({ length: 30 }, () => ({ reference: count(control), current: count(challenger) }));
  };
  const everSignificant = (looks: ReturnType<typeof days>) => judgeOutcomes(plan, looks).verdict !== 'open';

  test('looked at every day calls a difference that is not there in less than one of twenty experiments', () => {
    const runs = Array.from({ length: 100 }, (_, seed) => everSignificant(days(seed, 0.85, 0.85)));
    // 5 of 100 expected at most; 12 are beyond three standard errors
    expect(runs.filter(Boolean).length).toBeLessThan(12);
  });

  test('says which one is better', () => {
    expect(judgeOutcomes(plan, days(1, 0.75, 0.9)).verdict).toBe('challenger better');
    expect(judgeOutcomes(plan, days(1, 0.9, 0.75)).verdict).toBe('control better');
    expect(judgeOutcomes(plan, [])).toEqual({ verdict: 'open', test: null });
  });
});

test('a plan that would test nothing is refused', () => {
  expect(planSchema.safeParse(plan).success).toBe(true);
  for (const wrong of [
    { steps: [] },
    { salt: 'short' },
    { percent: 3 },
    { test: { significance: 1, effectLogOdds: 0.3 } },
  ]) {
    expect(planSchema.safeParse({ ...plan, ...wrong }).success).toBe(false);
  }
});
