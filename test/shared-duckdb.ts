import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/**
 * Lets every SQL engine of this process be a connection of one DuckDB instance, which saves most of what opening one costs.
 * Stages make temporary tables and views only, which are a connection's own, so they see nothing of each other. What a stage
 * that died has left open is closed at the end.
 */
export async function shareDuckDb(): Promise<{ close(): void }> {
  const create = DuckDBInstance.create.bind(DuckDBInstance);
  const instance = await create(':memory:', { threads: '1', autoinstall_known_extensions: 'false' });
  const open = new Set<DuckDBConnection>();
  const connect = async (): Promise<DuckDBConnection> => {
    const connection = await instance.connect();
    const run = connection.run.bind(connection);
    // settings are the instance's, and are locked once; the time zone is the connection's
    connection.run = async (sql, ...rest) => run(/^SET (?!TimeZone|VARIABLE)/.test(sql) ? 'SELECT 1' : sql, ...rest);
    const close = connection.closeSync.bind(connection);
    connection.closeSync = () => {
      if (open.delete(connection)) close();
    };
    open.add(connection);
    return connection;
  };
  const facade = { connect, closeSync: () => undefined } as unknown as DuckDBInstance;
  DuckDBInstance.create = async () => facade;
  return {
    close() {
      for (const connection of open) connection.closeSync();
      DuckDBInstance.create = create;
      instance.closeSync();
    },
  };
}
