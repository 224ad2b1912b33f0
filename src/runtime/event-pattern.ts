import type { Json } from '../data/json.ts';

/** The pattern is not one that this matcher (or EventBridge) takes; `path` is where, as `detail.state`. */
export class InvalidEventPattern extends Error {
  override readonly name = 'InvalidEventPattern';
  constructor(path: string, problem: string) {
    super(`The event pattern is wrong at ${path === '' ? 'its top' : path}: ${problem}.`);
  }
}

/** A compiled pattern: whether it matches an event (the whole envelope, `detail-type` and `detail` included). */
export type EventMatcher = (event: { [field: string]: Json }) => boolean;

/**
 * Compiles an EventBridge event pattern, after AWS's "Comparison operators for use in event patterns" and, for arrays, the
 * rules of AWS's event-ruler: fields are joined by and, the values of a field by or; an array in an event offers each of its
 * elements, and no match combines fields from different elements of one array. Operators: exact values, `prefix`, `suffix`
 * (each also with `equals-ignore-case`), `equals-ignore-case`, `wildcard`, `numeric`, `exists`, `anything-but`, `$or`.
 * Numbers compare by value, where AWS compares their text (300 is 300.0 here).
 * Throws `InvalidEventPattern` for anything else, naming it; nothing is ignored.
 */
export function compileEventPattern(pattern: Json): EventMatcher {
  const alternatives = compileFields(pattern, '');
  return (event) => {
    const leaves: Leaf[] = [];
    collectLeaves(event, '', new Map(), leaves);
    return alternatives.some((conditions) => holds(conditions, 0, new Map(), leaves));
  };
}

/** One field of the pattern: the tests of which one must pass, at that path. */
type Condition = { path: string; tests: Test[]; absent: boolean };
type Test = (value: Leaf['value']) => boolean;

/** One plain value of the event, with the element of each array that it lies in (array → index). */
type Leaf = { path: string; value: null | boolean | number | string; elements: ReadonlyMap<Json[], number> };

// --- matching

/** Whether conditions from `index` on can be met by leaves that lie in the same elements as those chosen before. */
function holds(conditions: Condition[], index: number, chosen: ReadonlyMap<Json[], number>, leaves: Leaf[]): boolean {
  if (index === conditions.length) return true;
  const { path, tests, absent } = conditions[index];
  const here = leaves.filter((leaf) => leaf.path === path);
  if (absent && here.length === 0 && holds(conditions, index + 1, chosen, leaves)) return true;
  return here.some(
    (leaf) =>
      agree(leaf.elements, chosen) &&
      tests.some((test) => test(leaf.value)) &&
      holds(conditions, index + 1, new Map([...chosen, ...leaf.elements]), leaves),
  );
}

function agree(elements: ReadonlyMap<Json[], number>, chosen: ReadonlyMap<Json[], number>): boolean {
  return [...elements].every(([array, index]) => (chosen.get(array) ?? index) === index);
}

/** Objects add to the path, arrays do not; only an object within an array is bound to its place there. */
function collectLeaves(value: Json, path: string, elements: Leaf['elements'], leaves: Leaf[]): void {
  if (Array.isArray(value)) {
    for (const [i, element] of value.entries()) {
      const isObject = element !== null && typeof element === 'object' && !Array.isArray(element);
      collectLeaves(element, path, isObject ? new Map([...elements, [value, i]]) : elements, leaves);
    }
  } else if (value !== null && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) collectLeaves(inner, join(path, name), elements, leaves);
  } else {
    leaves.push({ path, value, elements });
  }
}

// --- compiling

/** The pattern as alternatives of which one must hold whole: `$or` multiplies them, everything else adds conditions. */
function compileFields(pattern: Json, path: string): Condition[][] {
  const fields = isObject(pattern) ? Object.entries(pattern) : [];
  if (fields.length === 0) throw new InvalidEventPattern(path, 'an object with at least one field is wanted');
  let alternatives: Condition[][] = [[]];
  for (const [name, value] of fields) {
    const more = name === '$or' ? compileOr(value, path) : compileField(value, join(path, name));
    alternatives = alternatives.flatMap((left) => more.map((right) => [...left, ...right]));
  }
  return alternatives;
}

function compileOr(value: Json, path: string): Condition[][] {
  if (!Array.isArray(value) || value.length < 2) {
    throw new InvalidEventPattern(join(path, '$or'), '$or takes an array of at least two patterns');
  }
  return value.flatMap((pattern) => compileFields(pattern, path));
}

function compileField(value: Json, path: string): Condition[][] {
  if (!Array.isArray(value)) {
    if (isObject(value)) return compileFields(value, path);
    throw new InvalidEventPattern(path, 'values stand in an array, as ["value"]');
  }
  if (value.length === 0) throw new InvalidEventPattern(path, 'an empty array matches nothing');
  const absent = value.some((item) => isObject(item) && item['exists'] === false);
  return [[{ path, absent, tests: value.map((item) => compileTest(item, path)) }]];
}

function compileTest(item: Json, path: string): Test {
  if (Array.isArray(item)) throw new InvalidEventPattern(path, 'an array within an array is no value');
  if (!isObject(item)) return (value) => value === item;
  const [operator, operand] = single(item, path);
  switch (operator) {
    case 'exists':
      if (typeof operand !== 'boolean') throw new InvalidEventPattern(path, 'exists takes true or false');
      return () => operand;
    case 'numeric':
      return compileNumeric(operand, path);
    case 'anything-but':
      return compileAnythingBut(operand, path);
    default:
      return compileTextTest(operator, operand, path);
  }
}

function compileTextTest(operator: string, operand: Json, path: string): Test {
  const folded = isObject(operand) && (operator === 'prefix' || operator === 'suffix');
  if (folded) {
    const [inner, text] = single(operand, path);
    if (inner !== 'equals-ignore-case') throw new InvalidEventPattern(path, `${operator} knows no operator ${inner}`);
    const wanted = textOf(text, inner, path).toLowerCase();
    if (operator === 'prefix') return onText((value) => value.toLowerCase().startsWith(wanted));
    return onText((value) => value.toLowerCase().endsWith(wanted));
  }
  switch (operator) {
    case 'prefix': {
      const prefix = textOf(operand, operator, path);
      return onText((value) => value.startsWith(prefix));
    }
    case 'suffix': {
      const suffix = textOf(operand, operator, path);
      return onText((value) => value.endsWith(suffix));
    }
    case 'equals-ignore-case': {
      const wanted = textOf(operand, operator, path).toLowerCase();
      return onText((value) => value.toLowerCase() === wanted);
    }
    case 'wildcard':
      return onText(compileWildcard(textOf(operand, operator, path), path));
    default:
      throw new InvalidEventPattern(path, `there is no operator ${operator} here`);
  }
}

/** `*` stands for any characters; `\*` and `\\` for themselves. */
function compileWildcard(wildcard: string, path: string): (value: string) => boolean {
  const tokens = wildcard.match(/\\[*\\]|[^\\]/gsu) ?? [];
  if (tokens.join('') !== wildcard) {
    throw new InvalidEventPattern(path, 'in a wildcard, a backslash stands only before * or another backslash');
  }
  if (tokens.some((token, i) => token === '*' && tokens[i + 1] === '*')) {
    throw new InvalidEventPattern(path, 'a wildcard has no two * in a row');
  }
  const pieces = [''];
  for (const token of tokens) {
    if (token === '*') pieces.push('');
    else pieces[pieces.length - 1] += token.at(-1);
  }
  const [first, ...middle] = pieces;
  const last = middle.pop();
  if (last === undefined) return (value) => value === first;
  // the piece between two stars is taken where it first occurs: later ones lose nothing by it, and no input makes it slow
  return (value) => {
    if (!value.startsWith(first)) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = value.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at + last.length <= value.length && value.endsWith(last);
  };
}

const comparisons: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

/** `["=", x]`, one bound, or a lower and an upper one; numbers within ±5e9, as AWS has it. */
function compileNumeric(operand: Json, path: string): Test {
  const items = Array.isArray(operand) ? operand : [];
  const form = items.filter((_, i) => i % 2 === 0).map((name) => (typeof name === 'string' ? name : '?'));
  const bounds = items.filter((_, i) => i % 2 === 1);
  if (bounds.length !== form.length || !/^(=|<=?|>=?|>=? <=?)$/.test(form.join(' '))) {
    throw new InvalidEventPattern(path, 'numeric takes ["=", x], one comparison, or a lower and an upper one');
  }
  const numbers = bounds.map((bound) => {
    if (typeof bound === 'number' && Math.abs(bound) <= 5e9) return bound;
    throw new InvalidEventPattern(path, 'numeric compares with numbers from -5e9 to 5e9');
  });
  const operators = form.map((name) => comparisons[name]);
  return (value) => typeof value === 'number' && operators.every((compare, i) => compare(value, numbers[i]));
}

/** A plain value or several of one type, or one of the text operators with one or several texts. */
function compileAnythingBut(operand: Json, path: string): Test {
  if (isObject(operand)) {
    const [operator, texts] = single(operand, path);
    const tests = (Array.isArray(texts) ? texts : [texts]).map((text) => compileTextTest(operator, text, path));
    if (tests.length === 0) throw new InvalidEventPattern(path, 'anything-but takes at least one value');
    return (value) => !tests.some((test) => test(value));
  }
  const values = Array.isArray(operand) ? operand : [operand];
  const types = new Set(values.map((value) => typeof value));
  if (types.size !== 1 || !(types.has('string') || types.has('number'))) {
    throw new InvalidEventPattern(path, 'anything-but takes texts only or numbers only');
  }
  return (value) => !values.includes(value);
}

function onText(test: (value: string) => boolean): Test {
  return (value) => typeof value === 'string' && test(value);
}

function textOf(operand: Json, operator: string, path: string): string {
  if (typeof operand === 'string') return operand;
  throw new InvalidEventPattern(path, `${operator} takes a text`);
}

/** The one operator of an object such as `{"prefix": "a"}`. */
function single(object: { [name: string]: Json }, path: string): [operator: string, operand: Json] {
  const entries = Object.entries(object);
  if (entries.length !== 1) throw new InvalidEventPattern(path, 'each object in an array holds exactly one operator');
  return entries[0];
}

function isObject(value: Json): value is { [name: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
