import type { Json } from '../data/json.ts';

/** One event of an execution's history, in the shape of AWS's `GetExecutionHistory`; `timestamp` is milliseconds. */
export type RecordedEvent = {
  id: number;
  previousEventId: number;
  type: string;
  timestamp: number;
  [details: string]: Json | undefined;
};

/** Reads what the workflow engine recorded of an execution, running or ended. */
export interface Executions {
  /** The events so far, in order; undefined where the engine knows no such execution. */
  history(executionArn: string): Promise<RecordedEvent[] | undefined>;
}
