import jsonata from 'jsonata';
import type { Json } from '../data/json.ts';
import { jsonataFunctions } from './jsonata-functions.ts';
import type { FunctionSources } from './jsonata-functions.ts';

/** What a state offers an expression under `$states`; `result` and `errorOutput` exist only in some fields. */
export type States = { input: Json; context: Json; result?: Json; errorOutput?: Json };
export type StatesField = keyof States;
export type Variables = { [name: string]: Json };

/** A checked JSONata expression, ready to be evaluated. */
export type Expression = {
  source: string;
  /** The value as plain JSON, or undefined where the expression returns nothing. Throws `ExpressionFailed`. */
  evaluate(states: States, variables: Variables, sources: FunctionSources): Promise<Json | undefined>;
};

/** An evaluation threw; the message is JSONata's, behind its code. */
export class ExpressionFailed extends Error {
  override name = 'ExpressionFailed';
}

/** The depth of recursion that Step Functions allows an expression. */
const deepest = 100;

/** Compiles the source between `{%` and `%}`; `problems` says what Step Functions would refuse at definition time. */
export function compileExpression(
  source: string,
  available: readonly StatesField[],
): { expression?: Expression; problems: string[] } {
  let compiled: jsonata.Expression;
  try {
    compiled = jsonata(source, { stack: deepest });
  } catch (error) {
    return { problems: [`INVALID_JSONATA_EXPRESSION: ${(error as Error).message}`] };
  }
  const problems = new Set<string>();
  check(compiled.ast() as unknown as Node, true, available, problems);
  if (problems.size > 0) return { problems: [...problems] };

  const evaluate: Expression['evaluate'] = async (states, variables, sources) => {
    try {
      return plain(await compiled.evaluate(undefined, { ...jsonataFunctions(sources), ...variables, states }));
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      throw new ExpressionFailed(`${code ?? ''}: ${message ?? ''}`);
    }
  };
  return { expression: { source, evaluate }, problems: [] };
}

type Node = {
  type: string;
  value?: unknown;
  [child: string]: unknown;
};

/**
 * Finds what refers to the input document, which Step Functions does not have: names, `$` and wildcards are refused
 * where `rooted`, that is, where nothing but the document could be the context. `$states` must name a field that exists.
 */
function check(node: Node, rooted: boolean, available: readonly StatesField[], problems: Set<string>): void {
  const top = (reference: string) =>
    problems.add(`UNSUPPORTED_JSONATA_EXPRESSION: Reference to '${reference}' at the top level is not supported.`);

  if (node.type === 'path') {
    const steps = node['steps'] as Node[];
    checkStates(steps[0], steps[1], available, problems);
    for (const [index, step] of steps.entries()) {
      if (index > 0 || !isStates(step)) check(step, rooted && index === 0, available, problems);
      else checkChildren(step, false, available, problems);
    }
    checkChildren({ ...node, steps: undefined }, false, available, problems);
    return;
  }
  if (isStates(node)) checkStates(node, undefined, available, problems);
  if (rooted && node.type === 'name') top(String(node.value));
  if (rooted && node.type === 'wildcard') top('*');
  if (rooted && node.type === 'descendant') top('**');
  if (rooted && node.type === 'variable' && node.value === '') top('$');
  if (node.type === 'variable' && node.value === '$') top('$$');
  checkChildren(node, rooted, available, problems);
}

// Predicates, groupings and sort terms see the value they are attached to; every other part sees what the whole sees.
const inner = new Set(['predicate', 'stages', 'group', 'terms', 'pattern', 'update', 'delete']);

function checkChildren(node: Node, rooted: boolean, available: readonly StatesField[], problems: Set<string>): void {
  for (const [key, child] of Object.entries(node)) {
    if (key === 'ancestor' || key === 'seekingParent') continue;
    for (const part of nodesIn(child)) check(part, rooted && !inner.has(key), available, problems);
  }
}

function nodesIn(child: unknown): Node[] {
  if (Array.isArray(child)) return child.flatMap(nodesIn);
  if (typeof child !== 'object' || child === null || child instanceof RegExp) return [];
  return typeof (child as Node).type === 'string' ? [child as Node] : Object.values(child).flatMap(nodesIn);
}

const isStates = (node: Node) => node.type === 'variable' && node.value === 'states';

const known: readonly StatesField[] = ['input', 'context', 'result', 'errorOutput'];

function checkStates(first: Node, second: Node | undefined, available: readonly StatesField[], problems: Set<string>) {
  if (!isStates(first) || second === undefined || second.type !== 'name') return;
  const field = String(second.value);
  const exists = known.some((name) => name === field && available.includes(name));
  if (!exists) problems.add(`INVALID_JSONATA_EXPRESSION: Field '$states.${field}' does not exist.`);
}

/** A JSONata result as plain JSON: functions and undefined vanish, and numbers that JSON lacks become their names. */
function plain(value: unknown): Json | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'function' || typeof value !== 'object') return value as Json | undefined;
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(plain).filter((item) => item !== undefined);
  if ('_jsonata_lambda' in value || '_jsonata_function' in value) return undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, plain(item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as { [key: string]: Json };
}
