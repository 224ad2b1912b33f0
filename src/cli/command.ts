import type { ParseArgsOptionsConfig } from 'node:util';
import type { Output } from './output.ts';

/** What a shell sees when a command ends; the same for every command. */
export const exitCodes = {
  ok: 0,
  crash: 1,
  usage: 2,
  dataGateFailed: 3,
  modelGateRefused: 4,
  driftAlert: 5,
  awsOrCredentials: 6,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** One word after `bordereau`. */
export type Command = {
  summary: string;
  /** What follows the command's name: `FILE --source NAME`. */
  usage: string;
  /** Whole command lines with what they do; shown before anything else in `--help`. */
  examples: readonly (readonly [line: string, does: string])[];
  /** Options besides those that every command has; `help` says what each does. */
  options: { [name: string]: ParseArgsOptionsConfig[string] & { help: string; value?: string } };
  /** Further options, of what the command line names: a use case brings its own. */
  moreOptions?: (args: readonly string[]) => Promise<Command['options']>;
  /** How many words it takes without an option's name. */
  positionals: { min: number; max: number };
  run(call: Call): Promise<ExitCode>;
};

/** A command line, taken apart. */
export type Call = {
  positionals: string[];
  /** The text given for an option, or its declared default. */
  text: (option: string) => string | undefined;
  /** A whole or decimal number given for an option. */
  number: (option: string) => number | undefined;
  flag: (option: string) => boolean;
  /** Where the state lies: `--dir`, by default `.bordereau` in the current directory. */
  directory: string;
  output: Output;
};

/** The command line is wrong; the message says how, and `next` what to type instead. */
export class UsageError extends Error {
  override name = 'UsageError';
  readonly next: string | undefined;

  constructor(message: string, next?: string) {
    super(message);
    this.next = next;
  }
}
