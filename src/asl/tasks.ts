import type { Json } from '../data/json.ts';

/** One attempt of a Task. */
export type TaskCall = {
  stateName: string;
  /** The integration and its pattern (`lambda:invoke`, `states:startExecution.sync:2`), or the ARN of a Lambda function. */
  resource: string;
  /** The evaluated Arguments; for a Lambda function's ARN its payload. */
  arguments: Json;
  /** 0 for the first attempt, n for the nth retry. */
  attempt: number;
  /** For `.waitForTaskToken`: whoever does the work ends the Task by it. */
  taskToken?: string;
  /** The machine's context object. */
  context: Json;
  executionArn: string;
  /** Aborted when the result is not wanted any more: timeout, missed heartbeat, a failed sibling, the end of the execution. */
  signal: AbortSignal;
  /** Puts off the end of HeartbeatSeconds. */
  heartbeat: () => void;
  /** For `.sync` and `.waitForTaskToken`: the request was accepted with this answer, the work goes on. */
  submitted: (answer: Json) => void;
};

/**
 * Does a Task's work and resolves to its result. Throws `TaskError` where the work fails, which Retry and Catch see;
 * any other error is a fault of the runner and ends `execute` with it.
 */
export type TaskRunner = (call: TaskCall) => Promise<Json>;
