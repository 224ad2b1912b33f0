import * as z from 'zod';
import { didYouMean } from './nearest.ts';

/** What is wrong, and where: the keys and indices that lead there from the top of the document. */
export type Finding = { path: PropertyKey[]; message: string };

/**
 * Parses a document that people write. All findings come at once, in words for its author; a misspelt key or word is named
 * together with the known one nearest to it.
 */
export function strictParse<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
): { value: z.output<Schema>; findings?: never } | { value?: never; findings: Finding[] } {
  const parsed = schema.safeParse(document, { error: inWords });
  if (parsed.success) return { value: parsed.data };
  return { findings: parsed.error.issues.map(({ path, message }) => ({ path, message })) };
}

/** `schema[0].properties[2].required` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`)).join('');
}

function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys((issue.inst as unknown as z.ZodObject).shape);
    return issue.keys.map((key) => `there is no key "${key}" here.${didYouMean(key, known)}`).join(' ');
  }
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value'))
    return 'is missing';
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const written = typeof issue.input === 'string' ? issue.input : JSON.stringify(issue.input);
    return `is "${written}", it must be ${known.join(', ').replace(/, ([^,]*)$/, ' or $1')}.${didYouMean(written, known)}`;
  }
  return undefined;
}
