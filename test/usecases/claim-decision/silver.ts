/** The sources of claim-decision as the views that features.sql reads: validated, and de-identified as on their way to silver. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Contract } from '../../../src/data/contract/contract.ts';
import { parseContract } from '../../../src/data/contract/parse.ts';
import { type Validation, validateFile } from '../../../src/data/quality/validate.ts';
import type { SqlEngine } from '../../../src/data/sql.ts';
import { deIdentify } from '../../../src/privacy/de-identify.ts';
import type { GeneratedFile } from '../../../src/usecase/synthetic.ts';

const folder = new URL('../../../usecases/claim-decision/', import.meta.url);
export const textOf = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
export const contractOf = (source: string): Contract => parseContract(textOf(`${source}.odcs.yaml`), source);
export const sources = ['claims', 'lines', 'decisions', 'rvus'] as const;

/** Surrogates that a test can read back: `s:` and the identifier. */
const vaultOf = () => ({
  surrogatesOf: (identifiers: Iterable<string>) =>
    Promise.resolve(new Map(Array.from(identifiers, (identifier) => [identifier, `s:${identifier}`]))),
  hasErased: () => Promise.resolve(false),
  erasedAmong: () => Promise.resolve(new Set<string>()),
});

export type Ingested = { [source: string]: { validation: Validation; quarantined: { [rule: string]: number } } };

/** When every file arrives. */
export const arrivedAtMs = Date.UTC(2026, 2, 1);

/** Makes one table of each source; one without a file is empty. */
export async function ingest(sql: SqlEngine, files: readonly Pick<GeneratedFile, 'source' | 'fileName' | 'bytes'>[]) {
  const ingested: Ingested = {};
  for (const source of sources) {
    const file = files.find((candidate) => candidate.source === source);
    const contract = contractOf(source);
    const header = contract.columns.flatMap(({ headers, derived }) => (derived === undefined ? [headers[0]] : []));
    const bytes = file?.bytes ?? new TextEncoder().encode(`${header.join(',')}\n`);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const fileName = file?.fileName ?? source;
    const validation = await validateFile({ sql, bytes, fileName, digest, contract, arrivedAtMs, dropId: 'd' });
    const rules = (await sql.rows('SELECT rule, count(*) AS n FROM quarantined GROUP BY rule')) as {
      rule: string;
      n: number;
    }[];
    await deIdentify({ sql, contract, from: 'accepted', into: source, vaultOf, arrivedAtMs });
    ingested[source] = {
      validation,
      quarantined: Object.fromEntries(rules.map(({ rule, n }) => [rule, n])),
    };
  }
  return ingested;
}

/** A CSV file with these records; columns that a record leaves out are empty. */
export function fileOf(source: string, records: readonly { [column: string]: string | number }[]) {
  const columns = contractOf(source).columns.flatMap(({ headers, derived }) =>
    derived === undefined ? [headers[0]] : [],
  );
  const lines = records.map((record) => columns.map((column) => record[column] ?? '').join(','));
  return {
    source,
    fileName: `${source}.csv`,
    bytes: new TextEncoder().encode(`${[columns.join(','), ...lines].join('\n')}\n`),
  };
}
