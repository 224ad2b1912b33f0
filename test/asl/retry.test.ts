import { describe, expect, test } from 'vitest';
import { matchesError, StateFailure } from '../../src/asl/errors.ts';
import { Retries, retryDelaySeconds } from '../../src/asl/retry.ts';
import type { Retrier } from '../../src/asl/retry.ts';
import type { Json } from '../../src/data/json.ts';
import { invoke, machineOf, run } from './run.ts';

const retrier = (rest: Partial<Retrier> = {}): Retrier => ({
  errorEquals: ['Flaky'],
  intervalSeconds: 1,
  maxAttempts: 3,
  backoffRate: 2,
  maxDelaySeconds: undefined,
  jitter: 'NONE',
  ...rest,
});
const flaky = new StateFailure('Flaky');
const delays = (retries: Retries, count: number) => Array.from({ length: count }, () => retries.next(flaky));

describe('the waits between attempts', () => {
  test('grow by BackoffRate from IntervalSeconds, as in the documentation: 3, 4.5, 6.75', () => {
    const steps = [0, 1, 2].map((retry) => retryDelaySeconds(retrier({ intervalSeconds: 3, backoffRate: 1.5 }), retry));
    expect(steps).toEqual([3, 4.5, 6.75]);
  });

  test('are capped by MaxDelaySeconds', () => {
    const capped = retrier({ intervalSeconds: 3, maxDelaySeconds: 5, maxAttempts: 4 });
    expect(delays(new Retries([capped], () => 0.5), 4)).toEqual([3, 5, 5, 5]);
  });

  test('under full jitter lie between nothing and the capped wait, as the injected chance says', () => {
    const jittered = retrier({ intervalSeconds: 4, maxDelaySeconds: 10, maxAttempts: 4, jitter: 'FULL' });
    const chances = [0, 0.25, 0.5, 0.75];
    const retries = new Retries([jittered], () => chances.shift() ?? 0);
    expect(delays(retries, 4)).toEqual([0, 2, 5, 7.5]);
  });

  test('end after MaxAttempts, three where it is left out, none where it is 0', () => {
    expect(delays(new Retries([retrier()], () => 0), 4)).toEqual([1, 2, 4, undefined]);
    expect(delays(new Retries([retrier({ maxAttempts: 0 })], () => 0), 1)).toEqual([undefined]);
  });

  test('are decided by the first retrier that matches, each counting its own attempts', () => {
    const retries = new Retries(
      [retrier({ maxAttempts: 1 }), retrier({ errorEquals: ['States.ALL'], intervalSeconds: 7, maxAttempts: 2 })],
      () => 0,
    );
    const other = new StateFailure('Other');
    expect([other, flaky, other, flaky, other].map((failure) => retries.next(failure))).toEqual([
      7,
      1,
      14,
      undefined,
      undefined,
    ]);
  });

  test('pass on the clock of the execution', async () => {
    const retry = [{ ErrorEquals: ['Flaky'], IntervalSeconds: 5, MaxAttempts: 2, JitterStrategy: 'FULL' }];
    const canned: Json = { Work: [{ throw: { error: 'Flaky' } }, { throw: { error: 'Flaky' } }, { return: 'done' }] };
    const { startMs, stopMs = 0, output } = await run(machineOf({ Work: invoke({ Retry: retry }) }), { canned });
    // Half of 5 seconds and half of 10, by the chance of 0.5.
    expect({ output, milliseconds: stopMs - startMs }).toEqual({ output: 'done', milliseconds: 7500 });
  });
});

describe('what an ErrorEquals matches', () => {
  test.each([
    ['its own name', ['Broken'], 'Broken', true],
    ['another name', ['Broken'], 'Other', false],
    ['any error, by States.ALL', ['States.ALL'], 'Broken', true],
    ['a timeout, by States.ALL', ['States.ALL'], 'States.Timeout', true],
    ['a failed evaluation, by States.ALL', ['States.ALL'], 'States.QueryEvaluationError', true],
    ['too much data, not by States.ALL', ['States.ALL'], 'States.DataLimitExceeded', false],
    ['a runtime error, not by States.ALL', ['States.ALL'], 'States.Runtime', false],
    ['too much data, by its name', ['States.DataLimitExceeded'], 'States.DataLimitExceeded', true],
    ['any failed task, by States.TaskFailed', ['States.TaskFailed'], 'Broken', true],
    ['a timeout, not by States.TaskFailed', ['States.TaskFailed'], 'States.Timeout', false],
  ])('%s', (_title, errorEquals, error, matches) => {
    expect(matchesError(errorEquals, new StateFailure(error))).toBe(matches);
  });

  test('a missed heartbeat by both of its names', () => {
    const missed = new StateFailure('States.Timeout', undefined, 'States.HeartbeatTimeout');
    expect(matchesError(['States.HeartbeatTimeout'], missed)).toBe(true);
    expect(matchesError(['States.Timeout'], missed)).toBe(true);
    expect(matchesError(['States.HeartbeatTimeout'], new StateFailure('States.Timeout'))).toBe(false);
  });
});
