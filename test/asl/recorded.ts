import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Json } from '../../src/data/json.ts';

/** A history that AWS recorded, with the machine, the input and the task results behind it. */
export type Recording = {
  source: string;
  definition: Json;
  input: Json;
  tasks: { [state: string]: { type: string; output?: Json; error?: string; cause?: Json }[] };
  events: { [key: string]: Json }[];
};

const folder = new URL('../../../shared/data/asl_histories/', import.meta.url);

/** The recordings by file name; none where the folder beside the repository is absent. */
export function recordings(): [string, Recording][] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Recording]);
}

// The words that the recordings put in place of what differs from run to run.
const words = new Set(
  'timestamp date snf_role_arn lambda_function_name RequestId x-amzn-RequestId X-Amzn-Trace-Id'.split(' '),
);
const placeholders = /<[^<>\s]+>|lambda_function_name|timestamp/u;

/** What of an actual value differs from a recorded one, by path; recorded words and `<…>` stand for anything. */
export function differences(actual: Json | undefined, recorded: Json | undefined, path = ''): string[] {
  const left = opened(actual);
  const right = opened(recorded);
  if (typeof right === 'string' && (words.has(right) || matches(left, right))) return [];
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return left === right ? [] : [`${path}: ${JSON.stringify(left)} instead of ${JSON.stringify(right)}`];
  }
  if (Array.isArray(left) !== Array.isArray(right)) return [`${path}: an array on one side only`];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) =>
    differences((left as { [key: string]: Json })[key], (right as { [key: string]: Json })[key], `${path}/${key}`),
  );
}

/** Recordings hold JSON texts now as text, now as what they stand for. */
function opened(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

function matches(actual: Json | undefined, recorded: string): boolean {
  const parts = recorded.split(placeholders).map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`));
  if (typeof actual !== 'string' || parts.length === 1) return false;
  return new RegExp(`^${parts.join('.*')}$`, 'su').test(actual);
}
