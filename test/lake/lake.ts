import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import type { Json } from '../../src/data/json.ts';
import { openSql, type SqlEngine } from '../../src/data/sql.ts';
import type { LakeContext } from '../../src/lake/commit.ts';
import { mount } from '../../src/lake/mount.ts';
import type { Snapshot } from '../../src/lake/snapshot.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';

/** A lake to test with: an empty directory, an engine, and a clock that runs a second per look. */
export type TestLake = {
  directory: string;
  store: ObjectStore;
  sql: SqlEngine;
  context: LakeContext;
  /** The rows of a snapshot as a reader sees them, ordered by all columns. */
  rows(snapshot: Snapshot): Promise<Record<string, Json>[]>;
  close(): Promise<void>;
};

export const startMs = Date.parse('2026-02-01T00:00:00Z');

export async function openLake(): Promise<TestLake> {
  const directory = await mkdtemp(join(tmpdir(), 'bordereau-lake-'));
  const sql = await openSql({ memoryLimitMb: 512, threads: 1 });
  let nowMs = startMs;
  let ids = 0;
  return {
    directory,
    store: new DirectoryStore(directory),
    sql,
    context: {
      clock: { nowMs: () => (nowMs += 1000), sleep: async () => {} },
      ids: { next: () => `id-${++ids}` },
    },
    async rows(snapshot) {
      const mounted = await mount(sql, snapshot, 'seen');
      try {
        return await sql.rows('SELECT * FROM seen ORDER BY ALL');
      } finally {
        await mounted.release();
      }
    },
    async close() {
      await sql.close();
      await rm(directory, { recursive: true });
    },
  };
}
