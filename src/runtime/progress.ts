import type { Execution } from '../asl/execution.ts';
import type { EventOrigin, HistoryEvent } from '../asl/history.ts';

/** What an onlooker is told while machines run: names, counts and times, nothing of the data. */
export type Progress =
  | { kind: 'event'; detailType: string; starts: readonly string[] }
  | { kind: 'undelivered'; detailType: string; tries: number }
  | { kind: 'schedule'; name: string; scheduledMs: number }
  | { kind: 'state-entered'; machine: string; state: string }
  | { kind: 'item-ended'; machine: string; state: string; ended: number; total: number }
  | { kind: 'state-exited'; machine: string; state: string; milliseconds: number }
  | { kind: 'machine-ended'; machine: string; status: string; milliseconds: number; error?: string };

/**
 * Turns the events of one execution into progress, of the states that do or await something: those that only route are no
 * news. An item is a child execution of a distributed Map; `onFirst` is told of
 * the live execution with its first event.
 */
export function progressOf(
  machine: string,
  tell: (progress: Progress) => void,
  onFirst: (execution: Execution) => void,
): (event: HistoryEvent, origin: EventOrigin, execution: Execution) => void {
  let entered = { state: '', timeMs: 0 };
  let items = { ended: 0, total: 0 };
  return (event, origin, execution) => {
    if (event.id === 1) onFirst(execution);
    if (origin.executionArn !== execution.arn) {
      if (!/^Execution(Succeeded|Failed|Aborted|TimedOut)$/.test(event.type)) return;
      items = { ...items, ended: items.ended + 1 };
      tell({ kind: 'item-ended', machine, state: entered.state, ...items });
    } else if (/^(Task|Map|Parallel|Wait)StateEntered$/.test(event.type)) {
      entered = { state: origin.state ?? '', timeMs: event.timestamp };
      items = { ended: 0, total: 0 };
      tell({ kind: 'state-entered', machine, state: entered.state });
    } else if (event.type === 'MapStateStarted') {
      items = { ended: 0, total: (event['mapStateStartedEventDetails'] as { length: number }).length };
    } else if (/^(Task|Map|Parallel|Wait)StateExited$/.test(event.type)) {
      tell({ kind: 'state-exited', machine, state: entered.state, milliseconds: event.timestamp - entered.timeMs });
    }
  };
}
