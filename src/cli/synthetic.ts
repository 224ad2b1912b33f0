import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnknownUseCase } from '../usecase/errors.ts';
import type { Demo, Generator, GeneratorOption, GeneratorValues } from '../usecase/synthetic.ts';
import { type Call, type Command, UsageError } from './command.ts';
import type { Story } from './demo-story.ts';
import { localCatalogue, useCasesFolder } from './open.ts';

/** What lies beside a use case's declaration for the command line: its synthetic source, and its demo. */
export async function generatorOf(id: string): Promise<Generator> {
  await ensureKnown(id);
  return generatorModule(id);
}

export async function demoOf(id: string): Promise<Demo> {
  await ensureKnown(id);
  return (await moduleOf<{ demo: Demo }>(id, 'demo.ts', 'has no demo')).demo;
}

/** The demo of a use case with its own files. */
export async function storyOf(useCase: string, given: GeneratorValues = {}): Promise<Story> {
  const { values, until } = await demoOf(useCase);
  return { useCase, steps: values(given), until };
}

/** The generator's values as options of a command line; none where the use case is not known, which is said later. */
export async function generatorOptions(
  id: string | undefined,
  { files = true }: { files?: boolean } = {},
): Promise<Command['options']> {
  if (id === undefined || !existsSync(join(useCasesFolder, id, 'generate.ts'))) return {};
  const { options } = await generatorModule(id);
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, { file }]) => files || !file)
      .map(([name, { help, file }]) => [dashed(name), { type: 'string', value: file ? 'FILE' : 'N', help } as const]),
  );
}

/** The values given for the generator's options: numbers within their bounds, and the texts of files. Throws `UsageError`. */
export function generatorValues(call: Call, options: Generator['options']): GeneratorValues {
  const values: GeneratorValues = {};
  for (const [name, limits] of Object.entries(options)) {
    const value = limits.file ? textOfFile(call, dashed(name)) : numberWithin(call, dashed(name), limits);
    if (value !== undefined) values[name] = value;
  }
  const month = call.text('month');
  if (month !== undefined) {
    if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new UsageError(`--month takes YYYY-MM, not "${month}".`);
    values.month = month;
  }
  return values;
}

function numberWithin(
  call: Call,
  option: string,
  { least = -Infinity, most = Infinity, whole }: GeneratorOption,
): number | undefined {
  const value = call.number(option);
  if (value === undefined || (value >= least && value <= most && !(whole && !Number.isInteger(value)))) return value;
  const bounds = [least > -Infinity && `at least ${least}`, most < Infinity && `at most ${most}`]
    .filter(Boolean)
    .join(' and ');
  throw new UsageError(`--${option} takes a ${whole ? 'whole ' : ''}number${bounds && ` of ${bounds}`}, not ${value}.`);
}

function textOfFile(call: Call, option: string): string | undefined {
  const path = call.text(option);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`The file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function ensureKnown(id: string): Promise<void> {
  const { useCases } = await localCatalogue();
  const ids = useCases.map(({ declaration }) => declaration.id);
  if (!ids.includes(id)) throw new UnknownUseCase(id, ids);
}

const generatorModule = (id: string) => moduleOf<Generator>(id, 'generate.ts', 'has no synthetic data');

async function moduleOf<Module>(id: string, file: string, lacks: string): Promise<Module> {
  const path = join(useCasesFolder, id, file);
  if (!existsSync(path)) throw new UsageError(`The use case ${id} ${lacks}: there is no ${file} in its folder.`);
  return (await import(pathToFileURL(path).href)) as Module;
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
