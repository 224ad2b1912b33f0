import type { Json } from '../data/json.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { EventOrigin, HistoryEvent } from './history.ts';
import type { MapObjects } from './objects.ts';
import type { Progress } from './progress.ts';
import type { TaskRunner } from './tasks.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/**
 * An execution with everything that was recorded of it, as plain JSON: written out after any event and read back, it can
 * be redriven by another process.
 */
export type Execution = {
  name: string;
  arn: string;
  stateMachineArn: string;
  roleArn: string;
  definition: Json;
  status: ExecutionStatus;
  input: Json;
  output?: Json;
  error?: string;
  cause?: string;
  startMs: number;
  stopMs?: number;
  redriveCount: number;
  redriveMs?: number;
  history: HistoryEvent[];
  progress: Progress;
};

export type ExecuteOptions = {
  clock: Clock;
  ids: Ids;
  /** Numbers in [0, 1), for jitter, `$random` and `$shuffle`. */
  random: () => number;
  tasks: TaskRunner;
  /** What a distributed Map with an ItemReader or a ResultWriter needs. */
  objects?: MapObjects;
  /** Told of every event as it is recorded, those of child executions too; `execution` is live: copy what is to be kept. */
  onEvent?: (event: HistoryEvent, origin: EventOrigin, execution: Execution) => void;
  /** Aborting it stops the execution, as StopExecution does. */
  signal?: AbortSignal;
};

/** What a new execution is called; every part has a local default. */
export type ExecutionNames = {
  /** @default - a fresh id */
  name?: string;
  /** @default - the machine `machine` of the region `local`, account 000000000000 */
  stateMachineArn?: string;
  /** @default - the role `machine` of that account */
  roleArn?: string;
};
