import type { Json } from '../data/json.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Recorder } from './history.ts';
import type { MapObjects } from './objects.ts';
import type { TaskRunner } from './tasks.ts';
import type { Turns } from './turns.ts';

/** What the lanes of one execution share; a child execution has its own, with the same surroundings. */
export type Scope = {
  clock: Clock;
  ids: Ids;
  random: () => number;
  tasks: TaskRunner;
  objects: MapObjects | undefined;
  turns: Turns;
  recorder: Recorder;
  /** The records of a child execution go here; the rest as in the scope it was made from. */
  childScope(child: ChildScope): Scope;
  executionArn: string;
  stateMachineArn: string;
  /** The context object's `Execution` and `StateMachine`. */
  context: { Execution: { [key: string]: Json }; StateMachine: { [key: string]: Json } };
};

export type ChildScope = { name: string; arn: string; context: Scope['context']; lastId: number; counted: () => void };

/** The parts of an ARN, `arn:partition:service:region:account:resource`. */
export function arnParts(arn: string): { region: string; account: string; resource: string } {
  const [, , , region = '', account = '', ...resource] = arn.split(':');
  return { region, account, resource: resource.join(':') };
}
