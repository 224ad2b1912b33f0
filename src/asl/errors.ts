import type { Json } from '../data/json.ts';
import { present } from './present.ts';

/**
 * Why a state, and with it perhaps its execution, failed: an ASL error name and a cause, each of which may be absent,
 * as a Fail state may leave them out. Retriers and catchers see it; only `execute` turns what is left into a status.
 */
export class StateFailure extends Error {
  override name = 'StateFailure';
  readonly error: string | undefined;
  override readonly cause: string | undefined;
  /** A second name by which retriers and catchers also know this error. */
  readonly alias: string | undefined;

  constructor(error: string | undefined, cause?: string, alias?: string) {
    super(`${error ?? 'no error name'}: ${cause ?? 'no cause'}`);
    this.error = error;
    this.cause = cause;
    this.alias = alias;
  }
}

/** Thrown by a task runner: the task ran and failed. `error` is what Retry and Catch match, `cause` says why. */
export class TaskError extends Error {
  override name = 'TaskError';
  readonly error: string;
  override readonly cause: string | undefined;

  constructor(error: string, cause?: string) {
    super(cause === undefined ? error : `${error}: ${cause}`);
    this.error = error;
    this.cause = cause;
  }
}

/** Thrown by `parseMachine`: everything that is wrong with a definition, each with a JSON pointer to the place. */
export class InvalidMachine extends Error {
  override name = 'InvalidMachine';
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    const lines = findings.map(({ pointer, message }) => `  ${pointer || '/'}: ${message}`);
    super(
      [`the state machine is refused, ${findings.length} finding${findings.length === 1 ? '' : 's'}:`, ...lines].join(
        '\n',
      ),
    );
    this.findings = findings;
  }
}

/** One thing wrong with a definition. `pointer` is a JSON pointer (RFC 6901) into it, '' for the whole. */
export type Finding = { pointer: string; message: string };

/** Thrown by `execute` where AWS would not accept the StartExecution call. */
export class InvalidExecutionInput extends Error {
  override name = 'InvalidExecutionInput';
}

/** Thrown by `redrive` where the execution cannot be redriven: it succeeded. */
export class NotRedrivable extends Error {
  override name = 'NotRedrivable';
}

/** The error output of a failed state, as `$states.errorOutput` shows it: absent parts are empty, as AWS binds them. */
export function errorOutput({ error, cause }: StateFailure): { [key: string]: Json } {
  return { Error: error ?? '', Cause: cause ?? '' };
}

/** What fails a state that hands on more than AWS allows; `holder` is what AWS's cause names. */
export function tooLarge(holder: string): StateFailure {
  const cause = `The state/task '${holder}' returned a result with a size exceeding the maximum number of bytes service limit.`;
  return new StateFailure('States.DataLimitExceeded', cause);
}

/** The parts of a failure as event details: absent parts stay absent. */
export function failureDetails({ error, cause }: { error?: string | undefined; cause?: string | undefined }): {
  [key: string]: Json;
} {
  return present({ cause, error });
}

// What the wildcards leave out: AWS ends the execution on these unless they are named themselves.
const terminal = new Set(['States.DataLimitExceeded', 'States.Runtime']);

/**
 * Whether an ErrorEquals list matches. `States.ALL` stands for every error but States.DataLimitExceeded and
 * States.Runtime, `States.TaskFailed` for the same without timeouts.
 */
export function matchesError(errorEquals: readonly string[], failure: StateFailure): boolean {
  const { error, alias } = failure;
  return errorEquals.some((name) => {
    if (name === error || (alias !== undefined && name === alias)) return true;
    if (error !== undefined && terminal.has(error)) return false;
    if (name === 'States.ALL') return true;
    return name === 'States.TaskFailed' && error !== 'States.Timeout';
  });
}

/** Whether the failure ends the execution at once, with no event for the states around the one that failed. */
export const endsExecution = ({ error }: StateFailure): boolean => error === 'States.Runtime';

/** Ends one branch because another failed or the execution ended; never seen by retriers or catchers. */
export class LaneAborted extends Error {
  override name = 'LaneAborted';
}

/** Ends the execution because the history is full; never seen by retriers or catchers. */
export class HistoryFull extends Error {
  override name = 'HistoryFull';
}
