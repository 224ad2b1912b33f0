import type { Json } from '../data/json.ts';
import { isObject, pointerTo } from './fields.ts';
import type { Variables } from './jsonata.ts';

/** What paths are resolved against: the data (`$`), the context object (`$$`) and the variables (`$name`). */
export type PathSources = { data: Json; context: Json; variables: Variables };

/** A reference path: one place in one of the sources. */
export type ReferencePath = {
  text: string;
  root: { kind: 'data' } | { kind: 'context' } | { kind: 'variable'; name: string };
  keys: readonly (string | number)[];
};

/** A path leads nowhere, or its text is no reference path. */
export class PathProblem extends Error {
  override name = 'PathProblem';
}

const rootPattern = /^\$(?:\$|[\p{ID_Start}_][\p{ID_Continue}]*)?/u;
const keyPattern = /\.([\p{L}\p{N}_-]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]/uy;

/**
 * Reads a reference path: `$.a.b[0]['c d']`, `$$.Execution.Id`, `$variable.a`. Throws `PathProblem` for anything else;
 * filters, wildcards, slices and intrinsic functions are not supported.
 */
export function parsePath(text: string): ReferencePath {
  const root = rootPattern.exec(text)?.[0];
  if (root === undefined) throw new PathProblem(`'${text}' is not a reference path`);
  const keys: (string | number)[] = [];
  keyPattern.lastIndex = root.length;
  for (let end = root.length; end < text.length; end = keyPattern.lastIndex) {
    const match = keyPattern.exec(text);
    if (match === null) throw new PathProblem(`'${text}' is not a reference path`);
    const [, name, index, quoted] = match;
    keys.push(name ?? (index === undefined ? quoted.replace(/\\(.)/gu, '$1') : Number(index)));
  }
  if (root === '$') return { text, root: { kind: 'data' }, keys };
  if (root === '$$') return { text, root: { kind: 'context' }, keys };
  return { text, root: { kind: 'variable', name: root.slice(1) }, keys };
}

/** The value at a path that stands in a field. Throws `PathProblem` where there is none. */
export function valueAt(
  { text, root, keys }: ReferencePath,
  { data, context, variables }: PathSources,
  field: string,
): Json {
  const sources = { data, context, variable: root.kind === 'variable' ? variables[root.name] : null };
  let value: Json | undefined = sources[root.kind];
  for (const key of keys) value = child(value, key);
  if (value !== undefined) return value;
  const input = JSON.stringify(data);
  throw new PathProblem(
    `The JSONPath '${text}' specified for the field '${field}' could not be found in the input '${input}'`,
  );
}

function child(value: Json | undefined, key: string | number): Json | undefined {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined;
  return isObject(value) ? value[key] : undefined;
}

/** A copy of the data with the value put at a path of names; what is missing on the way is made. */
export function placeAt(path: ReferencePath, data: Json, value: Json): Json {
  const [key, ...rest] = path.keys;
  if (key === undefined) return value;
  const object = isObject(data) ? data : {};
  const inner = isObject(data) && isObject(data[key]) ? data[key] : {};
  return { ...object, [key]: placeAt({ ...path, keys: rest }, inner, value) };
}

/** A payload template: an object whose fields that end in `.$` hold paths, resolved at any depth. */
export function resolvePayload(template: Json, sources: PathSources): Json {
  if (Array.isArray(template)) return template.map((item) => resolvePayload(item, sources));
  if (!isObject(template)) return template;
  const entries = Object.entries(template).map(([name, value]) =>
    isPathField(name, value)
      ? ([name.slice(0, -2), valueAt(parsePath(value), sources, name)] as const)
      : ([name, resolvePayload(value, sources)] as const),
  );
  return Object.fromEntries(entries);
}

/** Every path of a payload template with where it stands, for checking. */
export function* pathFields(template: Json, pointer: string): Generator<{ pointer: string; path: Json }> {
  if (typeof template !== 'object' || template === null) return;
  for (const [name, value] of Object.entries(template)) {
    const place = pointerTo(pointer, name);
    if (!Array.isArray(template) && name.endsWith('.$')) yield { pointer: place, path: value };
    else yield* pathFields(value, place);
  }
}

const isPathField = (name: string, value: Json): value is string => name.endsWith('.$') && typeof value === 'string';
