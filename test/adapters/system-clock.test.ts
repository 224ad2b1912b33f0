import { expect, test } from 'vitest';
import { SystemClock } from '../../src/adapters/embedded/system-clock.ts';
import { RandomIds } from '../../src/adapters/embedded/random-ids.ts';

test('a sleep that is aborted rejects with the reason given', async () => {
  const controller = new AbortController();
  const sleeping = new SystemClock().sleep(3_600_000, controller.signal);
  controller.abort(new Error('the run was stopped'));
  await expect(sleeping).rejects.toThrow('the run was stopped');
});

test('time does not run backwards over a sleep', async () => {
  const clock = new SystemClock();
  const before = clock.nowMs();
  await clock.sleep(2);
  expect(clock.nowMs()).toBeGreaterThanOrEqual(before);
});

test('ids are UUIDs and do not repeat', () => {
  const ids = new RandomIds();
  const made = Array.from({ length: 1000 }, () => ids.next());
  expect(new Set(made).size).toBe(1000);
  expect(made[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
