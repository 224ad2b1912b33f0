import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DataFiles, storeDataFile } from '../../src/lake/data-files.ts';
import { deltaTable } from '../../src/lake/table.ts';
import { vacuum } from '../../src/lake/vacuum.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { MemoryStore } from './memory-store.ts';
import { interruptedStore } from './watched-store.ts';

// both were found by the simulation: test/simulation/lake-story.ts

const day = 24 * 3_600_000;
let timeMs: number;
let directory: string;
let store: MemoryStore;
let ids: number;
beforeEach(() => {
  timeMs = 0;
  ids = 0;
  directory = mkdtempSync(join(tmpdir(), 'bordereau-young-'));
  store = new MemoryStore(directory, () => timeMs);
});
afterEach(() => rmSync(directory, { recursive: true }));

const clock = { nowMs: () => timeMs, sleep: async () => undefined };
const open = (at: ObjectStore) => deltaTable(at, 'tables/t', { clock, ids: { next: () => `id-${++ids}` } });
const vacuumed = (at: ObjectStore) => vacuum(open(at), { retentionMs: 2 * day });
const schema: DataFiles['schema'] = {
  type: 'struct',
  fields: [{ name: 'n', type: 'long', nullable: true, metadata: {} }],
};

async function stored(at: ObjectStore, content: string): Promise<DataFiles> {
  const file = await storeDataFile({ store: at, path: 'tables/t' }, clock, new TextEncoder().encode(content));
  return {
    schema,
    partitionColumns: [],
    files: [{ ...file, rows: 1, partitionValues: {}, stats: '{"numRecords":1}' }],
  };
}

/** Whether every live file of the table is in the store. */
async function isWhole(at: MemoryStore): Promise<boolean> {
  const { files } = await open(at).snapshot();
  return [...files.keys()].every((name) => at.keys().includes(`tables/t/${name}`));
}

test('a name that somebody has just made young again is not taken for safe: a vacuum under way may have it on its list', async () => {
  await open(store).append(await stored(store, 'live'));
  await stored(store, 'never committed');
  timeMs = 3 * day;
  for (let point = 1; ; point++) {
    const copy = store.copy();
    const watched = interruptedStore(copy, point, async () => {
      // the first heals the old file and dies, the second finds it young
      await stored(copy, 'never committed');
      await open(copy).append(await stored(copy, 'never committed'));
    });
    await vacuumed(watched);
    if (watched.calls.length < point) break;
    expect([watched.calls[point - 1], await isWhole(copy)]).toEqual([watched.calls[point - 1], true]);
  }
});

test('a writer that stood still for days between two attempts does not commit the copy that it made before', async () => {
  await open(store).append(await stored(store, 'twice'));
  const data = await stored(store, 'once');
  const other = await stored(store, 'another writer');
  let attempts = 0;
  const refused: string[] = [];
  await open(store)
    .commit(async (latest, writer) => {
      attempts += 1;
      // the file's own name is taken, so the first attempt makes a copy, and loses; then days pass and a vacuum comes by
      const adds = await writer.place(data.files, (name) => !name.includes('-1.'));
      if (attempts === 1) {
        await open(store).append(other);
        timeMs += 3 * day;
        await vacuumed(store);
      }
      const actions = adds.map((add) => ({ add }));
      return latest && { actions, operation: 'WRITE', parameters: {}, metrics: {}, isBlindAppend: true };
    })
    .catch((error: Error) => refused.push(error.name));
  expect(attempts).toBe(2);
  expect(refused).toEqual(['ObjectNotFound']);
  expect(await isWhole(store)).toBe(true);
});
