import { type Call, UsageError } from './command.ts';

/** The text of an option that the command cannot do without. */
export function required(call: Call, option: string, what: string): string {
  const given = call.text(option);
  if (given === undefined || given === '') throw new UsageError(`--${option} is missing: ${what}.`);
  return given;
}

/** `a,b` → ['a', 'b']; nothing where the option is not given. */
export function list(call: Call, option: string): string[] | undefined {
  const given = call.text(option);
  if (given === undefined) return undefined;
  const names = given.split(',').map((name) => name.trim());
  if (names.includes('')) throw new UsageError(`--${option} takes names with commas between them, not "${given}".`);
  return names;
}

/** A number in any decimal notation, `1e-3` too. */
export function numeric(call: Call, option: string): number | undefined {
  const given = call.text(option);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`--${option} takes a number, not "${given}".`);
  return value;
}

/** A whole number of at least `least`. */
export function whole(call: Call, option: string, least: number): number | undefined {
  const value = numeric(call, option);
  if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
    throw new UsageError(`--${option} takes a whole number of at least ${least}, not ${value}.`);
  }
  return value;
}

/** A share strictly between 0 and 1. */
export function share(call: Call, option: string): number | undefined {
  const value = numeric(call, option);
  if (value !== undefined && !(value > 0 && value < 1)) {
    throw new UsageError(`--${option} takes a share between 0 and 1, not ${value}.`);
  }
  return value;
}

/** One of a few words. */
export function oneOf<Word extends string>(call: Call, option: string, words: readonly Word[]): Word | undefined {
  const given = call.text(option);
  if (given === undefined || words.includes(given as Word)) return given as Word | undefined;
  throw new UsageError(`--${option} takes ${words.join(', ')}, not "${given}".`);
}
