import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type * as FileSystem from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { type DataFiles, storeDataFile } from '../../src/lake/data-files.ts';
import { deltaTable } from '../../src/lake/table.ts';

/** What the disk does to the next writes: half of the bytes go in, then it fails by that code. */
const disk = vi.hoisted(() => ({ fails: undefined as undefined | { code: string; after: number } }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FileSystem>();
  const failing = (code: string) => Object.assign(new Error(`the disk says ${code}`), { code });
  const open: typeof real.open = async (path, flags, mode) => {
    const file = await real.open(path, flags, mode);
    if (flags !== 'wx' || !disk.fails || disk.fails.after-- > 0) return file;
    const { code } = disk.fails;
    const writeFile = file.writeFile.bind(file);
    file.writeFile = async (bytes) => {
      await writeFile((bytes as Uint8Array).subarray(0, (bytes as Uint8Array).length >> 1));
      throw failing(code);
    };
    return file;
  };
  return { ...real, open };
});

let root: string;
let store: DirectoryStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bordereau-disk-'));
  store = new DirectoryStore(root);
});
afterEach(() => {
  disk.fails = undefined;
  rmSync(root, { recursive: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  ['ENOSPC', 'The disk is full'],
  ['EIO', 'Check the disk'],
  ['EDQUOT', 'Check the disk'],
  ['EROFS', 'Make the directory writable'],
])(
  '19. a disk that says %s half-way: a clean failure with advice, the old object, and nothing left over',
  async (code, advice) => {
    await store.put('k', bytes('the old content'));
    disk.fails = { code, after: 0 };
    await expect(store.put('k', bytes('the new content'))).rejects.toThrow(advice);
    disk.fails = { code, after: 0 };
    await expect(store.putIfAbsent('new', bytes('x'))).rejects.toThrow(advice);
    disk.fails = undefined;
    expect(await store.get('k')).toEqual(bytes('the old content'));
    expect(await store.head('new')).toBeUndefined();
    expect(readdirSync(join(root, '.staging'))).toEqual([]);
  },
);

test('19. a write to a table that the disk fails at any of its files leaves the old version to its readers', async () => {
  const clock = { nowMs: () => 0, sleep: async () => undefined };
  let ids = 0;
  const table = () => deltaTable(store, 't', { clock, ids: { next: () => `id-${++ids}` } });
  const schema: DataFiles['schema'] = {
    type: 'struct',
    fields: [{ name: 'n', type: 'long', nullable: true, metadata: {} }],
  };
  const write = async (content: string) => {
    const file = await storeDataFile({ store, path: 't' }, clock, bytes(content));
    const files = [{ ...file, rows: 1, partitionValues: {}, stats: '{"numRecords":1}' }];
    return table().append({ schema, partitionColumns: [], files });
  };
  await write('first');
  const before = await table().snapshot();
  const outcomes: string[] = [];
  for (let after = 0; outcomes.at(-1) !== 'committed'; after++) {
    disk.fails = { code: 'ENOSPC', after };
    outcomes.push(
      await write(`second ${after}`).then(
        ({ status }) => status,
        ({ name }: Error) => name,
      ),
    );
    const { version, files } = await table().snapshot();
    expect(version).toBe(outcomes.at(-1) === 'committed' ? 1 : 0);
    expect([...files.keys()]).toEqual(expect.arrayContaining([...before.files.keys()]));
  }
  expect(outcomes).toEqual(['StoreUnavailable', 'StoreUnavailable', 'committed']);
});
