import type { Json } from '../data/json.ts';
import type { Variables } from './jsonata.ts';

/**
 * How far a sequence of states has come, as plain JSON: all that is needed to go on with it elsewhere. It always says
 * what the events recorded so far say, so that a copy taken after any event can be continued.
 */
export type Progress = {
  /** The state to be run now and its input; kept as they were when the sequence ended. */
  state: string;
  input: Json;
  /** Set once the state's entry is recorded. */
  entered?: { eventId: number; timeMs: number };
  /** What was assigned in this sequence; what surrounds it is not repeated here. */
  variables: Variables;
  /** A Task's result, recorded as succeeded but not yet passed on. */
  result?: { value: Json };
  /** How far the branches, iterations or child executions of this state have come. */
  inner?: BranchesProgress | IterationsProgress | MapRunProgress;
  /** Set once the sequence has ended well. */
  output?: { value: Json };
};

export type BranchesProgress = { kind: 'branches'; branches: Progress[] };

/** `iterations` has holes, null, where an iteration has not begun. */
export type IterationsProgress = { kind: 'iterations'; items: Json[]; iterations: (Progress | null)[] };

export type MapRunProgress = {
  kind: 'mapRun';
  arn: string;
  redriveCount: number;
  /** The items of the definition or the state's input, until they have become child executions. */
  items?: Json[];
  /** The child executions, one for each item or batch; undefined until the items are read. */
  children?: ChildExecution[];
};

/** One child execution of a Map Run. `itemCount` is the number of items in its input. */
export type ChildExecution = {
  name: string;
  arn: string;
  status: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  input: Json;
  itemCount: number;
  output?: Json;
  error?: string;
  cause?: string;
  startMs?: number;
  stopMs?: number;
  redriveCount: number;
  /** How many events its history has; they are told to `onEvent` and not kept. */
  events: number;
  progress?: Progress;
};

/** The beginning of a sequence of states. */
export const beginning = (startAt: string, input: Json): Progress => ({ state: startAt, input, variables: {} });
