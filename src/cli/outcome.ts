import { resolve } from 'node:path';
import type { Json } from '../data/json.ts';
import type { Ended } from '../runtime/runtime.ts';
import { type Call, type ExitCode, exitCodes } from './command.ts';
import { exitCodeOfName } from './failure.ts';

/** What a chain of machines came to: for the exit code, the document and the last lines. */
export type Outcome = { exitCode: ExitCode; document: { machines: Json; reports: string[] } };

/** Tells how the executions ended, why, and where their reports are; the worst of them is the exit code. */
export function followUp(call: Call, ended: readonly Ended[]): Outcome {
  for (const execution of ended) if (execution.status !== 'SUCCEEDED') tellFailure(call, execution);
  const reasons = ended.filter(({ status }) => status === 'SUCCEEDED').flatMap((execution) => execution.reasons);
  for (const reason of new Set(reasons)) call.output.print(reason);
  const reports = reportPaths(call.directory, ended);
  for (const path of reports) call.output.print(path);
  const machines = ended.map(({ machine, status, error, cause, announced, reasons }) => ({
    machine,
    status,
    error: error ?? null,
    cause: cause === undefined ? null : inWords(cause),
    announced: [...announced],
    reasons: [...reasons],
  }));
  return { exitCode: exitCodeOf(ended), document: { machines, reports } };
}

function tellFailure({ output }: Call, { machine, status, error, cause = '', failures }: Ended): void {
  const mark = output.style('red', '✗');
  if (error === 'DatasetRefused') {
    output.error(`${mark} ${inWords(cause)} The file stays in bronze; no row of it has entered silver.`);
    output.error('  Next: correct the file and drop it again, or the contract in usecases/');
  } else {
    const how = status === 'FAILED' ? 'failed' : status.toLowerCase();
    const why = inWords(cause);
    output.error(`${mark} ${machine} ${how}. ${error ?? ''}: ${why}`);
    // a Map says only that some of it failed
    for (const failure of new Set(failures)) if (!failure.endsWith(why)) output.error(`  ${failure}`);
  }
}

/** The message in a cause as the machines pass it on: `TooFewRows: {"errorType":"TooFewRows","errorMessage":"…"}`. */
function inWords(cause: string): string {
  const message = /"errorMessage":("(?:[^"\\]|\\.)*")/.exec(cause)?.[1];
  return message === undefined ? cause.replace(/^\w+: /, '') : (JSON.parse(message) as string);
}

/** The pages that the executions wrote, each once. */
export function reportPaths(directory: string, ended: readonly Ended[]): string[] {
  return [...new Set(ended.flatMap(({ report }) => (report ? [resolve(directory, 'reports', report)] : [])))];
}

function exitCodeOf(ended: readonly Ended[]): ExitCode {
  const failed = ended.find(({ status }) => status !== 'SUCCEEDED');
  if (failed) return exitCodeOfName(failed.error);
  if (ended.some(({ announced }) => announced.includes('ModelRefused'))) return exitCodes.modelGateRefused;
  if (ended.some(({ announced }) => announced.includes('DriftDetected'))) return exitCodes.driftAlert;
  return exitCodes.ok;
}
