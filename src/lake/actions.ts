import * as z from 'zod';
import { LogDamaged } from './errors.ts';

/*
 * The actions of the Delta transaction log that a table of ours is made of, after the Delta Transaction Log Protocol
 * (delta-io/delta, PROTOCOL.md, "Actions"). A reader ignores fields and actions that it does not know; what it must not
 * ignore is announced by the `protocol` action and refused by name in `protocol.ts`.
 */

const whole = z.int();
const text = z.string();
/** Partition column → its value as text; null is a null value. */
const partitionValues = z.record(text, text.nullable());

const protocol = z.object({
  minReaderVersion: whole,
  minWriterVersion: whole,
  readerFeatures: z.array(text).optional(),
  writerFeatures: z.array(text).optional(),
});

const metaData = z.object({
  id: text,
  name: text.optional(),
  description: text.optional(),
  format: z.object({ provider: text, options: z.record(text, text).optional() }),
  schemaString: text,
  partitionColumns: z.array(text),
  createdTime: whole.optional(),
  configuration: z.record(text, text.nullable()).optional(),
});

const add = z.object({
  /** Relative to the table, percent-encoded. */
  path: text,
  partitionValues,
  /** Bytes. */
  size: whole,
  modificationTime: whole,
  dataChange: z.boolean(),
  /** JSON: numRecords, minValues, maxValues, nullCount. */
  stats: text.optional(),
  tags: z.record(text, text.nullable()).optional(),
});

const remove = z.object({
  path: text,
  deletionTimestamp: whole.optional(),
  dataChange: z.boolean(),
  extendedFileMetadata: z.boolean().optional(),
  partitionValues: partitionValues.optional(),
  size: whole.optional(),
});

const txn = z.object({ appId: text, version: whole, lastUpdated: whole.optional() });

const commitInfo = z.looseObject({
  timestamp: whole.optional(),
  inCommitTimestamp: whole.optional(),
  operation: text.optional(),
  operationParameters: z.record(text, z.json()).optional(),
  operationMetrics: z.record(text, z.json()).optional(),
  engineInfo: text.optional(),
  /** Unique per attempt to commit: by it a writer recognises its own commit after a lost acknowledgement. */
  txnId: text.optional(),
});

const known = { protocol, metaData, add, remove, txn, commitInfo };

export type Protocol = z.infer<typeof protocol>;
export type Metadata = z.infer<typeof metaData>;
export type Add = z.infer<typeof add>;
export type Remove = z.infer<typeof remove>;
export type Txn = z.infer<typeof txn>;
export type CommitInfo = z.infer<typeof commitInfo>;

/** One line of a commit: exactly one of the actions. */
export type Action = {
  [Name in keyof typeof known]: { [K in Name]: z.infer<(typeof known)[Name]> };
}[keyof typeof known];

/** A commit file's content: one action per line. */
export function serializeActions(actions: readonly Action[]): Uint8Array {
  return new TextEncoder().encode(actions.map((action) => `${JSON.stringify(action)}\n`).join(''));
}

/**
 * The actions of a commit file, those unknown to us left out. Throws `LogDamaged` with the line for whatever is not UTF-8,
 * not JSON, or an action without what the protocol requires.
 */
export function parseActions(bytes: Uint8Array, path: string, file: string): Action[] {
  let content: string;
  try {
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new LogDamaged(path, file, 'it is not UTF-8');
  }
  return content.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    return parseAction(line, (problem) => new LogDamaged(path, file, `line ${i + 1} ${problem}`));
  });
}

/** One action from its JSON text, or none where it is of an unknown kind. `damaged` makes the error. */
export function parseAction(line: string, damaged: (problem: string) => Error): Action[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw damaged('is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw damaged('is no action');
  return Object.entries(value).flatMap(([name, content]: [string, unknown]) => {
    if (!Object.hasOwn(known, name) || content === null) return [];
    const parsed = known[name as keyof typeof known].safeParse(withoutNulls(content));
    if (parsed.success) return [{ [name]: parsed.data } as Action];
    const [issue] = parsed.error.issues;
    throw damaged(`is no valid ${name} action (${[name, ...issue.path].join('.')}: ${issue.message})`);
  });
}

/** Some writers spell out absent fields as null. */
function withoutNulls(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
}
