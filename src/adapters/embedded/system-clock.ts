import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

/** The machine's own clock. */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    try {
      await delay(milliseconds, undefined, { signal });
    } catch (error) {
      // node wraps the reason into an AbortError; the port promises the reason itself
      if (signal?.aborted) throw signal.reason;
      throw error;
    }
  }
}
