import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../ports/clock.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { openPorts } from '../runtime/ports.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Catalogue, catalogueFromFolder, useCaseOf } from '../usecase/catalogue.ts';
import { type Call, UsageError } from './command.ts';
import { progressView } from './progress.ts';

const ownUseCases = fileURLToPath(new URL('../../usecases', import.meta.url));

/** The folder of use cases that this command line is about: those that come with the product, unless it names another. */
export let useCasesFolder = ownUseCases;

/** What `--use-cases` says, before anything is done with it. */
export function chooseUseCases(folder: string | undefined): void {
  useCasesFolder = folder === undefined ? ownUseCases : resolve(folder);
}

function checkUseCases(): void {
  if (existsSync(useCasesFolder)) return;
  throw new UsageError(`There is no folder of use cases at ${useCasesFolder}.`, 'bordereau init --use-cases DIR');
}

/** The option that every command about one use case has. */
export const useCaseOption = {
  type: 'string',
  default: 'insurance-cost',
  value: 'ID',
  help: 'the use case; a folder of usecases/',
} as const;

/** `20260201T093000Z`: now, as it stands in the name of a run that a person asks for. */
export const compactTime = (clock: Clock) => new Date(clock.nowMs()).toISOString().replaceAll(/[-:]|\.\d+/g, '');

/** Every use case of that folder. */
export async function localCatalogue(): Promise<Catalogue> {
  checkUseCases();
  return catalogueFromFolder(useCasesFolder);
}

/**
 * The ports of the call's directory, for commands that only read or append, and run no machine; with one use case where no other is
 * asked for.
 */
export async function localPorts(call: Pick<Call, 'directory' | 'text'>, only?: string): Promise<Ports> {
  if (!existsSync(call.directory)) {
    throw new UsageError(`There is nothing at ${call.directory} yet: no file has been dropped.`, 'bordereau demo');
  }
  checkUseCases();
  const ports = await openPorts({
    directory: call.directory,
    useCases: useCasesFolder,
    codeVersion: 'unknown',
    ...(only !== undefined && { useCase: only }),
  });
  const useCase = call.text('use-case');
  if (useCase !== undefined) useCaseOf(ports.catalogue, useCase);
  return ports;
}

/** Opens the runtime on the call's directory with its progress shown, and closes both when the work is done. */
export async function withRuntime<T>(
  call: Pick<Call, 'directory' | 'output'>,
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  checkUseCases();
  const view = progressView(call.output);
  // the stages and the interpreter are loaded by commands that run machines: others start sooner without
  const { openRuntime } = await import('../runtime/runtime.ts');
  const runtime = await openRuntime({
    directory: call.directory,
    useCases: useCasesFolder,
    onProgress: view.show,
  });
  try {
    return await work(runtime);
  } finally {
    view.close();
    await runtime.close();
  }
}
