import type { Json } from '../../data/json.ts';
import type { RecordedEvent } from '../../ports/executions.ts';
import type { StateRun } from '../../report/facts.ts';

type OpenState = {
  name: string;
  enteredMs: number;
  attempts: number;
  failed: string | undefined;
  items: number | undefined;
};

/**
 * The states of one execution in the order they ran, from its history. States that only route (Pass, Choice, Succeed) are
 * left out: they say nothing that their neighbours do not. Of an error only the name is kept: a cause may quote data.
 */
export function stateRuns(history: readonly RecordedEvent[]): StateRun[] {
  const runs: StateRun[] = [];
  let open: OpenState | undefined;
  for (const event of history) {
    if (event.type.endsWith('StateEntered') && working.test(event.type)) {
      const name = details(event, 'stateEnteredEventDetails')['name'] as string;
      open = { name, enteredMs: event.timestamp, attempts: 0, failed: undefined, items: undefined };
    } else if (open && event.type.endsWith('StateExited') && working.test(event.type)) {
      runs.push(closed(open, event.timestamp, open.failed === undefined ? 'succeeded' : 'caught'));
      open = undefined;
    } else if (open && event.type === 'TaskScheduled') {
      open.attempts += 1;
      open.failed = undefined;
    } else if (open && event.type === 'MapStateStarted') {
      open.items = Number(details(event, 'mapStateStartedEventDetails')['length']);
    } else if (open && failure.test(event.type)) {
      open.failed = errorName(event);
    } else if (open && event.type === 'ExecutionFailed') {
      runs.push(closed(open, event.timestamp, 'failed'));
      open = undefined;
    }
  }
  if (open) runs.push({ name: open.name, status: 'running' });
  return runs;
}

/** When the first event happened, in milliseconds. */
export const startedMs = (history: readonly RecordedEvent[]): number => history[0].timestamp;

const working = /^(Task|Map|Parallel|Wait)/;
const failure =
  /^(TaskFailed|TaskTimedOut|TaskStartFailed|TaskSubmitFailed|MapRunFailed|MapStateFailed|MapStateAborted)$/;

function closed(state: OpenState, endedMs: number, status: StateRun['status']): StateRun {
  return {
    name: state.name,
    status,
    tookSeconds: (endedMs - state.enteredMs) / 1000,
    ...(state.attempts > 1 && { attempts: state.attempts }),
    ...(state.items !== undefined && { items: state.items }),
    ...(state.failed !== undefined && { error: state.failed }),
  };
}

function errorName(event: RecordedEvent): string {
  const key = Object.keys(event).find((name) => name.endsWith('EventDetails'));
  return ((key && details(event, key)['error']) ?? event.type) as string;
}

function details(event: RecordedEvent, name: string): { [key: string]: Json } {
  return (event[name] ?? {}) as { [key: string]: Json };
}
