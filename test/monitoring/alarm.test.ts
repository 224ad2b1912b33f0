import { describe, expect, test } from 'vitest';
import { random } from '../../src/ml/random.ts';
import { decideAlarm, type WindowVerdict } from '../../src/monitoring/alarm.ts';

/** `d` drifted, `c` drifted critically, `.` stable, `?` too few rows, `b` bad data; oldest first. */
const historyOf = (signs: string): WindowVerdict[] =>
  Array.from(signs, (sign, i) => ({
    window: `month ${i + 1}`,
    kind: sign === '?' ? 'insufficient-data' : sign === 'b' ? 'bad-data' : sign === '.' ? 'stable' : 'population-shift',
    severity: sign === 'c' ? 'CRITICAL' : sign === '.' ? 'NONE' : 'HIGH',
    driftDetected: sign === 'd' || sign === 'c',
  }));

describe('an alarm by two of three windows', () => {
  test.each([
    ['dd', true],
    ['d.d', true],
    ['.dd', true],
    ['..d', false],
    ['d..d', false],
    ['dd.', false],
    ['d?d', true],
    ['d?b.?d', true],
    ['d?..', false],
    ['..c', true],
    ['c..', false],
    ['', false],
    ['???', false],
  ])('after %s is raised: %s', (signs, raised) => {
    expect(decideAlarm(historyOf(signs)).raised).toBe(raised);
  });

  test('says which windows drifted and why', () => {
    expect(decideAlarm(historyOf('..d?d'))).toEqual({
      raised: true,
      drifted: ['month 3', 'month 5'],
      judged: ['month 2', 'month 3', 'month 5'],
      reason: '2 of the last 3 judged windows drifted; 2 of 3 are an alarm.',
    });
    expect(decideAlarm(historyOf('d')).reason).toBe('1 of the last 1 judged window drifted; an alarm needs 2 of 3.');
    expect(decideAlarm(historyOf('dd.')).reason).toContain('but not the last one');
    expect(decideAlarm(historyOf('..c')).reason).toContain('does not wait for a second');
    expect(decideAlarm([]).reason).toBe('No window could be judged yet.');
  });

  test('another rule can be declared, an impossible one is refused', () => {
    expect(decideAlarm(historyOf('dd'), { needed: 3, of: 5 }).raised).toBe(false);
    expect(decideAlarm(historyOf('d.d.d'), { needed: 3, of: 5 }).raised).toBe(true);
    expect(() => decideAlarm([], { needed: 4, of: 3 })).toThrow('the rule says 4 of 3');
  });

  test('errs in 5 % of the years where single looks at 5 % err in 46 %, and follows a drift a month later', () => {
    const draw = random('alarms');
    const runs = 4_000;
    let single = 0;
    let ruled = 0;
    for (let run = 0; run < runs; run++) {
      const signs = Array.from({ length: 12 }, () => (draw.uniform() < 0.05 ? 'd' : '.'));
      if (signs.includes('d')) single++;
      if (signs.some((_, month) => decideAlarm(historyOf(signs.slice(0, month + 1).join(''))).raised)) ruled++;
    }
    expect(Math.abs(single / runs - 0.46)).toBeLessThan(0.03);
    expect(Math.abs(ruled / runs - 0.05)).toBeLessThan(0.015);
    expect(decideAlarm(historyOf('.....d')).raised).toBe(false);
    expect(decideAlarm(historyOf('.....dd')).raised).toBe(true);
  });
});
