import type { Json } from '../data/json.ts';
import { type TaskCall, type TaskRunner, TaskError } from '../asl/task.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { runStage } from '../stages/run.ts';
import { type StageName, stages } from '../stages.ts';
import type { EventQueue } from './event-queue.ts';
import { functionArn } from './machines.ts';
import { stageFunctions } from './stages.ts';
import type { Workers } from './workers.ts';

type Surroundings = { ports: Ports; queue: EventQueue; workers: Workers };

/** What stands behind the integrations of the product's machines on a laptop; results have the shape of AWS's. */
export function taskRunner(surroundings: Surroundings): TaskRunner {
  return async (call) => {
    const integration = integrations[call.resource];
    if (!integration) {
      throw new TaskError(
        'States.Runtime',
        `The integration ${call.resource} has nothing behind it on the embedded runtime; it works on AWS.`,
      );
    }
    return integration(call, surroundings);
  };
}

type Integration = (call: TaskCall, surroundings: Surroundings) => Promise<Json>;

const integrations: { [resource: string]: Integration } = {
  'lambda:invoke': async ({ arguments: given }, { ports, workers }) => {
    const { FunctionName, Payload } = given as { FunctionName: string; Payload: Json };
    const name = FunctionName.slice(functionArn('').length) as StageName;
    try {
      const output = await ('heavy' in stages[name]
        ? workers.run(name, Payload, ports.clock.nowMs())
        : runStage(name, stageFunctions[name] as never, Payload, ports));
      return { ExecutedVersion: '$LATEST', Payload: output as Json, StatusCode: 200 };
    } catch (error) {
      throw failed(error as Error);
    }
  },

  'events:putEvents': async ({ arguments: given }, { queue, ports }) => {
    const { Entries } = given as { Entries: { DetailType: string; Detail: { [key: string]: Json } }[] };
    await queue.publish(Entries.map(({ DetailType, Detail }) => ({ detailType: DetailType, detail: Detail })));
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
