import { quoteName } from '../data/quote.ts';
import type { AsOf } from './reader.ts';

/**
 * A place in a query where a table is asked for as it was: `predictions AT (VERSION => 3)`. The query then has the relation
 * `table` of the schema `schema` there.
 */
export type Reference = { table: string; asOf: AsOf; schema: string };

/** A query in which each such place names a relation of its own instead; each relation is listed once. */
export type Travelled = { query: string; references: Reference[] };

/** What follows AT in a query is no version and no time. */
export class UnclearTime extends Error {
  override readonly name = 'UnclearTime';
  constructor(table: string, problem: string) {
    super(
      `${table} AT (…): ${problem}. Write ${table} AT (VERSION => 3), or ${table} AT (TIMESTAMP => '2026-02-01') ` +
        `with a time of day or not ('2026-02-01 14:30:00'), in UTC unless it ends in an offset.`,
    );
  }
}

/**
 * Finds the tables that a query asks for as of a version or a time. Each `name AT (…)` becomes the qualified name of a
 * relation in a schema of its own, `"at version 3".name`, which the caller makes; so the columns stay reachable as
 * `name.column`. Whatever stands in texts, quoted names and comments is left as it is, and so is an `AT` that follows no name
 * or no parenthesis (`AT TIME ZONE`). Throws `UnclearTime`.
 */
export function timeTravels(query: string): Travelled {
  const tokens = tokensOf(query);
  const references: Reference[] = [];
  let result = '';
  let done = 0;
  for (let i = 0; i + 2 < tokens.length; i++) {
    const [name, at, open] = tokens.slice(i, i + 3);
    if (!isName(name) || at.text.toUpperCase() !== 'AT' || open.text !== '(') continue;
    const table = nameOf(name);
    const end = tokens.findIndex((token, j) => j > i + 2 && token.text === ')');
    if (end < 0) throw new UnclearTime(table, 'its parenthesis is not closed');
    const content = tokens.slice(i + 3, end).map((token) => token.text);
    const asOf = asOfFrom(table, content);
    const schema = 'version' in asOf ? `at version ${asOf.version}` : `at ${new Date(asOf.timestampMs).toISOString()}`;
    const isKnown = references.some((reference) => reference.schema === schema && reference.table === table);
    if (!isKnown) references.push({ table, asOf, schema });
    result += `${query.slice(done, name.start)}${quoteName(schema)}.${quoteName(table)}`;
    done = tokens[end].end;
    i = end;
  }
  return { query: result + query.slice(done), references };
}

type Token = { text: string; start: number; end: number };

/**
 * Comments and blanks lie between tokens. One is a text or quoted name (up to the end, where it is not closed), a plain name, a
 * number, an arrow, else a character.
 */
const token =
  /(?:--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+)|([eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(\w*)\$[\s\S]*?\$\2\$|"(?:[^"]|"")*(?:"|$)|[\p{L}_][\p{L}\p{N}_$]*|[\d.]+|=>|[\s\S])/gu;

function tokensOf(query: string): Token[] {
  return [...query.matchAll(token)]
    .filter(([, text]) => text !== undefined)
    .map(({ 1: text, index }) => ({ text, start: index, end: index + text.length }));
}

function isName({ text }: Token): boolean {
  return /^(?:"|[\p{L}_])/u.test(text) && !/^e'/i.test(text);
}

function nameOf({ text }: Token): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** What stands in the parentheses: `VERSION => 3`, `TIMESTAMP => '…'`, `TIMESTAMP => TIMESTAMP '…'`. */
function asOfFrom(table: string, [unit = '', arrow, ...value]: string[]): AsOf {
  const what = unit.toUpperCase();
  if ((what !== 'VERSION' && what !== 'TIMESTAMP') || arrow !== '=>') {
    throw new UnclearTime(table, 'it names neither VERSION => nor TIMESTAMP =>');
  }
  if (what === 'VERSION') {
    if (value.length === 1 && /^\d{1,15}$/.test(value[0])) return { version: Number(value[0]) };
    throw new UnclearTime(table, `${value.join('') || 'nothing'} is no version, which is a whole number from 0 on`);
  }
  const typed = /^TIMESTAMP(TZ)?$/i.test(value[0] ?? '') ? value.slice(1) : value;
  const text = typed.length === 1 && /^'.*'$/s.test(typed[0]) ? typed[0].slice(1, -1) : undefined;
  const timestampMs = text === undefined ? undefined : instant(text);
  if (timestampMs === undefined) throw new UnclearTime(table, `${value.join(' ') || 'nothing'} is no time`);
  return { timestampMs };
}

/** Milliseconds since 1970 of an ISO date, with or without a time of day and an offset; undefined for what no calendar has. */
function instant(text: string): number | undefined {
  const found = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text);
  if (!found) return undefined;
  const [, day, minute = '00:00', second = ':00', zone = 'Z'] = found;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // 30 February would become 2 March
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const offset =
    zone === 'Z'
      ? 'Z'
      : zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`);
  const milliseconds = Date.parse(`${day}T${minute}${second}${offset}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
