import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import declaration from '../../usecases/insurance-cost/usecase.ts';

const product = new URL('../../usecases/insurance-cost/', import.meta.url);

/** A directory of its own in the system's temporary one; `remove` it at the end. */
export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'bordereau-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The product's contract with customer_id as a pseudonym, so that tests know rows by the numbers that they dropped. */
const withPseudonyms = (file: string, text: string): string =>
  file === 'policies.odcs.yaml'
    ? text
        .replace('classification: restricted', 'classification: confidential')
        .replace('value: identifier', 'value: pseudonym')
    : text;

/**
 * The use case insurance-cost with four candidates of few trees in place of its search, so that training takes a moment. All
 * else is the product's own, unless `change` says otherwise.
 */
export const smallSearch: DeclarationInput = {
  ...declaration,
  models: [
    {
      kind: 'random-forest',
      parameters: { trees: 10, maxDepth: 8, minChildSamples: 4, seed: 42 },
      search: { space: { maxDepth: { integer: [4, 6] } }, trials: 1, folds: 3, metric: 'mae', seed: 42 },
    },
    {
      kind: 'gradient-boosting',
      parameters: { iterations: 60, learningRate: 0.12, maxDepth: 3, minChildSamples: 10, seed: 42 },
      search: { space: { maxDepth: { integer: [2, 3] } }, trials: 1, folds: 3, metric: 'mae', seed: 42 },
    },
  ],
};

/** A folder of use cases that holds this declaration, with the product's contract (but for its key) and features.sql beside it. */
export function useCasesFolder(
  at: string,
  declared: DeclarationInput = smallSearch,
  texts: { [file: string]: (text: string) => string } = {},
): string {
  const folder = join(at, 'insurance-cost');
  mkdirSync(folder, { recursive: true });
  for (const file of ['features.sql', 'policies.odcs.yaml']) {
    const text = withPseudonyms(file, readFileSync(new URL(file, product), 'utf8'));
    writeFileSync(join(folder, file), texts[file]?.(text) ?? text);
  }
  writeFileSync(join(folder, 'usecase.ts'), `export default ${JSON.stringify(declared, null, 2)};\n`);
  return at;
}

/** A copy of a state directory with the files' times, so that what was done there goes on here. */
export function copyOf(directory: string, to: string): void {
  cpSync(directory, to, { recursive: true, preserveTimestamps: true });
}

export const fileUrl = (path: string) => pathToFileURL(path).href;
