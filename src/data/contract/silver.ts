import type { Column, Contract } from './contract.ts';

/** What every silver row says of its origin, after the contract's own columns. */
export const lineageColumns = [
  /** The drop that brought the row: one file's one delivery. */
  { name: '_drop_id', type: 'VARCHAR' },
  { name: '_source_file', type: 'VARCHAR' },
  /** The line of the file on which the row begins; the header is line 1. */
  { name: '_line', type: 'INTEGER' },
  /** When the file arrived. */
  { name: '_ingested_at', type: 'TIMESTAMP WITH TIME ZONE' },
  { name: '_contract_version', type: 'VARCHAR' },
  /** Of the event that announced the file: which of several contents of one key came later. Null where the event has none. */
  { name: '_sequencer', type: 'VARCHAR' },
] as const;

/** The columns of a source's silver table in their order, with DuckDB's type names. */
export function silverColumns(contract: Contract): { name: string; type: string }[] {
  return [...contract.columns.map((column) => ({ name: column.name, type: storedType(column) })), ...lineageColumns];
}

/**
 * The type in which a column's values are kept: the contract's own, but for times. Those are instants, which every reader of
 * Delta tables knows, where a bare TIMESTAMP (`timestamp_ntz`) takes a reader of protocol version 3.
 */
export function storedType({ sqlType }: Column): string {
  return sqlType === 'TIMESTAMP' ? 'TIMESTAMP WITH TIME ZONE' : sqlType;
}
