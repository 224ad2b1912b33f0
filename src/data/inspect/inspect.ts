import { createHash } from 'node:crypto';
import type { Contract } from '../contract/contract.ts';
import { parseContract } from '../contract/parse.ts';
import { csvLimits } from '../csv-scanner.ts';
import { type Encoding, toUtf8 } from '../encoding.ts';
import { type Format, formatOf, isGzip } from '../format.ts';
import { gunzip } from '../gunzip.ts';
import { validateRecords } from '../quality/validate.ts';
import { readRecords } from '../records.ts';
import type { SqlEngine } from '../sql.ts';
import { type InferredColumn, inferColumns } from './infer.ts';
import { type Proposal, proposeContract } from './propose.ts';
import { type Dialect, sniffDialect, sniffEncoding } from './sniff.ts';

/** What a file is found to be, and the contract by which it would be accepted. */
export type Inspection = {
  file: string;
  sizeBytes: number;
  gzip: boolean;
  format: Format;
  /** Of CSV and JSON lines. */
  encoding?: { name: Encoding; certain: boolean };
  /** Of CSV. */
  dialect?: Dialect;
  header: string[];
  /** The first line has numbers in it: it may be a row, and the file may have no header. */
  headerLooksLikeData: boolean;
  columns: InferredColumn[];
  /** Columns whose values are lists, structures or binary. */
  unreadable: { name: string; type: string }[];
  rows: number;
  acceptedRows: number;
  /** Malformed, or not what their columns are otherwise; without their values. */
  rejected: { line: number; byteOffset: number | null; rule: string; column: string | null; reason: string }[];
  proposal: Proposal;
};

export type InspectInput = {
  sql: SqlEngine;
  bytes: Uint8Array;
  /** The file's name, without a path. */
  file: string;
  /** @default - the file's own name, made one for SQL */
  source?: string;
  /** @default - none: the contract's id names the source alone */
  useCase?: string;
  /** The header of a column that may be an event: then both its values are a rule of the contract. @default - no column */
  event?: string;
};

/**
 * Finds out what a file holds, of any format that ingestion reads, and holds it against the contract that it proposes. Throws
 * `FileRejected` where it is damaged or cannot be read at all.
 */
export async function inspectFile({
  sql,
  bytes,
  file,
  useCase,
  event,
  source = sourceName(file),
}: InspectInput): Promise<Inspection> {
  const gzip = isGzip(bytes);
  const inside = gzip ? gunzip(bytes, file, csvLimits.fileBytes) : bytes;
  const sniffed = sniffEncoding(inside);
  const isParquet = formatOf(inside) === 'parquet';
  const encoding = isParquet ? 'utf-8' : sniffed.encoding;
  const text = isParquet ? inside : toUtf8(inside, encoding, file);
  const format = formatOf(text);
  const dialect = format === 'csv' ? sniffDialect(text) : undefined;
  const records = await readRecords(text, { file, format, encoding: 'utf-8', delimiter: dialect?.delimiter ?? ',' });

  const columns = await inferColumns(sql, records);
  const unreadable = records.unreadable ?? [];
  const proposal = proposeContract(
    columns.filter(({ header }) => !unreadable.some(({ name }) => name === header)),
    {
      id: `urn:bordereau:contract:${useCase ? `${useCase}:` : ''}${source}`,
      name: source,
      delimiter: dialect?.delimiter,
      encoding,
      ignoreUnknown: unreadable.length > 0,
      event,
    },
  );
  const contract: Contract = parseContract(proposal.yaml, `the contract proposed for ${file}`);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const drop = { fileName: file, digest, contract, arrivedAtMs: 0, dropId: 'inspection' };
  const { counts } = await validateRecords({ ...drop, sql }, records);
  const rejected = await sql.rows(
    'SELECT line, byte_offset AS "byteOffset", rule, column_name AS "column", reason FROM quarantined ORDER BY line',
  );
  return {
    file,
    sizeBytes: bytes.length,
    gzip,
    format,
    ...(!isParquet && { encoding: { name: encoding, certain: sniffed.certain } }),
    ...(dialect && { dialect }),
    header: records.header,
    headerLooksLikeData: format === 'csv' && records.header.some((name) => /^[-+]?[0-9.,]+$/.test(name)),
    columns,
    unreadable,
    rows: counts.rows,
    acceptedRows: counts.accepted,
    rejected: rejected as Inspection['rejected'],
    proposal,
  };
}

/** `Policies 2026-01.csv.gz` → `policies_2026_01` */
export function sourceName(file: string): string {
  const name = file
    .replace(/(\.(csv|tsv|txt|json|jsonl|ndjson|parquet|gz))+$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_');
  return name.replaceAll(/^[_0-9]+|_+$/g, '').slice(0, 90) || 'rows';
}
