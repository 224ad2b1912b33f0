import { describe, expect, test } from 'vitest';
import { firingsBetween } from '../../src/runtime/schedules.ts';
import type { Schedule } from '../../src/triggers.ts';

const schedule = (cron: string, timeZone: string): Schedule => ({
  name: 'daily',
  cron,
  timeZone,
  starts: 'score',
  input: { useCase: 'x', cause: 'schedule' },
});

const times = (cron: string, timeZone: string, from: string, to: string) =>
  firingsBetween([schedule(cron, timeZone)], Date.parse(from), Date.parse(to)).map((firing) =>
    new Date(firing.scheduledMs).toISOString(),
  );

describe('firings of a schedule', () => {
  test('the lower bound is excluded and the upper included, so that adjoining spans fire each time once', () => {
    expect(times('0 2 * * *', 'UTC', '2026-01-01T02:00Z', '2026-01-02T02:00Z')).toEqual(['2026-01-02T02:00:00.000Z']);
  });

  test('a time zone moves with daylight saving', () => {
    expect(times('0 19 * * *', 'Europe/London', '2026-03-28T00:00Z', '2026-03-30T00:00Z')).toEqual([
      '2026-03-28T19:00:00.000Z',
      '2026-03-29T18:00:00.000Z',
    ]);
  });

  test('an hour that daylight saving skips is skipped', () => {
    expect(times('30 1 * * *', 'Europe/London', '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  test('an hour that daylight saving repeats fires once', () => {
    expect(times('30 1 * * *', 'Europe/London', '2026-10-24T12:00Z', '2026-10-25T12:00Z')).toHaveLength(1);
  });

  test('13. ten years in five zones fire once on every day that has the hour', () => {
    for (const zone of ['UTC', 'Europe/London', 'America/New_York', 'Australia/Sydney', 'Asia/Kolkata']) {
      const days = times('0 12 * * *', zone, '2026-01-01T00:00Z', '2036-01-01T00:00Z').map((at) =>
        new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(new Date(at)),
      );
      expect(new Set(days).size).toBe(days.length);
      expect(days.length).toBeGreaterThanOrEqual(3651);
    }
  });

  test('a month is retrained on its first day', () => {
    expect(times('0 0 1 * *', 'UTC', '2026-01-31T00:00Z', '2026-03-15T00:00Z')).toEqual([
      '2026-02-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
    ]);
  });

  test('several schedules fire in the order of time', () => {
    const both = [schedule('0 6 * * *', 'UTC'), { ...schedule('0 2 * * *', 'UTC'), name: 'early' }];
    const fired = firingsBetween(both, Date.parse('2026-01-01T00:00Z'), Date.parse('2026-01-02T00:00Z'));
    expect(fired.map((firing) => firing.schedule.name)).toEqual(['early', 'daily']);
  });
});
