import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection, type DuckDBResult } from '@duckdb/node-api';
import type { Table } from 'apache-arrow';
import { appendTable, tableDefinition, tableFromResult } from './duckdb-arrow.ts';
import { plainValue } from './duckdb-json.ts';
import type { Json } from './json.ts';
import { type ParquetFacts, describeParquet } from './parquet-facts.ts';
import { quoteName, quoteText } from './quote.ts';

/** A Parquet file in memory, with what a table's log wants to know of it. */
export type ParquetFile = ParquetFacts & { bytes: Uint8Array };

/** A private, in-memory SQL engine; DuckDB behind it. Identifiers and literals are the caller's to quote. */
export interface SqlEngine {
  /** Its private folder: what is put there can be read by SQL, and is gone when it is closed. */
  readonly folder: string;
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

export type SqlOptions = {
  /** @default - four fifths of the machine's memory */
  memoryLimitMb?: number;
  /** @default - one per core */
  threads?: number;
  /** Where a private folder for spilling and Parquet files is made; it is removed by `close`. @default - the system's */
  temporaryDirectory?: string;
  /** The directories whose files SQL may touch, besides the private folder. @default - the whole local disk */
  directories?: readonly string[];
};

/**
 * Opens an empty engine in UTC. Nothing reaches the network (no extension is installed or loaded) and SQL cannot change
 * the settings. Calls on one engine may overlap; they run one after another. Errors are DuckDB's own, with the SQL's line.
 */
export async function openSql(options: SqlOptions = {}): Promise<SqlEngine> {
  const folder = await mkdtemp(join(options.temporaryDirectory ?? tmpdir(), 'bordereau-sql-'));
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    custom_extension_repository: folder,
    temp_directory: folder,
    ...(options.memoryLimitMb === undefined ? {} : { memory_limit: `${options.memoryLimitMb}MiB` }),
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
  });
  const connection = await instance.connect();
  const reachable = (options.directories ?? ['/']).map((directory) => quoteText(withSlash(directory)));
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET allowed_directories = [${reachable.join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return new DuckDb(instance, connection, folder);
}

class DuckDb implements SqlEngine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly folder: string;
  #last: Promise<unknown> = Promise.resolve();
  #files = 0;

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.#instance = instance;
    this.#connection = connection;
    this.folder = folder;
  }

  run(sql: string): Promise<void> {
    return this.#next(async () => {
      await this.#connection.run(sql);
    });
  }

  query(sql: string): Promise<Table> {
    return this.#next(async () => tableFromResult(await this.#connection.stream(sql)));
  }

  rows(sql: string): Promise<Record<string, Json>[]> {
    return this.#next(async () => jsonRows(await this.#connection.run(sql)));
  }

  insert(name: string, table: Table): Promise<void> {
    return this.#next(async () => {
      await this.#connection.run(`CREATE TEMP TABLE ${quoteName(name)} (${tableDefinition(table.schema)})`);
      const appender = await this.#connection.createAppender(name, 'main', 'temp');
      appendTable(appender, table);
      appender.closeSync();
    });
  }

  async parquet(sql: string): Promise<ParquetFile> {
    const path = join(this.folder, `${this.#files++}.parquet`);
    const file = quoteText(path);
    try {
      const facts = await this.#next(async () => {
        await this.#connection.run(
          `COPY (${sql}\n) TO ${file} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
        );
        return describeParquet(file, async (query) => jsonRows(await this.#connection.run(query)));
      });
      return { bytes: await readFile(path), ...facts };
    } finally {
      await rm(path, { force: true });
    }
  }

  async close(): Promise<void> {
    await this.#next(async () => {
      this.#connection.closeSync();
      this.#instance.closeSync();
      await rm(this.folder, { recursive: true, force: true });
    });
  }

  /** A streamed result dies when its connection runs something else, so each call waits for the one before. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

async function jsonRows(result: DuckDBResult): Promise<Record<string, Json>[]> {
  const names = result.deduplicatedColumnNames();
  const rows = await result.convertRows(plainValue);
  return rows.map((row) => Object.fromEntries(names.map((name, c) => [name, row[c] ?? null])));
}

function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}
