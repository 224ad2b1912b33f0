import type { Json } from '../data/json.ts';
import { failureDetails, HistoryFull, StateFailure } from './errors.ts';
import { runFlow } from './flow.ts';
import { inputDetails, outputDetails } from './history.ts';
import type { Lane } from './lane.ts';
import { historyLimitEvents } from './limits.ts';
import type { Flow } from './state-fields.ts';

/** How an execution ended. */
export type End =
  | { status: 'SUCCEEDED'; output: Json }
  | { status: 'FAILED'; error?: string; cause?: string }
  | { status: 'TIMED_OUT' | 'ABORTED' };

/** The reason of a signal that ends an execution from outside. */
export class ExecutionStopped extends Error {
  override name = 'ExecutionStopped';
  readonly status: 'TIMED_OUT' | 'ABORTED';

  constructor(status: 'TIMED_OUT' | 'ABORTED') {
    super(status === 'TIMED_OUT' ? 'the execution took too long' : 'the execution was stopped');
    this.status = status;
  }
}

/**
 * Records that an execution begins, or goes on for the `redriveCount`th time, runs its states and records how it ended;
 * `conclude` learns of that just before the event. Errors that are no failures of the machine, such as a fault of the
 * task runner, pass through.
 */
export async function runToEnd(
  lane: Lane,
  flow: Flow,
  redriveCount: number,
  conclude: (end: End) => void,
): Promise<void> {
  await lane.scope.turns.take(() => recordBeginning(lane, redriveCount));
  const end = await endOf(lane, flow);
  await lane.scope.turns.take(() => {
    conclude(end);
    switch (end.status) {
      case 'SUCCEEDED':
        lane.recordOfExecution('ExecutionSucceeded', outputDetails(JSON.stringify(end.output)));
        break;
      case 'FAILED':
        lane.recordOfExecution('ExecutionFailed', failureDetails(end));
        break;
      case 'TIMED_OUT':
        lane.last = 0;
        lane.recordOfExecution('ExecutionTimedOut', { error: 'States.Timeout' });
        break;
      case 'ABORTED':
        lane.last = 0;
        lane.recordOfExecution('ExecutionAborted', {});
        break;
    }
  });
}

function recordBeginning(lane: Lane, redriveCount: number): void {
  if (redriveCount > 0) return lane.recordOfExecution('ExecutionRedriven', { redriveCount });
  const details = inputDetails(JSON.stringify(lane.progress.input));
  lane.recordOfExecution('ExecutionStarted', { ...details, roleArn: lane.scope.roleArn });
  // The first state follows no event.
  lane.last = 0;
}

async function endOf(lane: Lane, flow: Flow): Promise<End> {
  try {
    return { status: 'SUCCEEDED', output: await runFlow(lane, flow) };
  } catch (error) {
    if (error instanceof StateFailure) return { status: 'FAILED', ...failureDetails(error) };
    if (error instanceof ExecutionStopped) return { status: error.status };
    if (!(error instanceof HistoryFull)) throw error;
    lane.last = lane.scope.recorder.lastId;
    const cause = `The execution reached the maximum number of history events (${historyLimitEvents}).`;
    return { status: 'FAILED', error: 'States.Runtime', cause };
  }
}
