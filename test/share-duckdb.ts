import { shareDuckDb } from './shared-duckdb.ts';

/** Set up for tests of many short stages: opening an engine for each would be a third of their time. */
const shared = globalThis as { sharesDuckDb?: true };
if (!shared.sharesDuckDb) {
  shared.sharesDuckDb = true;
  await shareDuckDb();
}
