import type { Table } from 'apache-arrow';
import type { Json } from './json.ts';

/** A Parquet file in memory, with what a table's log wants to know of it. */
export type ParquetFile = {
  bytes: Uint8Array;
  rows: number;
  columns: { name: string; type: string }[];
  stats: { min: Record<string, Json>; max: Record<string, Json>; nullCount: Record<string, number> };
};

/** A private, in-memory SQL engine; DuckDB behind it. Identifiers and literals are the caller's to quote. */
export interface SqlEngine {
  run(sql: string): Promise<void>;
  /** The result as an Arrow table. */
  query(sql: string): Promise<Table>;
  /** A small result as plain JSON: integers as numbers, dates and timestamps as ISO text. */
  rows(sql: string): Promise<Record<string, Json>[]>;
  /** Creates the temporary table `name` from an Arrow table. */
  insert(name: string, table: Table): Promise<void>;
  /** The query's result as one Parquet file. */
  parquet(sql: string): Promise<ParquetFile>;
  close(): Promise<void>;
}
