import { readFile, writeFile } from 'node:fs/promises';
import { UsageError } from './command.ts';

/** The bytes of a file that the command line names. Throws `UsageError`, which says why it cannot be read. */
export async function readGiven(file: string): Promise<Uint8Array> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(reasons[error.code ?? '']?.(file) ?? `${file} cannot be read (${error.code}).`);
  });
}

/** Writes a file that the command line names. Throws `UsageError`, which says why it cannot be written. */
export async function writeGiven(file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(file, bytes).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? `${file} cannot be written: its directory does not exist.` : undefined;
    throw new UsageError(reason ?? reasons[error.code ?? '']?.(file) ?? `${file} cannot be written (${error.code}).`);
  });
}

const reasons: { [code: string]: (file: string) => string } = {
  ENOENT: (file) => `There is no file ${file}.`,
  EISDIR: (file) => `${file} is a directory: name a file.`,
  ENOTDIR: (file) => `There is no file ${file}: part of its path is a file itself.`,
  EACCES: (file) => `This user may not open ${file}.`,
  EROFS: (file) => `${file} cannot be written: the file system is read-only.`,
};
