import { type SpawnSyncReturns, spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from '../stages/use-cases.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export type Ran = Pick<SpawnSyncReturns<string>, 'stdout' | 'stderr'> & { code: number | null };

export type Clone = {
  /** The directory in which the commands run; state lies in its `.bordereau`. */
  directory: string;
  /** The use case's folder in the clone, to be edited. */
  useCase: string;
  /** Runs the real binary with nobody at the keyboard. */
  bordereau: (...argv: string[]) => Promise<Ran>;
  /** The same as a shell runs it; `$bordereau` stands for the binary. */
  shell: (line: string) => Promise<Ran>;
  remove: () => void;
};

/** The product's sources beside a copy of its use case with another search, as somebody's clone with edits would be. */
export function cloned(declared: DeclarationInput = smallSearch): Clone {
  const { path, remove } = temporaryDirectory();
  const clone = join(path, 'clone');
  const directory = join(path, 'work');
  for (const made of [clone, directory]) mkdirSync(made);
  for (const part of ['src', 'statemachines', 'package.json'])
    cpSync(join(root, part), join(clone, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  useCasesFolder(join(clone, 'usecases'), declared);
  const useCase = join(clone, 'usecases/insurance-cost');
  for (const file of ['generate.ts', 'next-month.ts'])
    cpSync(join(root, 'usecases/insurance-cost', file), join(useCase, file));

  const binary = join(clone, 'src/cli/bin.mjs');
  const env = { ...process.env, bordereau: `${process.execPath} ${binary}` };
  return {
    directory,
    useCase,
    bordereau: (...argv) => run(process.execPath, [binary, ...argv], { cwd: directory, env }),
    shell: (line) => run('sh', ['-c', line], { cwd: directory, env }),
    remove,
  };
}

function run(command: string, argv: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argv, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const ran = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...ran }));
  });
}
