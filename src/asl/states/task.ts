import type { Json } from '../../data/json.ts';
import { attempting, readAttempts } from '../attempts.ts';
import { readGiven, readPassing } from '../dataflow.ts';
import type { Given } from '../dataflow.ts';
import { beforeDeadlines } from '../deadlines.ts';
import { failureDetails, StateFailure, TaskError, tooLarge } from '../errors.ts';
import { inputDetails, outputDetails } from '../history.ts';
import { integerOf } from '../integers.ts';
import { readIntegration, wrongParameters } from '../integrations.ts';
import type { Integration } from '../integrations.ts';
import { StateProblem } from '../lane.ts';
import type { Lane } from '../lane.ts';
import { withinPayloadLimit } from '../limits.ts';
import { present } from '../present.ts';
import { arnParts } from '../scope.ts';
import { targetsOf } from '../state-fields.ts';
import type { State, StateFields } from '../state-fields.ts';
import type { TaskCall } from '../tasks.ts';
import type { Template } from '../template.ts';

type Task = {
  integration: Integration;
  given: Given;
  timeout: Template | undefined;
  heartbeat: Template | undefined;
};

/** Task: has its work done by the task runner. */
export function readTask(state: StateFields): State {
  const { fields } = state;
  const task: Task = {
    integration: readResource(state),
    given: readGiven(state, ['InputPath', 'Parameters']),
    timeout: state.integer('TimeoutSeconds', 1),
    heartbeat: state.integer('HeartbeatSeconds', 1),
  };
  checkHeartbeat(state);
  const passing = readPassing(state, ['result'], ['ResultSelector', 'ResultPath', 'OutputPath']);
  const attempts = readAttempts(state);
  const { next } = state.next();
  return {
    type: 'Task',
    targets: [...targetsOf(fields, next), ...attempts.targets],
    ends: next === undefined,
    run: (lane) =>
      attempting(lane, 'Task', attempts, async (attempt) => {
        if (lane.progress.result === undefined) await callTask(lane, task, attempt);
        await lane.step(async () => {
          const result = lane.progress.result?.value ?? null;
          lane.exit('Task', await passing(lane, result, { result }), next);
        });
      }),
  };
}

function readResource({ fields, language }: StateFields): Integration {
  const resource = fields.requiredText('Resource');
  const { integration, problem } = readIntegration(resource ?? '');
  if (resource !== undefined && problem !== undefined) fields.refuse('Resource', problem);

  const name = language === 'JSONata' ? 'Arguments' : 'Parameters';
  const given = fields.take(name) ?? {};
  const { unknown, missing } = wrongParameters(integration, given);
  for (const parameter of unknown) {
    fields.refuseIn(name, parameter, `The field "${parameter}" is not supported by Step Functions`);
  }
  for (const parameter of missing) {
    fields.refuse(name, `The field "${parameter}" is required but was missing`);
  }
  return integration;
}

function checkHeartbeat({ fields }: StateFields): void {
  const timeout = fields.take('TimeoutSeconds');
  const heartbeat = fields.take('HeartbeatSeconds');
  if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) {
    fields.refuse('HeartbeatSeconds', `HeartbeatSeconds must be smaller than TimeoutSeconds, ${timeout}.`);
  }
}

/** Schedules the task, has it done and keeps its result. Throws `StateFailure` where it failed. */
async function callTask(lane: Lane, { integration, given, timeout, heartbeat }: Task, attempt: number): Promise<void> {
  const { scope, progress } = lane;
  const stateName = progress.state;
  const holder = integration.event === undefined ? integration.resource : stateName;
  const record = (kind: string, details?: { [key: string]: Json }) => recordTask(lane, integration, kind, details);

  const scheduled = await lane.step(async () => {
    if (integration.waitsForToken) lane.taskToken = scope.ids.next();
    lane.enter('Task');
    const parameters = await given(lane, {});
    await lane.guard(() => refuseWrongParameters(integration, parameters));
    const timeoutSeconds = timeout && (await integerOf(lane, timeout, 'TimeoutSeconds'));
    const heartbeatSeconds = heartbeat && (await integerOf(lane, heartbeat, 'HeartbeatSeconds'));
    const text = JSON.stringify(parameters);
    lane.limit(text, holder);
    recordScheduled(lane, integration, text, timeoutSeconds, heartbeatSeconds);
    return { text, timeoutSeconds, heartbeatSeconds };
  });
  await lane.step(() => record('Started'));

  const submissions: Promise<void>[] = [];
  const work = (signal: AbortSignal, beat: () => void) =>
    scope.tasks({
      stateName,
      resource: integration.resource,
      // A copy: the runner may do with it what it likes.
      arguments: JSON.parse(scheduled.text) as Json,
      attempt,
      ...(lane.taskToken === undefined ? {} : { taskToken: lane.taskToken }),
      context: lane.context(),
      executionArn: scope.arn,
      signal,
      heartbeat: beat,
      submitted(answer) {
        if (signal.aborted) return;
        const submission = lane.step(() => record('Submitted', outputDetails(JSON.stringify(answer))));
        submissions.push(submission);
        // Awaited below; an earlier end of the task must not leave it unhandled.
        submission.catch(() => undefined);
      },
    } satisfies TaskCall);
  const ended = await settle(() => beforeDeadlines(lane, scheduled, work), holder);
  await Promise.all(submissions);

  await lane.step(() => {
    if (ended.text !== undefined) {
      progress.result = { value: JSON.parse(ended.text) as Json };
      record('Succeeded', outputDetails(ended.text));
      return;
    }
    record(ended.timedOut ? 'TimedOut' : 'Failed', failureDetails(ended.failure));
    throw ended.failure;
  });
}

type Ended = { text: string } | { text?: undefined; failure: StateFailure; timedOut: boolean };

/** How the work ended: with the JSON text of its result or a failure. Errors that are neither pass through. */
async function settle(work: () => Promise<Json>, holder: string): Promise<Ended> {
  try {
    // A runner of JavaScript may well return nothing, which is no JSON.
    const text = JSON.stringify((await work()) ?? null);
    if (withinPayloadLimit(text)) return { text };
    return { failure: tooLarge(holder), timedOut: false };
  } catch (error) {
    if (error instanceof TaskError) return { failure: new StateFailure(error.error, error.cause), timedOut: false };
    if (error instanceof StateFailure) return { failure: error, timedOut: true };
    throw error;
  }
}

function refuseWrongParameters(integration: Integration, given: Json): void {
  const { unknown, missing } = wrongParameters(integration, given);
  const problems = [
    ...unknown.map((name) => `The field "${name}" is not supported by Step Functions`),
    ...missing.map((name) => `The field "${name}" is required but was missing`),
  ];
  if (problems.length === 0) return;
  const words = `The Parameters '${JSON.stringify(given)}' could not be used to start the Task: [${problems.join(', ')}]`;
  throw new StateProblem('States.Runtime', words);
}

function recordScheduled(
  lane: Lane,
  { event, resource }: Integration,
  text: string,
  timeoutSeconds: number | undefined,
  heartbeatSeconds: number | undefined,
): void {
  const limits = { timeoutInSeconds: timeoutSeconds, heartbeatInSeconds: heartbeatSeconds };
  if (event === undefined) {
    lane.record('LambdaFunctionScheduled', present({ ...inputDetails(text), resource, ...limits }));
    return;
  }
  const { region } = arnParts(lane.scope.stateMachineArn);
  lane.record('TaskScheduled', present({ parameters: text, region, ...event, ...limits }));
}

function recordTask(lane: Lane, { event }: Integration, kind: string, details?: { [key: string]: Json }): void {
  if (event === undefined) lane.record(`LambdaFunction${kind}`, details);
  else lane.record(`Task${kind}`, { ...details, ...event });
}
