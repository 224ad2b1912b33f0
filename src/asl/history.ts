import type { Json } from '../data/json.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordedEvent } from '../ports/executions.ts';
import { HistoryFull } from './errors.ts';
import { historyLimitEvents } from './limits.ts';

/** One event, in the shape of AWS's GetExecutionHistory; `timestamp` is milliseconds since 1970. */
export type HistoryEvent = RecordedEvent;

/** A Map iteration, Map Run child or Parallel branch that surrounds an event: number `index` of `of`. */
export type Surrounding = { state: string; index: number; of: number };

/** Whose event it is: the execution, the state (none for the execution's own events) and what surrounds it, outermost first. */
export type EventOrigin = {
  executionName: string;
  executionArn: string;
  state: string | undefined;
  within: readonly Surrounding[];
};

const endings = new Set(['ExecutionSucceeded', 'ExecutionFailed', 'ExecutionTimedOut', 'ExecutionAborted']);

/** Numbers and stamps the events of one execution and hands them on. */
export class Recorder {
  #lastId: number;
  readonly #clock: Clock;
  readonly #publish: (event: HistoryEvent, origin: Pick<EventOrigin, 'state' | 'within'>) => void;

  /** `lastId` is the id of the last event that is recorded already, 0 for none. */
  constructor(
    lastId: number,
    clock: Clock,
    publish: (event: HistoryEvent, origin: Pick<EventOrigin, 'state' | 'within'>) => void,
  ) {
    this.#lastId = lastId;
    this.#clock = clock;
    this.#publish = publish;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Returns the event's id. Throws `HistoryFull` where only the event that ends the execution still has a place. */
  append(
    type: string,
    previousEventId: number,
    details: { [key: string]: Json } | undefined,
    origin: Pick<EventOrigin, 'state' | 'within'>,
  ): number {
    const id = this.#lastId + 1;
    if (id >= historyLimitEvents && !endings.has(type)) throw new HistoryFull('the history is full');
    this.#lastId = id;
    const event = { id, previousEventId, type, timestamp: this.#clock.nowMs() };
    this.#publish(details === undefined ? event : { ...event, [detailsField(type)]: details }, origin);
    return id;
  }
}

/** The field of an event that holds what is particular to its type. */
function detailsField(type: string): string {
  if (type.endsWith('StateEntered')) return 'stateEnteredEventDetails';
  if (type.endsWith('StateExited')) return 'stateExitedEventDetails';
  return `${type[0].toLowerCase()}${type.slice(1)}EventDetails`;
}

/** A value as an event tells it: JSON text, never truncated. */
export const inputDetails = (text: string) => ({ input: text, inputDetails: { truncated: false } });
export const outputDetails = (text: string) => ({ output: text, outputDetails: { truncated: false } });
