import type { Json } from '../data/json.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import { Recorder } from './history.ts';
import type { EventOrigin, HistoryEvent } from './history.ts';
import type { MapObjects } from './objects.ts';
import { present } from './present.ts';
import type { TaskRunner } from './tasks.ts';
import type { Turns } from './turns.ts';

/** What an execution and its child executions share. */
export type Surroundings = {
  clock: Clock;
  ids: Ids;
  random: () => number;
  tasks: TaskRunner;
  objects: MapObjects | undefined;
  turns: Turns;
  /** Told of every event. */
  onEvent: (event: HistoryEvent, origin: EventOrigin) => void;
};

/** What names an execution, and what its history has so far. */
export type Identity = {
  name: string;
  arn: string;
  stateMachineArn: string;
  roleArn: string;
  input: Json;
  startMs: number;
  redriveCount: number;
  redriveMs?: number | undefined;
};

/** What the lanes of one execution share. */
export type Scope = Surroundings &
  Pick<Identity, 'arn' | 'stateMachineArn' | 'roleArn'> & {
    recorder: Recorder;
    /** The context object's `Execution` and `StateMachine`. */
    context: { [key: string]: Json };
  };

/** `keep` is told of the execution's own events before anybody else; `lastId` is the last one it has. */
export function openScope(
  surroundings: Surroundings,
  identity: Identity,
  lastId: number,
  keep: (event: HistoryEvent) => void,
): Scope {
  const { name, arn, stateMachineArn, roleArn, input, startMs, redriveCount, redriveMs } = identity;
  const recorder = new Recorder(lastId, surroundings.clock, (event, origin) => {
    keep(event);
    surroundings.onEvent(event, { executionName: name, executionArn: arn, ...origin });
  });
  const context = {
    Execution: present({
      Id: arn,
      Input: input,
      StartTime: instant(startMs),
      Name: name,
      RoleArn: roleArn,
      RedriveCount: redriveCount,
      RedriveTime: redriveMs === undefined ? undefined : instant(redriveMs),
    }),
    StateMachine: { Id: stateMachineArn, Name: arnParts(stateMachineArn).name },
  };
  return { ...surroundings, arn, stateMachineArn, roleArn, recorder, context };
}

/** A time as AWS writes it: ISO 8601 with milliseconds, in UTC. */
export const instant = (timeMs: number): string => new Date(timeMs).toISOString();

/** The parts of an ARN of Step Functions: `arn:partition:states:region:account:kind:name`. */
export function arnParts(arn: string): { prefix: string; region: string; account: string; name: string } {
  const parts = arn.split(':');
  const [, , , region = '', account = ''] = parts;
  return { prefix: parts.slice(0, 5).join(':'), region, account, name: parts.slice(6).join(':') };
}
