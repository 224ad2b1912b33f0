import type { Json } from '../data/json.ts';

/** AWS's bound on the UTF-8 size of an input, a result, an output and an Assign, in bytes. */
export const payloadLimitBytes = 262_144;

/** AWS's bound on a Standard execution's history; the last event of a full one is its failure. */
export const historyLimitEvents = 25_000;

/** Iterations that an inline Map runs at once where MaxConcurrency is 0 or absent. */
export const inlineConcurrency = 40;

/** Child executions that a distributed Map runs at once where MaxConcurrency is 0 or absent. */
export const distributedConcurrency = 10_000;

/** The most seconds any field of seconds may hold. */
export const secondsLimit = 99_999_999;

const encoder = new TextEncoder();

/** The size of a value as AWS counts it: the UTF-8 bytes of its JSON text. */
export const jsonBytes = (value: Json): number => textBytes(JSON.stringify(value));

/** The UTF-8 bytes of a text. A text of n characters has at most 3n, which spares most texts the counting. */
export const textBytes = (text: string): number => encoder.encode(text).length;

/** Whether a JSON text is within the payload limit; cheap for small texts. */
export const withinPayloadLimit = (text: string): boolean =>
  text.length * 3 <= payloadLimitBytes || textBytes(text) <= payloadLimitBytes;
