import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseContract } from '../../src/data/contract/parse.ts';
import { type Validation, validateFile } from '../../src/data/quality/validate.ts';
import type { SqlEngine } from '../../src/data/sql.ts';
import { deIdentify } from '../../src/privacy/de-identify.ts';
import type { GeneratedFile } from '../../src/usecase/synthetic.ts';

const read = (useCase: string, file: string) =>
  readFileSync(new URL(`../../usecases/${useCase}/${file}`, import.meta.url), 'utf8');

export const contractOf = (useCase: string, source: string) =>
  parseContract(read(useCase, `${source}.odcs.yaml`), `${source}.odcs.yaml`);
export const featuresOf = (useCase: string) => read(useCase, 'features.sql');

/** Gives codes that a test can tell from identifiers, and has erased nobody. */
const plainVault = {
  surrogatesOf: async (identifiers: Iterable<string>) =>
    new Map(Array.from(identifiers, (identifier) => [identifier, `surrogate of ${identifier}`])),
  hasErased: async () => false,
  erasedAmong: async () => new Set<string>(),
};

/** Holds a file against its contract and leaves the released rows as the table of the source's name. */
export async function toSilver(
  sql: SqlEngine,
  useCase: string,
  { source, bytes, fileName }: GeneratedFile,
): Promise<Validation> {
  const contract = contractOf(useCase, source);
  const arrivedAtMs = Date.UTC(2026, 1, 27);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const validation = await validateFile({ sql, bytes, fileName, digest, contract, arrivedAtMs, dropId: 'd' });
  await deIdentify({ sql, contract, from: 'accepted', into: source, vaultOf: () => plainVault, arrivedAtMs });
  return validation;
}
