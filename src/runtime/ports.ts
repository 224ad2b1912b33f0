import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DirectoryStore } from '../adapters/embedded/directory-store.ts';
import { FileKeyRing } from '../adapters/embedded/file-key-ring.ts';
import { fileTelemetry } from '../adapters/embedded/file-telemetry.ts';
import { tfjsBackends } from '../adapters/embedded/tfjs-backend.ts';
import { RandomIds } from '../adapters/embedded/random-ids.ts';
import { storedCatalogue } from '../adapters/embedded/stored-catalogue.ts';
import { storedExecutions } from '../adapters/embedded/stored-executions.ts';
import { SystemClock } from '../adapters/embedded/system-clock.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { catalogueFromFolder } from '../usecase/catalogue.ts';
import { giveBackMemory } from './give-back.ts';

/** Enough to open the same ports in another thread: plain data. */
export type PortsRecipe = {
  /** The state directory; its folders are the zones. */
  directory: string;
  /** The folder of use cases. */
  useCases: string;
  codeVersion: string;
  /** The only use case that is asked for. @default - all of the folder are */
  useCase?: string;
};

/** The state directory cannot be made or written to. */
export class StateDirectoryUnusable extends Error {
  override name = 'StateDirectoryUnusable';

  constructor(directory: string, cause: NodeJS.ErrnoException) {
    super(
      `The state directory ${directory} cannot be used: ${reasons[cause.code ?? ''] ?? cause.code}. Name another one by --dir.`,
      { cause },
    );
  }
}

const reasons: { [code: string]: string } = {
  ENOTDIR: 'part of its path is a file',
  EEXIST: 'part of its path is a file',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Ports on directories: one per zone, in the layout of the buckets. Throws `StateDirectoryUnusable`. */
export async function openPorts({ directory, useCases, codeVersion, useCase }: PortsRecipe): Promise<Ports> {
  const temporaryDirectory = join(directory, 'tmp');
  for (const needed of [temporaryDirectory, join(directory, 'runtime')]) {
    await mkdir(needed, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      throw new StateDirectoryUnusable(directory, error);
    });
  }
  const clock = new SystemClock();
  const zone = (name: string) => new DirectoryStore(join(directory, name));
  return {
    bronze: zone('bronze'),
    silver: zone('silver'),
    gold: zone('gold'),
    registry: zone('registry'),
    reports: zone('reports'),
    catalogue: await catalogueFromFolder(useCases, useCase),
    clock,
    ids: new RandomIds(),
    executions: storedExecutions(zone('runtime')),
    keyRing: new FileKeyRing(join(directory, 'keys', 'vault.key')),
    models: storedCatalogue(zone('runtime')),
    backends: tfjsBackends,
    ...(availableParallelism() > 1 && { trainingThread: new URL('../ml/trees/training-thread.ts', import.meta.url) }),
    modelThreads: availableParallelism() > 1 ? 2 : 1,
    giveBackMemory,
    telemetry: fileTelemetry(join(directory, 'runtime', 'log.jsonl'), clock),
    temporaryDirectory,
    codeVersion,
  };
}
