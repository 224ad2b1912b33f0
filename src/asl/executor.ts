import type { Json } from '../data/json.ts';
import { InvalidExecutionInput, NotRedrivable } from './errors.ts';
import type { ExecuteOptions, Execution, ExecutionNames } from './execution.ts';
import { Lane } from './lane.ts';
import { historyLimitEvents, payloadLimitBytes, withinPayloadLimit } from './limits.ts';
import { parseMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { beginning } from './progress.ts';
import { ExecutionStopped, runToEnd } from './run-to-end.ts';
import { arnParts, openScope } from './scope.ts';
import type { Surroundings } from './scope.ts';
import { Turns } from './turns.ts';

/**
 * Executes a machine to its end; the status says how it ended. Throws `InvalidExecutionInput` for an input that
 * StartExecution would refuse, and whatever the task runner throws that is no `TaskError`.
 */
export async function execute(
  machine: Machine,
  input: Json,
  {
    name,
    stateMachineArn = 'arn:aws:states:local:000000000000:stateMachine:machine',
    roleArn,
    ...options
  }: ExecuteOptions & ExecutionNames,
): Promise<Execution> {
  if (!withinPayloadLimit(JSON.stringify(input))) {
    throw new InvalidExecutionInput(
      `the input is larger than ${payloadLimitBytes} bytes; hand on a reference to the data instead`,
    );
  }
  const machineParts = arnParts(stateMachineArn);
  const executionName = name ?? options.ids.next();
  const execution: Execution = {
    name: executionName,
    arn: `${machineParts.prefix}:execution:${machineParts.name}:${executionName}`,
    stateMachineArn,
    roleArn: roleArn ?? `arn:aws:iam::${machineParts.account}:role/${machineParts.name}`,
    definition: machine.definition,
    status: 'RUNNING',
    input,
    startMs: options.clock.nowMs(),
    redriveCount: 0,
    history: [],
    progress: beginning(machine.flow.startAt, input),
  };
  return run(machine, execution, options);
}

/**
 * Goes on with an execution that failed, timed out, was stopped, or whose process ended while it ran. States, branches,
 * iterations and child executions that ended well are not run again. The given execution stays as it is. Throws
 * `NotRedrivable` where it has succeeded or its history is full.
 */
export async function redrive(execution: Execution, options: ExecuteOptions): Promise<Execution> {
  if (execution.status === 'SUCCEEDED') throw new NotRedrivable(`the execution ${execution.name} has succeeded`);
  if (execution.history.length >= historyLimitEvents - 1) {
    throw new NotRedrivable(`the history of the execution ${execution.name} is full: start a new one`);
  }
  const { error: _error, cause: _cause, stopMs: _stopMs, ...kept } = structuredClone(execution);
  const redriveCount = kept.redriveCount + 1;
  const again: Execution = { ...kept, status: 'RUNNING', redriveCount, redriveMs: options.clock.nowMs() };
  return run(parseMachine(again.definition), again, options);
}

async function run(
  machine: Machine,
  execution: Execution,
  { clock, ids, random, tasks, objects, onEvent, signal }: ExecuteOptions,
): Promise<Execution> {
  const { history } = execution;
  const ended = new AbortController();
  const stop = new AbortController();
  const surroundings: Surroundings = {
    clock,
    ids,
    random,
    tasks,
    objects,
    turns: new Turns(),
    onEvent: (event, origin) => onEvent?.(event, origin, execution),
  };
  const lane = new Lane({
    scope: openScope(surroundings, execution, history.length, (event) => history.push(event)),
    progress: execution.progress,
    last: history.length,
    signal: stop.signal,
    within: [],
    outerVariables: {},
  });
  const abort = () => stop.abort(new ExecutionStopped('ABORTED'));
  signal?.addEventListener('abort', abort, { once: true, signal: ended.signal });
  if (signal?.aborted === true) abort();
  if (machine.timeoutSeconds !== undefined) {
    // Rejects only because the execution has ended.
    clock.sleep(machine.timeoutSeconds * 1000, ended.signal).then(
      () => stop.abort(new ExecutionStopped('TIMED_OUT')),
      () => undefined,
    );
  }
  try {
    await runToEnd(lane, machine.flow, execution.redriveCount, (end) =>
      Object.assign(execution, end, { stopMs: clock.nowMs() }),
    );
    return execution;
  } finally {
    ended.abort();
  }
}
