import type { Json } from '../data/json.ts';
import type { Finding } from './errors.ts';

/**
 * One JSON object of a definition, read field by field: what is wrong becomes a finding with its JSON pointer, and `end`
 * refuses by name whatever nobody has read.
 */
export class Fields {
  readonly pointer: string;
  readonly findings: Finding[];
  readonly #object: { [key: string]: Json };
  readonly #read = new Set<string>();

  private constructor(object: { [key: string]: Json }, pointer: string, findings: Finding[]) {
    this.#object = object;
    this.pointer = pointer;
    this.findings = findings;
  }

  /** Undefined, with a finding, where the value is no object. */
  static of(value: Json | undefined, pointer: string, findings: Finding[]): Fields | undefined {
    if (isObject(value)) return new Fields(value, pointer, findings);
    findings.push({ pointer, message: `Expected an object but found ${kindOf(value)}.` });
    return undefined;
  }

  /** The pointer to a field of this object. */
  at(name: string): string {
    return pointerTo(this.pointer, name);
  }

  refuse(name: string, message: string): void {
    this.findings.push({ pointer: this.at(name), message });
  }

  /** For what is wrong with the object as a whole. */
  refuseAll(message: string): void {
    this.findings.push({ pointer: this.pointer, message });
  }

  /** For what is wrong with a field of an object in a field. */
  refuseIn(name: string, inner: string, message: string): void {
    this.findings.push({ pointer: pointerTo(this.at(name), inner), message });
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  /** The raw value of a field, which counts as read from then on. */
  take(name: string): Json | undefined {
    this.#read.add(name);
    return this.#object[name];
  }

  required(name: string): Json | undefined {
    const value = this.take(name);
    if (value === undefined) this.refuseAll(`Missing required field '${name}'.`);
    return value;
  }

  text(name: string): string | undefined {
    return this.#typed(name, this.take(name), 'a string', isString);
  }

  requiredText(name: string): string | undefined {
    return this.#typed(name, this.required(name), 'a string', isString);
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, this.take(name), 'a boolean', (value): value is boolean => typeof value === 'boolean');
  }

  /** One of a few words. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const expected = words.map((word) => `'${word}'`).join(' or ');
    const fits = (value: Json): value is Word => words.some((word) => word === value);
    return this.#typed(name, this.take(name), expected, fits);
  }

  integer(name: string, least: number, most: number): number | undefined {
    const fits = (value: Json): value is number => isIntegerBetween(value, least, most);
    return this.#typed(name, this.take(name), `an integer between ${least} and ${most}`, fits);
  }

  number(name: string, least: number): number | undefined {
    const fits = (value: Json): value is number => typeof value === 'number' && value >= least;
    return this.#typed(name, this.take(name), `a number not below ${least}`, fits);
  }

  object(name: string): Fields | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : Fields.of(value, this.at(name), this.findings);
  }

  requiredObject(name: string): Fields | undefined {
    const value = this.required(name);
    return value === undefined ? undefined : Fields.of(value, this.at(name), this.findings);
  }

  /** The elements of an array field that are objects; undefined where the field is absent. */
  objects(name: string): Fields[] | undefined {
    const list = this.#typed(name, this.take(name), 'an array', isArray);
    return list?.flatMap((value, index) => Fields.of(value, `${this.at(name)}/${index}`, this.findings) ?? []);
  }

  /** The names of all fields, read or not. */
  names(): string[] {
    return Object.keys(this.#object);
  }

  /** Refuses what was not read; `say` finds the words for a name. */
  end(say: (name: string) => string = (name) => `Field '${name}' is not supported.`): void {
    for (const name of this.names()) if (!this.#read.has(name)) this.refuse(name, say(name));
  }

  #typed<T extends Json>(name: string, value: Json | undefined, expected: string, fits: (value: Json) => value is T) {
    if (value === undefined) return undefined;
    if (fits(value)) return value;
    this.refuse(name, `Expected ${expected} but found ${kindOf(value)}.`);
    return undefined;
  }
}

const isString = (value: Json): value is string => typeof value === 'string';
const isArray = (value: Json): value is Json[] => Array.isArray(value);

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const isIntegerBetween = (value: Json, least: number, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;

/** The JSON pointer (RFC 6901) to a member of what another points to. */
export const pointerTo = (parent: string, name: string): string =>
  `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The JSON type of a value, in the words of AWS's causes. */
export function typeOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const type = typeOf(value);
  return type === 'object' || type === 'array' ? `an ${type}` : JSON.stringify(value);
}
