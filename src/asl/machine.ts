import type { Json } from '../data/json.ts';
import { InvalidMachine } from './errors.ts';
import type { Finding } from './errors.ts';
import { Fields } from './fields.ts';
import { secondsLimit } from './limits.ts';
import { StateFields } from './state-fields.ts';
import type { Flow, FlowReading, QueryLanguage, State } from './state-fields.ts';
import { readChoice } from './states/choice.ts';
import { readFail } from './states/fail.ts';
import { readMap } from './states/map.ts';
import { readParallel } from './states/parallel.ts';
import { readPass } from './states/pass.ts';
import { readSucceed } from './states/succeed.ts';
import { readTask } from './states/task.ts';
import { readWait } from './states/wait.ts';

/** A checked state machine, ready to be executed. */
export type Machine = {
  definition: Json;
  timeoutSeconds: number | undefined;
  flow: Flow;
  /** The names of all Task states, in the order of the definition, those inside other states too. */
  tasks: readonly string[];
};

const readers: { [type: string]: (state: StateFields) => State } = {
  Choice: readChoice,
  Fail: readFail,
  Map: readMap,
  Parallel: readParallel,
  Pass: readPass,
  Succeed: readSucceed,
  Task: readTask,
  Wait: readWait,
};

/**
 * Reads a definition in the Amazon States Language. Throws `InvalidMachine` with everything that is wrong with it or not
 * supported; nothing is ignored.
 */
export function parseMachine(definition: Json): Machine {
  const findings: Finding[] = [];
  const fields = Fields.of(definition, '', findings);
  if (fields === undefined) throw new InvalidMachine(findings);

  fields.take('Comment');
  fields.choice('Version', ['1.0']);
  const language = fields.choice('QueryLanguage', ['JSONata', 'JSONPath']) ?? 'JSONPath';
  const timeoutSeconds = fields.integer('TimeoutSeconds', 1, secondsLimit);
  const tasks: string[] = [];
  const flow = readMachineFlow(fields, language, tasks);
  fields.end();
  if (findings.length > 0) throw new InvalidMachine(findings);
  return { definition, timeoutSeconds, flow, tasks };
}

/** Reads the outermost sequence of states, and through it those inside. */
function readMachineFlow(fields: Fields, language: QueryLanguage, tasks: string[]): Flow {
  const names = new Set<string>();
  const readings: FlowReading[] = [];
  const readFlow = (fields: Fields, outer: FlowReading | undefined): Flow => {
    const reading: FlowReading = { language, outer, assigned: [], tasks, readFlow };
    readings.push(reading);
    return readStates(fields, reading, names);
  };
  const flow = readFlow(fields, undefined);
  for (const reading of readings) checkVariables(reading, fields.findings);
  return flow;
}

function readStates(fields: Fields, reading: FlowReading, names: Set<string>): Flow {
  const startAt = fields.requiredText('StartAt') ?? '';
  const table = fields.requiredObject('States');
  const states = new Map<string, State>();
  for (const name of table?.names() ?? []) {
    if (name.length > 80) table?.refuse(name, `A state's name has at most 80 characters.`);
    if (names.has(name)) table?.refuse(name, `Duplicate State name: ${name}`);
    names.add(name);
    const stateFields = table?.object(name);
    const state = stateFields && readState(stateFields, name, reading);
    if (state !== undefined) states.set(name, state);
  }
  // Where a state could not even be read, what leads where is not known.
  const complete = table !== undefined && states.size === table.names().length;
  if (complete) checkTransitions(fields, startAt, states);
  return { startAt, states };
}

function readState(fields: Fields, name: string, reading: FlowReading): State | undefined {
  fields.take('Comment');
  const language = fields.choice('QueryLanguage', ['JSONata', 'JSONPath']) ?? reading.language;
  if (reading.language === 'JSONata' && language === 'JSONPath') {
    fields.refuse('QueryLanguage', `A machine whose QueryLanguage is 'JSONata' cannot have states in 'JSONPath'.`);
  }
  const type = fields.requiredText('Type');
  if (type === undefined) return undefined;
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read === undefined) {
    fields.refuse('Type', `Expected one of ${Object.keys(readers).join(', ')} but found '${type}'.`);
    return undefined;
  }
  if (language === 'JSONPath' && (type === 'Choice' || type === 'Map')) {
    fields.refuse('Type', `A ${type} state in JSONPath is not supported: set the QueryLanguage to 'JSONata'.`);
    return undefined;
  }
  if (type === 'Task') reading.tasks.push(name);
  const stateFields = new StateFields(fields, name, language, reading);
  const state = read(stateFields);
  stateFields.end();
  return state;
}

function checkTransitions(fields: Fields, startAt: string, states: ReadonlyMap<string, State>): void {
  if (!states.has(startAt)) fields.refuse('StartAt', `Missing 'Next' target: ${startAt}`);
  const reached = new Set<string>();
  const reach = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    for (const target of states.get(name)?.targets ?? []) reach(target.name);
  };
  reach(startAt);
  for (const [name, state] of states) {
    for (const target of state.targets) {
      if (!states.has(target.name)) {
        fields.findings.push({ pointer: target.pointer, message: `Missing 'Next' target: ${target.name}` });
      }
    }
    if (!reached.has(name)) {
      fields.refuseIn('States', name, `State "${name}" is not reachable.`);
    }
  }
  if (![...states.values()].some(({ ends }) => ends)) fields.refuse('States', 'Workflow has no terminal state');
}

/** A variable of a sequence around must not be assigned again inside. */
function checkVariables({ assigned, outer }: FlowReading, findings: Finding[]): void {
  for (let around = outer; around !== undefined; around = around.outer) {
    const taken = new Set(around.assigned.map(({ name }) => name));
    for (const { name, pointer } of assigned.filter(({ name }) => taken.has(name))) {
      findings.push({ pointer, message: `The variable name '${name}' was already defined in a parent scope.` });
    }
  }
}
