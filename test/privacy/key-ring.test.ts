import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FileKeyRing, UnsafeKeyFile } from '../../src/adapters/embedded/file-key-ring.ts';
import { KeyNotUnwrapped } from '../../src/ports/key-ring.ts';

const directory = mkdtempSync(join(tmpdir(), 'bordereau-keys-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'keys', 'vault.key');

describe('the key file on disk', () => {
  test('is its owner’s alone', async () => {
    await new FileKeyRing(path).generate({});
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  });

  test('is refused when others can read it', async () => {
    chmodSync(path, 0o644);
    await expect(new FileKeyRing(path).generate({})).rejects.toThrow(UnsafeKeyFile);
    chmodSync(path, 0o600);
  });

  test('is refused when it is cut short', async () => {
    const cut = join(directory, 'cut.key');
    writeFileSync(cut, 'abcd\n', { mode: 0o600 });
    await expect(new FileKeyRing(cut).generate({})).rejects.toThrow(/64 hexadecimal digits/);
  });

  test('is not made anew by what it is to unwrap', async () => {
    const lost = join(directory, 'lost.key');
    const { wrapped } = await new FileKeyRing(lost).generate({ of: 'a vault' });
    rmSync(lost);
    await expect(new FileKeyRing(lost).unwrap(wrapped, { of: 'a vault' })).rejects.toThrow(KeyNotUnwrapped);
    expect(existsSync(lost)).toBe(false);
  });

  test('is one, however many processes make it at once', async () => {
    const shared = join(directory, 'shared', 'vault.key');
    const rings = Array.from({ length: 8 }, () => new FileKeyRing(shared));
    const made = await Promise.all(rings.map((ring) => ring.generate({ of: 'all' })));
    const keys = await Promise.all(made.map(({ wrapped }) => rings[0].unwrap(wrapped, { of: 'all' })));
    expect(keys.map((key) => Buffer.from(key))).toEqual(made.map(({ key }) => Buffer.from(key)));
  });
});
