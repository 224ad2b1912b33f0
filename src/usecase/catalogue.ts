import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Contract } from '../data/contract/contract.ts';
import { parseContract } from '../data/contract/parse.ts';
import { type Finding, pathText, strictParse } from '../data/strict-parse.ts';
import { declarationFindings } from './check.ts';
import { type Declaration, declarationSchema } from './declaration.ts';
import { InvalidDeclaration, UnknownSource, UnknownUseCase } from './errors.ts';

/** A use case as the product works with it: all of its folder that the stages read, as plain data. */
export type UseCase = {
  declaration: Declaration;
  /** By source: the contract's YAML as it was written, and what it says. */
  contracts: { [source: string]: { file: string; yaml: string; contract: Contract } };
  /** features.sql: one query over the views named like the sources. */
  features: string;
  /** labels.sql, where the label is derived. */
  labels?: string;
};

/** All use cases, ascending by id. It survives JSON, so that the deployed functions get it as one asset. */
export type Catalogue = { useCases: UseCase[] };

/** The use case of that id; throws `UnknownUseCase`, which lists those that there are. */
export function useCaseOf({ useCases }: Catalogue, id: string): UseCase {
  const found = useCases.find(({ declaration }) => declaration.id === id);
  if (found) return found;
  throw new UnknownUseCase(
    id,
    useCases.map(({ declaration }) => declaration.id),
  );
}

/** The contract of one source of a use case; throws `UnknownSource`. */
export function contractOf({ declaration, contracts }: UseCase, source: string): Contract {
  if (Object.hasOwn(contracts, source)) return contracts[source].contract;
  throw new UnknownSource(source, declaration.id, Object.keys(contracts));
}

/**
 * Scans a folder of use cases (`<directory>/<id>/usecase.ts`, its contracts and SQL beside it). Throws `InvalidDeclaration` or
 * `InvalidContract` for the first use case with findings, with all of them. Whoever asks for one alone is given that one, where it is
 * there: to read and check the others takes time.
 */
export async function catalogueFromFolder(directory: string, only?: string): Promise<Catalogue> {
  const folders = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const all = folders.map(({ name }) => name).sort();
  const ids = only !== undefined && all.includes(only) ? [only] : all;
  return { useCases: await Promise.all(ids.map((id) => useCaseFromFolder(join(directory, id), id))) };
}

/** What `JSON.stringify` made of a catalogue. Everything is checked again: the code that reads it may be newer. */
export function catalogueFromJson(text: string): Catalogue {
  const { useCases } = JSON.parse(text) as Catalogue;
  return {
    useCases: useCases.map(({ declaration, contracts, features, labels }) => {
      const yamls = Object.values(contracts).map(({ file, yaml }) => [file, yaml] as const);
      const texts = { ...Object.fromEntries(yamls), [featuresFile]: features, ...(labels && { [labelsFile]: labels }) };
      return useCaseOfTexts(declaration.id, declaration, texts);
    }),
  };
}

const featuresFile = 'features.sql';
const labelsFile = 'labels.sql';

async function useCaseFromFolder(folder: string, id: string): Promise<UseCase> {
  const names = (await readdir(folder)).filter((name) => /\.(yaml|yml|sql)$/.test(name));
  const texts = await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
  );
  return useCaseOfTexts(id, await declaredIn(folder, id), Object.fromEntries(texts));
}

async function declaredIn(folder: string, id: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(folder, 'usecase.ts')).href)) as { default?: unknown };
    if (module.default !== undefined) return module.default;
  } catch (error) {
    throw new InvalidDeclaration(`${id}/usecase.ts`, [`it cannot be loaded: ${(error as Error).message}`]);
  }
  throw new InvalidDeclaration(`${id}/usecase.ts`, ['it needs "export default defineUseCase({ … })"']);
}

/** One use case from the texts of its folder, by file name. */
function useCaseOfTexts(id: string, declared: unknown, texts: { [file: string]: string }): UseCase {
  const refuse = (findings: readonly Finding[]): never => {
    const lines = findings.map(({ path, message }) => `${pathText(path) || 'the declaration'}: ${message}`);
    throw new InvalidDeclaration(`${id}/usecase.ts`, lines);
  };
  const { value: declaration, findings } = strictParse(declarationSchema, declared);
  if (findings) return refuse(findings);

  const absent: Finding[] = Object.entries(declaration.sources)
    .filter(([, { contract }]) => !Object.hasOwn(texts, contract))
    .map(([source, { contract }]) => ({
      path: ['sources', source],
      message: `there is no file ${contract} beside it`,
    }));
  if (declaration.id !== id)
    absent.push({ path: ['id'], message: `its folder is called "${id}", the id must be the same` });
  if (!Object.hasOwn(texts, featuresFile)) absent.push({ path: [], message: `there is no ${featuresFile} beside it` });
  if (absent.length > 0) return refuse(absent);

  const contracts = Object.fromEntries(
    Object.entries(declaration.sources).map(([source, { contract: file }]) => {
      const yaml = texts[file];
      return [source, { file, yaml, contract: parseContract(yaml, `${id}/${file}`) }];
    }),
  );
  const contradictions = declarationFindings(declaration, contracts);
  if (contradictions.length > 0) return refuse(contradictions);
  const labels = texts[labelsFile];
  return { declaration, contracts, features: texts[featuresFile], ...(labels !== undefined && { labels }) };
}
