import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { StoreDenied, StoreUnavailable, UnsafeKey } from '../../src/ports/errors.ts';

const bytes = new Uint8Array([1, 2, 3]);
let root: string;
let store: DirectoryStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bordereau-directory-'));
  store = new DirectoryStore(join(root, 'zone'));
});
afterEach(() => rm(root, { recursive: true }));

async function keys(prefix = ''): Promise<string[]> {
  const found = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

test('an object is a plain file of that name, which other tools can read and write', async () => {
  await store.put('drops/claims.csv', bytes);
  await writeFile(join(root, 'zone', 'drops', 'policies.csv'), 'a,b\n');
  expect(await keys()).toEqual(['drops/claims.csv', 'drops/policies.csv']);
  expect((await store.localCopy('drops/claims.csv')).path).toBe(join(root, 'zone', 'drops', 'claims.csv'));
});

test('reading creates nothing: a store that was never written to is empty', async () => {
  expect(await store.get('k')).toBeUndefined();
  expect(await keys()).toEqual([]);
  expect(await readdir(root)).toEqual([]);
});

test('no temporary file is left, and none is listed', async () => {
  await store.put('k', bytes);
  await store.putIfAbsent('k', bytes);
  await store.putIfAbsent('l', bytes);
  expect(await readdir(join(root, 'zone', '.staging'))).toEqual([]);
  await writeFile(join(root, 'zone', '.staging', 'left-by-a-crash'), 'half');
  expect(await keys()).toEqual(['k', 'l']);
});

test('what a killed writer left is removed by a later one; what may still be written to is not', async () => {
  await store.put('k', bytes);
  const staging = join(root, 'zone', '.staging');
  const hoursAgo = (hours: number) => Date.now() / 1000 - hours * 3600;
  for (const [name, hours] of [
    ['left', 2],
    ['left-too', 1000],
    ['in-use', 0.5],
  ] as const) {
    await writeFile(join(staging, name), 'half');
    await utimes(join(staging, name), hoursAgo(hours), hoursAgo(hours));
  }
  await new DirectoryStore(join(root, 'zone')).putIfAbsent('l', bytes);
  expect(await readdir(staging)).toEqual(['in-use']);
  expect(await keys()).toEqual(['k', 'l']);
});

test('hidden files are no objects; a name that others chose freely is listed, and refused when read', async () => {
  await mkdir(join(root, 'zone', 'a*b'), { recursive: true });
  for (const name of ['.DS_Store', 'claims[1].csv', 'a*b/x']) await writeFile(join(root, 'zone', name), 'x');
  expect(await keys()).toEqual(['a*b/x', 'claims[1].csv']);
  await expect(store.get('claims[1].csv')).rejects.toThrow(UnsafeKey);
});

test('a symbolic link is refused, whether it stands for a file or for a directory', async () => {
  await mkdir(join(root, 'zone'));
  await writeFile(join(root, 'secret'), 'secret');
  await symlink(join(root, 'secret'), join(root, 'zone', 'link'));
  await symlink(root, join(root, 'zone', 'up'));
  for (const key of ['link', 'up/secret', 'up/new']) {
    await expect(store.get(key)).rejects.toThrow(UnsafeKey);
    await expect(store.head(key)).rejects.toThrow('symbolic link');
    await expect(store.put(key, bytes)).rejects.toThrow(UnsafeKey);
    await expect(store.putIfAbsent(key, bytes)).rejects.toThrow(UnsafeKey);
    await expect(store.delete(key)).rejects.toThrow(UnsafeKey);
    await expect(store.localCopy(key)).rejects.toThrow(UnsafeKey);
  }
  await expect(keys('up/')).rejects.toThrow(UnsafeKey);
  expect(await keys()).toEqual([]);
  expect((await readdir(root)).sort()).toEqual(['secret', 'zone']);
});

test('19. an unwritable directory is named, with what to do', async () => {
  // root may write anywhere but into the kernel's own file systems
  let locked = '/sys/kernel';
  if (process.getuid?.() !== 0) {
    locked = join(root, 'locked');
    await mkdir(locked);
    await chmod(locked, 0o555);
  }
  const writing = new DirectoryStore(join(locked, 'bordereau')).put('tables/k', bytes);
  await expect(writing).rejects.toThrow(StoreDenied);
  await expect(writing).rejects.toThrow(`${locked}/bordereau`);
  await expect(writing).rejects.toThrow('Make the directory writable');
});

test('an object cannot also be a directory, and the error says so', async () => {
  await store.put('a', bytes);
  await store.put('d/x', bytes);
  await expect(store.put('a/b', bytes)).rejects.toThrow(StoreUnavailable);
  await expect(store.put('a/b', bytes)).rejects.toThrow(/a\/b in directory .*an object cannot also be a directory/);
  await expect(store.put('d', bytes)).rejects.toThrow('an object cannot also be a directory');
  expect(await keys()).toEqual(['a', 'd/x']);
});

test('a root that is a file is an error that names it', async () => {
  await writeFile(join(root, 'zone'), 'not a directory');
  await expect(store.put('k', bytes)).rejects.toThrow(join(root, 'zone'));
});
