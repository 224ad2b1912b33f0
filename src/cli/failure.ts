import { type ExitCode, UsageError, exitCodes } from './command.ts';
import type { Output } from './output.ts';

/** A command did its work and the answer is no: the file, the model or the data did not pass. Nothing is broken. */
export class GateClosed extends Error {
  override name = 'GateClosed';
  readonly exitCode: ExitCode;
  readonly next: string | undefined;

  constructor(exitCode: ExitCode, message: string, next?: string) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
  }
}

/** Errors by name, where the name alone decides; everything else is a crash. */
const codesByName: Record<string, ExitCode> = {
  UsageError: exitCodes.usage,
  UnknownUseCase: exitCodes.usage,
  UnknownSource: exitCodes.usage,
  InvalidDeclaration: exitCodes.usage,
  InvalidContract: exitCodes.usage,
  InvalidMachine: exitCodes.usage,
  InvalidCannedTasks: exitCodes.usage,
  InvalidModel: exitCodes.usage,
  InvalidExplanation: exitCodes.usage,
  InvalidParameter: exitCodes.usage,
  InvalidTrainingData: exitCodes.usage,
  ArgumentError: exitCodes.usage,
  EncodingError: exitCodes.usage,
  GlmError: exitCodes.usage,
  MisplacedDrop: exitCodes.usage,
  UnsafeKey: exitCodes.usage,
  StateDirectoryUnusable: exitCodes.usage,
  VersionNotFound: exitCodes.usage,
  NothingToRollBackTo: exitCodes.usage,
  NotOnline: exitCodes.usage,
  ExperimentImpossible: exitCodes.usage,
  VersionTombstoned: exitCodes.modelGateRefused,
  FileRejected: exitCodes.dataGateFailed,
  DatasetRefused: exitCodes.dataGateFailed,
  LeakageFound: exitCodes.dataGateFailed,
  TooFewRows: exitCodes.dataGateFailed,
  CredentialsProviderError: exitCodes.awsOrCredentials,
  AccessDeniedException: exitCodes.awsOrCredentials,
  ExpiredTokenException: exitCodes.awsOrCredentials,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof GateClosed) return error.exitCode;
  return exitCodeOfName((error as Error)?.name);
}

/** The same of an error's name, as machines report it. */
export function exitCodeOfName(name: string | undefined): ExitCode {
  return (name === undefined ? undefined : codesByName[name]) ?? exitCodes.crash;
}

/** What went wrong and what to type next. The stack is for whoever sets BORDEREAU_DEBUG. */
export function explain(error: unknown, output: Output): string[] {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const next = error instanceof GateClosed || error instanceof UsageError ? error.next : undefined;
  const label = exitCodeOf(error) === exitCodes.crash ? `${name}: ` : '';
  return [
    `${output.style('red', '✗')} ${label}${message}`,
    ...(next ? [`  Next: ${next}`] : []),
    ...(process.env['BORDEREAU_DEBUG'] && stack ? [stack] : []),
  ];
}
