import { createHash } from 'node:crypto';
import type { Json } from '../data/json.ts';

/** SHA-256 in lower-case hexadecimal; text is taken as UTF-8. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * One text per JSON value: keys in ascending order at every depth, no white space; what is hashed must have one spelling. As in
 * JSON itself absent members are left out and not-a-number is null, so that a document has the same text after a trip through it.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const members = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}
