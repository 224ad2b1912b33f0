import { resolve } from 'node:path';
import type { Json } from '../data/json.ts';
import type { Ended } from '../runtime/runtime.ts';
import { type Call, type ExitCode, exitCodes } from './command.ts';

/** What a chain of machines came to: for the exit code, the document and the last lines. */
export type Outcome = { exitCode: ExitCode; document: { machines: Json; reports: string[] } };

/** Tells how the executions ended and where their reports are; the worst of them is the exit code. */
export function followUp(call: Call, ended: readonly Ended[]): Outcome {
  const reports = reportPaths(call.directory, ended);
  for (const path of reports) call.output.print(path);
  const machines = ended.map(({ machine, status, error, cause }) => ({
    machine,
    status,
    error: error ?? null,
    cause: cause ?? null,
  }));
  return { exitCode: exitCodeOf(ended), document: { machines, reports } };
}

/** The pages that the executions wrote, each once. */
export function reportPaths(directory: string, ended: readonly Ended[]): string[] {
  return [...new Set(ended.flatMap(({ report }) => (report ? [resolve(directory, 'reports', report)] : [])))];
}

function exitCodeOf(ended: readonly Ended[]): ExitCode {
  const failed = ended.find(({ status }) => status !== 'SUCCEEDED');
  if (failed) return failed.error === 'DatasetRefused' ? exitCodes.dataGateFailed : exitCodes.crash;
  if (ended.some(({ announced }) => announced.includes('ModelRefused'))) return exitCodes.modelGateRefused;
  if (ended.some(({ announced }) => announced.includes('DriftDetected'))) return exitCodes.driftAlert;
  return exitCodes.ok;
}
