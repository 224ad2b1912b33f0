import type { Contract } from './contract.ts';

/** What every silver row says of its origin, after the contract's own columns. */
export const lineageColumns = [
  /** The drop that brought the row: one file's one delivery. */
  { name: '_drop_id', type: 'VARCHAR' },
  { name: '_source_file', type: 'VARCHAR' },
  /** The line of the file on which the row begins; the header is line 1. */
  { name: '_line', type: 'INTEGER' },
  /** When the file arrived, in UTC. */
  { name: '_ingested_at', type: 'TIMESTAMP' },
  { name: '_contract_version', type: 'VARCHAR' },
] as const;

/** The columns of a source's silver table in their order, with DuckDB's type names. */
export function silverColumns(contract: Contract): { name: string; type: string }[] {
  return [...contract.columns.map(({ name, sqlType }) => ({ name, type: sqlType })), ...lineageColumns];
}
