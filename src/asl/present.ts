import type { Json } from '../data/json.ts';

/** A JSON object of those fields that there are. */
export function present(fields: { [name: string]: Json | undefined }): { [name: string]: Json } {
  const entries = Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
