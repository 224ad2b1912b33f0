import type { Json } from '../data/json.ts';
import { LaneAborted, StateFailure } from './errors.ts';
import type { Lane } from './lane.ts';

/**
 * Resolves as the work does unless its time or its heartbeats run out first, which throws States.Timeout as a
 * `StateFailure`, or the lane is cut off. The work's signal is aborted as soon as its result is not wanted any more.
 */
export async function beforeDeadlines(
  lane: Lane,
  { timeoutSeconds, heartbeatSeconds }: { timeoutSeconds: number | undefined; heartbeatSeconds: number | undefined },
  work: (signal: AbortSignal, beat: () => void) => Promise<Json>,
): Promise<Json> {
  const { clock } = lane.scope;
  const over = new AbortController();
  const signal = AbortSignal.any([lane.signal, over.signal]);
  signal.throwIfAborted();

  let lastBeatMs = clock.nowMs();
  const running = (async () => work(signal, () => (lastBeatMs = clock.nowMs())))();
  const cutOff = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const timeOut = async (seconds: number): Promise<never> => {
    await clock.sleep(seconds * 1000, signal);
    throw new StateFailure('States.Timeout');
  };
  const missBeat = async (seconds: number): Promise<never> => {
    for (let restMs = seconds * 1000; restMs > 0; restMs = lastBeatMs + seconds * 1000 - clock.nowMs()) {
      await clock.sleep(restMs, signal);
    }
    throw new StateFailure('States.Timeout', undefined, 'States.HeartbeatTimeout');
  };
  try {
    return await Promise.race([
      running,
      cutOff,
      ...(timeoutSeconds === undefined ? [] : [timeOut(timeoutSeconds)]),
      ...(heartbeatSeconds === undefined ? [] : [missBeat(heartbeatSeconds)]),
    ]);
  } finally {
    over.abort(new LaneAborted('the task is over'));
  }
}
