import type { Json } from '../data/json.ts';
import { LaneAborted, StateFailure } from './errors.ts';
import type { Lane } from './lane.ts';

// One for all: an error of its own for each task would cost more than the rest.
const over = new LaneAborted('the task is over');

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
  const controller = new AbortController();
  const { signal } = controller;
  lane.signal.throwIfAborted();

  let lastBeatMs = clock.nowMs();
  const running = (async () => work(signal, () => (lastBeatMs = clock.nowMs())))();
  let cut = (): void => undefined;
  const cutOff = new Promise<never>((_, reject) => {
    cut = () => {
      controller.abort(lane.signal.reason);
      reject(lane.signal.reason as Error);
    };
    lane.signal.addEventListener('abort', cut);
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
    lane.signal.removeEventListener('abort', cut);
    controller.abort(over);
  }
}
