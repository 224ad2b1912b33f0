import { readPassing } from './dataflow.ts';
import type { Passing } from './dataflow.ts';
import { endsExecution, errorOutput, matchesError, StateFailure } from './errors.ts';
import type { Fields } from './fields.ts';
import type { Lane } from './lane.ts';
import { secondsLimit } from './limits.ts';
import { Retries } from './retry.ts';
import type { Retrier } from './retry.ts';
import { targetsOf } from './state-fields.ts';
import type { State, StateFields } from './state-fields.ts';

type Catcher = { errorEquals: readonly string[]; passing: Passing; next: string | undefined };

/** What a Task, Map or Parallel does about failures. */
export type Attempts = { retriers: readonly Retrier[]; catchers: readonly Catcher[]; targets: State['targets'] };

/** Reads `Retry` and `Catch`. */
export function readAttempts(state: StateFields): Attempts {
  const retrierFields = state.fields.objects('Retry') ?? [];
  const retriers = retrierFields.map((fields, index) => readRetrier(fields, index === retrierFields.length - 1));
  const catcherFields = state.fields.objects('Catch') ?? [];
  const catchers = catcherFields.map((fields, index) =>
    readCatcher(state.part(fields, `Catch[${index}]/`), index === catcherFields.length - 1),
  );
  return { retriers, catchers, targets: catchers.flatMap(({ targets }) => targets) };
}

/**
 * Does a state's work until it succeeds, is caught or fails for good. `work` moves the lane on itself; `failed` records
 * what the type of state records when it is not tried again.
 */
export async function attempting(
  lane: Lane,
  type: string,
  { retriers, catchers }: Attempts,
  work: (attempt: number) => Promise<void>,
  failed: () => void = () => {},
): Promise<void> {
  const retries = new Retries(retriers, lane.scope.random);
  for (let attempt = 0; ; attempt += 1) {
    lane.retryCount = attempt;
    try {
      return await work(attempt);
    } catch (failure) {
      if (!(failure instanceof StateFailure)) throw failure;
      delete lane.progress.result;
      // AWS runs all branches again where what they returned together was too large.
      if (failure.error === 'States.DataLimitExceeded') delete lane.progress.inner;
      const seconds = retries.next(failure);
      if (seconds === undefined) return lane.step(() => caught(lane, type, catchers, failure, failed));
      delete lane.progress.inner;
      if (seconds > 0) await lane.scope.clock.sleep(seconds * 1000, lane.signal);
    }
  }
}

async function caught(
  lane: Lane,
  type: string,
  catchers: readonly Catcher[],
  failure: StateFailure,
  failed: () => void,
): Promise<void> {
  if (!endsExecution(failure)) failed();
  const catcher = catchers.find(({ errorEquals }) => matchesError(errorEquals, failure));
  if (catcher === undefined) throw failure;
  const output = errorOutput(failure);
  lane.exit(type, await catcher.passing(lane, output, { errorOutput: output }), catcher.next);
}

function readRetrier(fields: Fields, last: boolean): Retrier {
  const errorEquals = readErrorEquals(fields, last);
  const intervalSeconds = fields.integer('IntervalSeconds', 1, secondsLimit) ?? 1;
  const maxAttempts = fields.integer('MaxAttempts', 0, secondsLimit) ?? 3;
  const backoffRate = fields.number('BackoffRate', 1) ?? 2;
  const maxDelaySeconds = fields.integer('MaxDelaySeconds', 1, mostDelaySeconds);
  const jitter = fields.choice('JitterStrategy', ['NONE', 'FULL']) ?? 'NONE';
  fields.take('Comment');
  fields.end();
  if (maxDelaySeconds !== undefined && maxDelaySeconds <= intervalSeconds) {
    fields.refuse('MaxDelaySeconds', `MaxDelaySeconds must be greater than IntervalSeconds, ${intervalSeconds}.`);
  }
  return { errorEquals, intervalSeconds, maxAttempts, backoffRate, maxDelaySeconds, jitter };
}

/** AWS: MaxDelaySeconds is less than 31,622,400, a leap year. */
const mostDelaySeconds = 31_622_399;

function readCatcher(catcher: StateFields, last: boolean): Catcher & Pick<Attempts, 'targets'> {
  const { fields } = catcher;
  const errorEquals = readErrorEquals(fields, last);
  const next = fields.requiredText('Next');
  const passing = readPassing(catcher, ['errorOutput'], ['ResultPath']);
  fields.take('Comment');
  catcher.end();
  return { errorEquals, passing, next, targets: targetsOf(fields, next) };
}

function readErrorEquals(fields: Fields, last: boolean): string[] {
  const value = fields.required('ErrorEquals');
  const names = Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
  if (value !== undefined && (!Array.isArray(value) || names.length === 0 || names.length < value.length)) {
    fields.refuse('ErrorEquals', 'Expected an array of error names.');
  }
  if (names.includes('States.ALL') && (names.length > 1 || !last)) {
    fields.refuse('ErrorEquals', 'States.ALL must appear alone and at end of list');
  }
  return names;
}
