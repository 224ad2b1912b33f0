import type { Json } from '../data/json.ts';
import type { Finding } from './errors.ts';
import { isObject, pointerTo } from './fields.ts';
import { parsePath, pathFields, PathProblem, placeAt, resolvePayload, valueAt } from './jsonpath.ts';
import type { ReferencePath } from './jsonpath.ts';
import type { StatesField, Variables } from './jsonata.ts';
import { StateProblem } from './lane.ts';
import type { Extra, Lane, Outcome } from './lane.ts';
import type { StateFields } from './state-fields.ts';

/** What a state gives to whatever does its work: `absent` where the definition does not say. */
export type Given = (lane: Lane, absent: Json) => Promise<Json>;

/** What a state passes on: its output, `fallback` where the definition does not say, and the variables it assigns. */
export type Passing = (lane: Lane, fallback: Json, extra: Extra) => Promise<Outcome>;

/** The JSONPath fields that a type of state has, besides `Assign`. */
export type PathField = 'InputPath' | 'Parameters' | 'ResultSelector' | 'ResultPath' | 'OutputPath';

/** Reads `Arguments`, or `InputPath` and `Parameters`. */
export function readGiven(state: StateFields, pathFields: readonly PathField[]): Given {
  if (state.language === 'JSONPath') return readPathGiven(state, pathFields);
  const template = state.payload('Arguments');
  return async (lane, absent) => (template === undefined ? absent : lane.evaluate(template));
}

/** Reads `Output` and `Assign`, or `ResultSelector`, `ResultPath`, `OutputPath` and `Assign`. */
export function readPassing(
  state: StateFields,
  available: readonly StatesField[],
  pathFields: readonly PathField[],
): Passing {
  if (state.language === 'JSONPath') return readPathPassing(state, pathFields);
  const assign = state.payload('Assign', available);
  const output = state.template('Output', available);
  noteVariables(state);
  return async (lane, fallback, extra) => {
    const assigned = assign === undefined ? {} : await lane.evaluate(assign, extra);
    return {
      assigned: assigned as Variables,
      output: output === undefined ? fallback : await lane.evaluate(output, extra),
    };
  };
}

// An identifier of at most 80 characters, and not the name under which the state's data stand.
const variableName = /^(?!states$)[\p{ID_Start}_][\p{ID_Continue}]{0,79}$/u;

function noteVariables({ fields, flow }: StateFields): void {
  const assign = fields.take('Assign');
  if (assign === undefined) return;
  if (!isObject(assign)) {
    fields.refuse('Assign', 'Expected an object whose fields are the names of variables.');
    return;
  }
  for (const field of Object.keys(assign)) {
    const name = field.endsWith('.$') ? field.slice(0, -2) : field;
    const pointer = pointerTo(fields.at('Assign'), field);
    if (variableName.test(name)) flow.assigned.push({ name, pointer });
    else fields.refuseIn('Assign', field, `'${name}' cannot be the name of a variable.`);
  }
}

function readPathGiven(state: StateFields, allowed: readonly PathField[]): Given {
  const input = allowed.includes('InputPath') ? readPath(state, 'InputPath') : undefined;
  const parameters = allowed.includes('Parameters') ? readPayload(state, 'Parameters') : undefined;
  return (lane) =>
    onPaths(lane, () => {
      const { variables } = lane;
      const context = lane.context();
      const data =
        input === null ? {} : valueAt(input ?? whole, { data: lane.progress.input, context, variables }, 'InputPath');
      return parameters === undefined ? data : resolvePayload(parameters, { data, context, variables });
    });
}

function readPathPassing(state: StateFields, allowed: readonly PathField[]): Passing {
  const selector = allowed.includes('ResultSelector') ? readPayload(state, 'ResultSelector') : undefined;
  const place = allowed.includes('ResultPath') ? readPath(state, 'ResultPath') : undefined;
  const output = allowed.includes('OutputPath') ? readPath(state, 'OutputPath') : undefined;
  const assign = readPayload(state, 'Assign');
  noteVariables(state);
  const { fields } = state;
  if (place && (place.root.kind !== 'data' || place.keys.some((key) => typeof key === 'number'))) {
    fields.refuse('ResultPath', `Expected a path of names below '$' but found '${place.text}'.`);
  }
  return (lane, fallback) =>
    onPaths(lane, () => {
      const { variables } = lane;
      const context = lane.context();
      const { input } = lane.progress;
      const result =
        selector === undefined ? fallback : resolvePayload(selector, { data: fallback, context, variables });
      const assigned = assign === undefined ? {} : resolvePayload(assign, { data: result, context, variables });
      const placed = place === null ? input : placeAt(place ?? whole, input, result);
      const data = output === null ? {} : valueAt(output ?? whole, { data: placed, context, variables }, 'OutputPath');
      return { output: data, assigned: assigned as Variables };
    });
}

const whole = parsePath('$');

/** A path field; null where it says null, which stands for nothing at all. */
function readPath({ fields }: StateFields, name: PathField): ReferencePath | null | undefined {
  const value = fields.take(name);
  if (value === undefined || value === null) return value;
  return checkedPath(value, fields.at(name), fields.findings);
}

function readPayload({ fields }: StateFields, name: PathField | 'Assign'): Json | undefined {
  const value = fields.take(name);
  if (value === undefined) return undefined;
  for (const { pointer, path } of pathFields(value, fields.at(name))) checkedPath(path, pointer, fields.findings);
  return value;
}

function checkedPath(value: Json, pointer: string, findings: Finding[]): ReferencePath | undefined {
  try {
    if (typeof value === 'string') return parsePath(value);
    findings.push({ pointer, message: `Expected a path but found ${JSON.stringify(value)}.` });
  } catch (error) {
    if (!(error instanceof PathProblem)) throw error;
    const limits = 'filters, wildcards, slices and intrinsic functions are not supported, use JSONata';
    findings.push({ pointer, message: `${error.message}: ${limits}.` });
  }
  return undefined;
}

function onPaths<T>(lane: Lane, work: () => T): Promise<T> {
  return lane.guard(() => {
    try {
      return work();
    } catch (error) {
      if (error instanceof PathProblem) throw new StateProblem('States.Runtime', error.message);
      throw error;
    }
  });
}
