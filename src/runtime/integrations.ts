import type { Json } from '../data/json.ts';
import { TaskError } from '../asl/errors.ts';
import type { TaskCall, TaskRunner } from '../asl/tasks.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { runStage } from '../stages/run.ts';
import { type StageName, type StageOutput, stages } from '../stages.ts';
import type { EventQueue } from './event-queue.ts';
import { giveBackMemory } from './give-back.ts';
import { functionArn } from './machines.ts';
import { stageFunctions } from './stages.ts';
import type { Turnstile } from './turnstile.ts';
import type { Workers } from './workers.ts';

/** What one execution has let the world know, for whoever started it. */
export type TaskWatch = { announced: string[]; reasons: string[]; failures: string[]; report: string | undefined };

type Surroundings = { ports: Ports; queue: EventQueue; workers: Workers; turnstile: Turnstile };

/** What stands behind the integrations of the product's machines on a laptop; results have the shape of AWS's. */
export function taskRunner(surroundings: Surroundings, watch: TaskWatch): TaskRunner {
  return async (call) => {
    const integration = integrations[call.resource];
    if (!integration) {
      throw new TaskError(
        'States.Runtime',
        `The integration ${call.resource} has nothing behind it on the embedded runtime; it works on AWS.`,
      );
    }
    return integration(call, surroundings, watch);
  };
}

type Integration = (call: TaskCall, surroundings: Surroundings, watch: TaskWatch) => Promise<Json>;

const integrations: { [resource: string]: Integration } = {
  'lambda:invoke': async ({ arguments: given }, { ports, workers, turnstile }, watch) => {
    const { FunctionName, Payload } = given as { FunctionName: string; Payload: Json };
    const name = FunctionName.slice(functionArn('').length) as StageName;
    try {
      const output = await ('heavy' in stages[name]
        ? workers.run(name, Payload, ports.clock.nowMs())
        : turnstile.run(() => runStage(name, stageFunctions[name] as never, Payload, ports).finally(giveBackMemory)));
      if (name === 'Report') watch.report = (output as StageOutput<'Report'>).key;
      return { ExecutedVersion: '$LATEST', Payload: output as Json, StatusCode: 200 };
    } catch (error) {
      watch.failures.push(`${name}: ${(error as Error).name}: ${(error as Error).message}`);
      throw failed(error as Error);
    }
  },

  'events:putEvents': async ({ arguments: given }, { queue, ports }, watch) => {
    const { Entries } = given as { Entries: { DetailType: string; Detail: { [key: string]: Json } }[] };
    await queue.publish(Entries.map(({ DetailType, Detail }) => ({ detailType: DetailType, detail: Detail })));
    watch.announced.push(...Entries.map(({ DetailType }) => DetailType));
    watch.reasons.push(...Entries.flatMap(({ Detail: { reason } }) => (typeof reason === 'string' ? [reason] : [])));
    return { Entries: Entries.map(() => ({ EventId: ports.ids.next() })), FailedEntryCount: 0 };
  },

  'sns:publish': async ({ arguments: given }, { ports }) => {
    const { Subject, Message } = given as { Subject: string; Message: string };
    ports.telemetry.warn(Subject, { notice: Message });
    return { MessageId: ports.ids.next() };
  },
};

/** An error as Lambda reports it: the name is what Retry and Catch see. */
function failed({ name, message }: Error): TaskError {
  return new TaskError(name, JSON.stringify({ errorType: name, errorMessage: message }));
}
