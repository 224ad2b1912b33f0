import type { Json } from '../data/json.ts';
import type { Finding } from './errors.ts';
import { isObject, pointerTo, typeOf } from './fields.ts';
import { compileExpression, ExpressionFailed } from './jsonata.ts';
import type { Expression, States, StatesField, Variables } from './jsonata.ts';
import type { FunctionSources } from './jsonata-functions.ts';

/** A JSON value of a definition in which any string may be a `{% expression %}`, compiled once. */
export type Template =
  | { kind: 'literal'; value: Json }
  | { kind: 'expression'; field: string; expression: Expression }
  | { kind: 'array'; items: readonly Template[] }
  | { kind: 'object'; entries: readonly (readonly [string, Template])[] };

/** A template could not be evaluated. `reason` is the end of AWS's cause, `location` the field as AWS names it. */
export class EvaluationFailure extends Error {
  override name = 'EvaluationFailure';
  readonly reason: string;
  readonly location: string | undefined;

  constructor(reason: string, location?: string) {
    super(reason);
    this.reason = reason;
    this.location = location;
  }
}

/** What a template is evaluated against. */
export type Bindings = { states: States; variables: Variables; sources: FunctionSources };

/** Where a template stands: its field as AWS names it (`Arguments/FunctionName`), and its JSON pointer. */
export type Place = { field: string; pointer: string };

/** Compiles a value; what AWS would refuse at definition time becomes findings. */
export function compileTemplate(
  value: Json,
  place: Place,
  available: readonly StatesField[],
  findings: Finding[],
): Template {
  if (typeof value === 'string') return compileString(value, place, available, findings);
  if (Array.isArray(value)) {
    const items = value.map((item, index) =>
      compileTemplate(
        item,
        { field: `${place.field}[${index}]`, pointer: `${place.pointer}/${index}` },
        available,
        findings,
      ),
    );
    return items.every(({ kind }) => kind === 'literal') ? { kind: 'literal', value } : { kind: 'array', items };
  }
  if (isObject(value)) {
    const entries = Object.entries(value).map(([name, item]) => {
      const inner = { field: `${place.field}/${name}`, pointer: pointerTo(place.pointer, name) };
      return [name, compileTemplate(item, inner, available, findings)] as const;
    });
    const literal = entries.every(([, { kind }]) => kind === 'literal');
    return literal ? { kind: 'literal', value } : { kind: 'object', entries };
  }
  return { kind: 'literal', value };
}

function compileString(
  value: string,
  { field, pointer }: Place,
  available: readonly StatesField[],
  findings: Finding[],
): Template {
  const opens = value.startsWith('{%');
  const closes = value.endsWith('%}');
  if (opens !== closes) {
    const message = `INVALID_JSONATA_EXPRESSION: A JSONata expression must begin with '{%' and end with '%}'.`;
    findings.push({ pointer, message });
  }
  if (!opens || !closes) return { kind: 'literal', value };
  const { expression, problems } = compileExpression(value.slice(2, -2).trim(), available);
  for (const message of problems) findings.push({ pointer, message });
  return expression === undefined ? { kind: 'literal', value } : { kind: 'expression', field, expression };
}

/** The value of a template, its expressions evaluated in the order of the text. Throws `EvaluationFailure`. */
export async function evaluateTemplate(template: Template, bindings: Bindings): Promise<Json> {
  if (template.kind === 'literal') return template.value;
  if (template.kind === 'expression') return evaluateExpression(template, bindings);
  if (template.kind === 'array') {
    const items: Json[] = [];
    for (const item of template.items) items.push(await evaluateTemplate(item, bindings));
    return items;
  }
  const entries: [string, Json][] = [];
  for (const [name, item] of template.entries) entries.push([name, await evaluateTemplate(item, bindings)]);
  return Object.fromEntries(entries);
}

type ExpressionTemplate = Template & { kind: 'expression' };

async function evaluateExpression(
  template: ExpressionTemplate,
  { states, variables, sources }: Bindings,
): Promise<Json> {
  const { expression, field } = template;
  try {
    const value = await expression.evaluate(states, variables, sources);
    if (value !== undefined) return value;
  } catch (error) {
    if (!(error instanceof ExpressionFailed)) throw error;
    throw new EvaluationFailure(`${saying(template)} threw an error during evaluation. ${error.message}`, field);
  }
  throw new EvaluationFailure(`${saying(template)} returned nothing (undefined).`, field);
}

const saying = ({ expression, field }: ExpressionTemplate): string =>
  `The JSONata expression '${expression.source}' specified for the field '${field}'`;

/** The types that fields ask for. */
export type Types = {
  string: string;
  number: number;
  boolean: boolean;
  array: Json[];
};

/** The value of a template whose field must be of one type; literals were checked when the definition was read. */
export async function evaluateTyped<Type extends keyof Types>(
  template: Template,
  type: Type,
  bindings: Bindings,
): Promise<Types[Type]> {
  const value = await evaluateTemplate(template, bindings);
  if (template.kind !== 'expression' || typeOf(value) === type) return value as Types[Type];
  const reason =
    `${saying(template)} returned an unexpected result type. ` +
    `Expected '${type}', but was '${typeOf(value)}' for value: ${JSON.stringify(value)}`;
  throw new EvaluationFailure(reason, template.field);
}
