import { describe, expect, test } from 'vitest';
import { SteppedClock } from '../../src/adapters/embedded/stepped-clock.ts';

/** A clock, and what happened on it with the time. */
function observed() {
  const clock = new SteppedClock(1000);
  const happened: string[] = [];
  const sleep = async (name: string, milliseconds: number, signal?: AbortSignal) => {
    await clock.sleep(milliseconds, signal);
    happened.push(`${name} ${clock.nowMs()}`);
  };
  return { clock, happened, sleep };
}

describe('a stepped clock', () => {
  test('wakes sleepers in the order of time, those of one instant in the order in which they fell asleep', async () => {
    const { happened, sleep } = observed();
    await Promise.all([sleep('c', 30), sleep('a', 10), sleep('b', 20), sleep('d', 30), sleep('first', 0)]);
    expect(happened).toEqual(['first 1000', 'a 1010', 'b 1020', 'c 1030', 'd 1030']);
  });

  test('lets nothing wake before what the last one woke has gone to sleep again', async () => {
    const { happened, sleep } = observed();
    const twice = async () => {
      await sleep('one', 10);
      await sleep('two', 10);
    };
    await Promise.all([twice(), sleep('between', 15), sleep('after', 25)]);
    expect(happened).toEqual(['one 1010', 'between 1015', 'two 1020', 'after 1025']);
  });

  test('stands still while it is held', async () => {
    const { clock, happened, sleep } = observed();
    const release = clock.hold();
    const asleep = sleep('a', 10);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect({ happened: [...happened], nowMs: clock.nowMs() }).toEqual({ happened: [], nowMs: 1000 });
    release();
    release();
    await asleep;
    expect(happened).toEqual(['a 1010']);
  });

  test('forgets a sleeper whose signal aborts: time does not pass for it', async () => {
    const { clock, sleep } = observed();
    const stop = new AbortController();
    const asleep = sleep('a', 1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(asleep).rejects.toThrow('enough');
    await expect(clock.sleep(1, stop.signal)).rejects.toThrow('enough');
    await clock.sleep(10);
    expect(clock.nowMs()).toBe(1010);
  });
});
