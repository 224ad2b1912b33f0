import { SteppedClock } from '../../src/adapters/embedded/stepped-clock.ts';
import { cannedTasks } from '../../src/asl/canned-tasks.ts';
import type { ExecuteOptions, Execution, ExecutionNames } from '../../src/asl/execution.ts';
import { execute } from '../../src/asl/executor.ts';
import { parseMachine } from '../../src/asl/machine.ts';
import type { Json } from '../../src/data/json.ts';

/** When the tests' executions start. */
export const startMs = Date.UTC(2026, 0, 1);

/** What an execution needs: virtual time, numbered ids and a middling chance. */
export function surroundings(clock = new SteppedClock(startMs)) {
  let count = 0;
  return { clock, ids: { next: () => `id-${(count += 1)}` }, random: () => 0.5 };
}

type Wishes = Partial<ExecuteOptions & ExecutionNames> & { input?: Json; canned?: Json };

/** Executes a definition on virtual time, with canned tasks unless a runner is given. */
export function run(definition: Json, { input = {}, canned = {}, ...options }: Wishes = {}): Promise<Execution> {
  const machine = parseMachine(definition);
  const around = surroundings();
  const tasks = options.tasks ?? cannedTasks(canned, machine, options.clock ?? around.clock);
  return execute(machine, input, { ...around, ...options, tasks });
}

/** A machine of one sequence of states in JSONata, beginning with the first of them. */
export function machineOf(states: { [name: string]: Json }, rest: { [field: string]: Json } = {}): Json {
  return { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], ...rest, States: states };
}

/** A Task that invokes a function; `rest` adds to it. */
export function invoke(rest: { [field: string]: Json } = {}): { [field: string]: Json } {
  const task = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: { FunctionName: 'f' } };
  return { ...task, ...('Next' in rest ? {} : { End: true }), ...rest };
}
