import type { Clock } from '../../ports/clock.ts';
import { SystemClock } from './system-clock.ts';

/** The system's clock, some time away from it: it runs on by itself and can be set. */
export type MovedClock = Clock & { set: (nowMs: number) => void };

export function movedClock(nowMs: number): MovedClock {
  const system = new SystemClock();
  let offsetMs = nowMs - system.nowMs();
  return {
    nowMs: () => system.nowMs() + offsetMs,
    sleep: (milliseconds, signal) => system.sleep(milliseconds, signal),
    set: (to) => {
      offsetMs = to - system.nowMs();
    },
  };
}
