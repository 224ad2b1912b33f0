import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';

/** Where the functions that are not pure take time, identifiers and chance from. `random` gives numbers in [0, 1). */
export type FunctionSources = { clock: Clock; ids: Ids; random: () => number };

/**
 * The functions that Step Functions adds to JSONata, and the built-in ones that would read the machine's own clock or
 * chance, as bindings for one evaluation: time stands still during it. `$eval` is taken away, as Step Functions does.
 */
export function jsonataFunctions({ clock, ids, random }: FunctionSources): { [name: string]: unknown } {
  const nowMs = clock.nowMs();
  return {
    eval: undefined,
    hash,
    millis: () => nowMs,
    now: (picture?: string, timezone?: string) => formatInstant(nowMs, picture, timezone),
    parse,
    partition,
    random: (seed?: number, ...surplus: unknown[]) => {
      refuseSurplus('random', 1, surplus);
      return seed === undefined ? random() : seededRandom(seed);
    },
    range,
    shuffle: (list?: unknown, ...surplus: unknown[]) => {
      refuseSurplus('shuffle', 1, surplus);
      return shuffle(list, random);
    },
    uuid: (...surplus: unknown[]) => {
      refuseSurplus('uuid', 0, surplus);
      return ids.next();
    },
  };
}

/** The value that a JSON text stands for. */
function parse(text?: unknown, ...surplus: unknown[]): unknown {
  refuseSurplus('parse', 1, surplus);
  if (text === undefined) return undefined;
  if (typeof text !== 'string') throw wrongArgument('parse', 1);
  try {
    return JSON.parse(text);
  } catch {
    throw failure('Invalid JSON');
  }
}

/** Cuts an array into arrays of a size; the last may be shorter. */
function partition(list?: unknown, size?: unknown, ...surplus: unknown[]): unknown {
  refuseSurplus('partition', 2, surplus);
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) throw { code: 'T0412', index: 1, token: 'partition' };
  if (size === undefined) return [list];
  if (typeof size !== 'number') throw wrongArgument('partition', 2);

  const length = Math.trunc(size);
  if (length < 0) throw failure('Second argument must be zero or greater');
  if (length === 0 || list.length === 0) return undefined;
  const count = Math.ceil(list.length / length);
  return Array.from({ length: count }, (_, index) => list.slice(index * length, (index + 1) * length));
}

/** The numbers from `start` to `end`, both included where the step hits them; a single one comes without an array. */
function range(start?: unknown, end?: unknown, step?: unknown, ...surplus: unknown[]): unknown {
  refuseSurplus('range', 3, surplus);
  if (typeof start !== 'number') throw wrongArgument('range', 1);
  if (typeof end !== 'number') throw wrongArgument('range', 2);
  if (step === undefined) return undefined;
  if (typeof step !== 'number') throw wrongArgument('range', 3);
  if (start === end) return start;
  if (step === 0 || Math.sign(end - start) !== Math.sign(step)) return undefined;
  // Counted and multiplied instead of summed up, so that steps like 0.1 do not drift.
  const count = Math.floor((end - start) / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => start + index * step);
}

const digests = ['SHA-1', 'SHA-384', 'SHA-256', 'SHA-512', 'MD5'];

/** The digest of a text in hexadecimal. */
function hash(text?: unknown, algorithm?: unknown, ...surplus: unknown[]): unknown {
  refuseSurplus('hash', 2, surplus);
  if (text === undefined || algorithm === undefined) return undefined;
  if (typeof text !== 'string') throw wrongArgument('hash', 1);
  if (typeof algorithm !== 'string') throw wrongArgument('hash', 2);
  if (!digests.includes(algorithm)) {
    throw failure(`Hash algorithm '${algorithm}' must be one of ${digests.slice(0, -1).join(', ')}, ${digests.at(-1)}`);
  }
  return createHash(algorithm.replace('-', '')).update(text, 'utf8').digest('hex');
}

/**
 * The first `nextDouble` of `java.util.Random` with that seed, which is what Step Functions returns: a linear
 * congruential generator of 48 bits, specified in the documentation of that class.
 */
function seededRandom(seed: unknown): number {
  if (typeof seed !== 'number') throw wrongArgument('random', 1);
  const multiplier = 0x5deece66dn;
  const mask = (1n << 48n) - 1n;
  let state = (BigInt(Math.trunc(seed)) ^ multiplier) & mask;
  const bits = (count: bigint): bigint => {
    state = (state * multiplier + 0xbn) & mask;
    return state >> (48n - count);
  };
  const high = bits(26n) << 27n;
  return Number(high + bits(27n)) / 2 ** 53;
}

/** Fisher–Yates on a copy. */
function shuffle(list: unknown, random: () => number): unknown {
  if (!Array.isArray(list)) return list;
  const shuffled = [...(list as unknown[])];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
  }
  return shuffled;
}

const formatter = jsonata('$fromMillis($instant, $picture, $timezone)');

function formatInstant(instant: number, picture: string | undefined, timezone: string | undefined): Promise<string> {
  return formatter.evaluate(undefined, { instant, picture, timezone }) as Promise<string>;
}

// JSONata's errors are plain objects; it finds the message to the code itself.
const failure = (message: string) => ({ code: 'D3137', message });
const wrongArgument = (token: string, index: number) => ({ code: 'T0410', index, token });

function refuseSurplus(name: string, known: number, surplus: readonly unknown[]): void {
  if (surplus.length > 0) throw wrongArgument(name, known + 1);
}
