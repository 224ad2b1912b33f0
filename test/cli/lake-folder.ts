import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import { deltaTable, type DeltaTable } from '../../src/lake/table.ts';

/** A state directory with tables in it, and what writes them; it goes away with the test. */
export type LakeFolder = {
  directory: string;
  sql: SqlEngine;
  /** The table at that path of a zone; what is written to it is written at that time, by its writer's clock. */
  table(zone: 'bronze' | 'silver' | 'gold', path: string, nowMs?: number): DeltaTable;
};

export async function lakeFolder(): Promise<LakeFolder> {
  const directory = await mkdtemp(join(tmpdir(), 'bordereau-tables-'));
  const sql = await openSql({ threads: 1 });
  onTestFinished(async () => {
    await sql.close();
    await rm(directory, { recursive: true });
  });
  let ids = 0;
  return {
    directory,
    sql,
    table: (zone, path, nowMs = Date.now()) =>
      deltaTable(new DirectoryStore(join(directory, zone)), path, {
        clock: { nowMs: () => nowMs, sleep: async () => {} },
        ids: { next: () => `id-${++ids}` },
        sql,
      }),
  };
}
