import type { Json } from '../data/json.ts';
import type { Clock } from '../ports/clock.ts';
import { TaskError } from './errors.ts';
import type { Finding } from './errors.ts';
import { Fields } from './fields.ts';
import type { Machine } from './machine.ts';
import type { TaskCall, TaskRunner } from './tasks.ts';

/** Thrown for a document of canned tasks that is wrong, and by its runner for a Task that the document leaves out. */
export class InvalidCannedTasks extends Error {
  override name = 'InvalidCannedTasks';
}

/**
 * A task runner that answers from a document: `{ "<state>": [entry, …] }`. Each call of the state's Task, a retry too,
 * takes the next entry, and the last entry repeats. An entry has either `"return": <result>` or
 * `"throw": { "error": …, "cause": … }`, the cause being optional and any JSON, and it may have
 * - `"waitSeconds"`: how long the call takes on the clock,
 * - `"heartbeatSeconds"`: how often it gives a heartbeat meanwhile,
 * - `"submitted"`: what the request of a `.sync` or `.waitForTaskToken` Task is answered with.
 *
 * Throws `InvalidCannedTasks` naming every entry that is wrong and every name that is no Task of the machine.
 */
export function cannedTasks(document: Json, machine: Machine, clock: Clock): TaskRunner {
  const entries = readDocument(document, machine);
  const calls = new Map<string, number>();
  return async (call) => {
    const { stateName } = call;
    const canned = entries.get(stateName);
    if (canned === undefined) {
      throw new InvalidCannedTasks(
        `the canned tasks have no entry for the Task '${stateName}': add "${stateName}": [{ "return": … }]`,
      );
    }
    const number = calls.get(stateName) ?? 0;
    calls.set(stateName, number + 1);
    return perform(canned[Math.min(number, canned.length - 1)], call, clock);
  };
}

type Entry = {
  waitSeconds: number;
  heartbeatSeconds: number;
  submitted: Json | undefined;
  output: Json | undefined;
  failure: TaskError | undefined;
};

async function perform(entry: Entry, { submitted, heartbeat, signal }: TaskCall, clock: Clock): Promise<Json> {
  if (entry.submitted !== undefined) submitted(entry.submitted);
  for (let rest = entry.waitSeconds; rest > 0; rest -= entry.heartbeatSeconds) {
    await clock.sleep(Math.min(rest, entry.heartbeatSeconds) * 1000, signal);
    if (rest > entry.heartbeatSeconds) heartbeat();
  }
  if (entry.failure !== undefined) throw entry.failure;
  return entry.output ?? null;
}

function readDocument(document: Json, { tasks }: Machine): Map<string, Entry[]> {
  const findings: Finding[] = [];
  const fields = Fields.of(document, '', findings);
  const entries = new Map<string, Entry[]>();
  for (const name of fields?.names() ?? []) {
    const list = fields?.objects(name) ?? [];
    if (!tasks.includes(name))
      fields?.refuse(name, `the machine has no Task '${name}'; it has ${tasks.join(', ') || 'none'}`);
    else if (list.length === 0) fields?.refuse(name, 'expected at least one entry');
    entries.set(name, list.map(readEntry));
  }
  if (findings.length === 0) return entries;
  const lines = findings.map(({ pointer, message }) => `  ${pointer || '/'}: ${message}`);
  throw new InvalidCannedTasks(['the canned tasks are refused:', ...lines].join('\n'));
}

function readEntry(fields: Fields): Entry {
  const waitSeconds = fields.number('waitSeconds', 0) ?? 0;
  const heartbeatSeconds = fields.number('heartbeatSeconds', 0.001) ?? Number.POSITIVE_INFINITY;
  const submitted = fields.take('submitted');
  const output = fields.take('return');
  const thrown = fields.object('throw');
  const failure = thrown && readThrown(thrown);
  if (fields.has('return') === fields.has('throw')) {
    fields.refuseAll(`expected either 'return' or 'throw'`);
  }
  fields.end();
  return { waitSeconds, heartbeatSeconds, submitted, output, failure };
}

function readThrown(thrown: Fields): TaskError {
  const error = thrown.requiredText('error') ?? '';
  const cause = thrown.take('cause');
  thrown.end();
  // Lambda's causes are JSON as text; the document may hold them as JSON.
  return new TaskError(error, cause === undefined || typeof cause === 'string' ? cause : JSON.stringify(cause));
}
