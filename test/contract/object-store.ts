import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ObjectDamaged, ObjectNotFound, UnsafeKey } from '../../src/ports/errors.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';

/** Opens an empty store; `close` removes whatever it left behind. */
export type OpenObjectStore = () => Promise<{ store: ObjectStore; close: () => Promise<void> }>;

/** What every object store promises. Call it once per adapter. */
export function objectStoreContract(name: string, open: OpenObjectStore): void {
  describe(`${name} keeps the object store's contract`, () => {
    let store: ObjectStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    test.each([
      ['nothing', new Uint8Array(0)],
      ['every byte there is', Uint8Array.from({ length: 256 }, (_, i) => i)],
      ['a megabyte', new Uint8Array(1 << 20).fill(7)],
    ])('%s comes back byte for byte', async (_, bytes) => {
      await store.put('zone/some file.bin', bytes);
      expect(await store.get('zone/some file.bin')).toEqual(bytes);
      expect((await store.head('zone/some file.bin'))?.sizeBytes).toBe(bytes.length);
    });

    test('what is not there is undefined, and deleting it is no error', async () => {
      await store.put('a/b', text('x'));
      for (const key of ['b', 'a', 'a/b/c', 'a/bb']) {
        expect(await store.get(key)).toBeUndefined();
        expect(await store.head(key)).toBeUndefined();
        await expect(store.localCopy(key)).rejects.toThrow(ObjectNotFound);
        await store.delete(key);
      }
      expect(await keys(store, '')).toEqual(['a/b']);
    });

    test('put replaces an object whole, and its etag changes', async () => {
      await store.put('k', text('the first, longer content'));
      const before = await store.head('k');
      await store.put('k', text('second'));
      expect(await store.get('k')).toEqual(text('second'));
      expect((await store.head('k'))?.etag).not.toBe(before?.etag);
    });

    test('put-if-absent writes once and then leaves what is there', async () => {
      expect(await store.putIfAbsent('log/0.json', text('mine'))).toEqual({ created: true });
      expect(await store.putIfAbsent('log/0.json', text('theirs'))).toEqual({ created: false });
      expect(await store.get('log/0.json')).toEqual(text('mine'));
    });

    test('of many put-if-absents at once exactly one wins, and its bytes are the object', async () => {
      const writers = Array.from({ length: 16 }, (_, i) => i);
      const results = await Promise.all(writers.map((i) => store.putIfAbsent('log/1.json', text(`writer ${i}`))));
      const winners = writers.filter((i) => results[i].created);
      expect(winners).toHaveLength(1);
      expect(await store.get('log/1.json')).toEqual(text(`writer ${winners[0]}`));
    });

    test('after a delete the key is free again', async () => {
      await store.put('k', text('x'));
      await store.delete('k');
      expect(await store.get('k')).toBeUndefined();
      expect(await store.putIfAbsent('k', text('y'))).toEqual({ created: true });
    });

    test('a listing is in UTF-8 order, not in the order of directories or of UTF-16', async () => {
      // "-" is below "/", "0" above it; U+FB00 is below U+10400 in UTF-8, above it in UTF-16
      const inOrder = ['a-b', 'a/b', 'a/c/d', 'a0', 'b', 'zé', '\u{fb00}', '\u{10400}'];
      for (const key of [...inOrder].reverse()) await store.put(key, text(key));
      expect(await keys(store, '')).toEqual(inOrder);
    });

    test('a listing takes a prefix that is cut anywhere, and starts behind a key', async () => {
      for (const key of ['log/10', 'log/2', 'log/20/x', 'log/20/y', 'log/3', 'logs']) await store.put(key, text(key));
      expect(await keys(store, 'log')).toEqual(['log/10', 'log/2', 'log/20/x', 'log/20/y', 'log/3', 'logs']);
      expect(await keys(store, 'log/')).toEqual(['log/10', 'log/2', 'log/20/x', 'log/20/y', 'log/3']);
      expect(await keys(store, 'log/2')).toEqual(['log/2', 'log/20/x', 'log/20/y']);
      expect(await keys(store, 'log/', 'log/2')).toEqual(['log/20/x', 'log/20/y', 'log/3']);
      expect(await keys(store, 'log/', 'log/20')).toEqual(['log/20/x', 'log/20/y', 'log/3']);
      expect(await keys(store, 'log/', 'log/20/x')).toEqual(['log/20/y', 'log/3']);
      expect(await keys(store, 'nothing/')).toEqual([]);
    });

    test('a listing of more objects than a page holds is whole, and agrees with head', async () => {
      const names = Array.from({ length: 23 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
      await Promise.all(names.map((key, i) => store.put(key, new Uint8Array(i))));
      const listed = [];
      for await (const info of store.list('many/')) listed.push(info);
      expect(listed.map((info) => info.key)).toEqual(names);
      for (const info of [listed[0], listed[22]]) {
        const head = await store.head(info.key);
        // S3 tells whole seconds in a header and milliseconds in a listing
        expect({ ...head, lastModifiedMs: 0 }).toEqual({ ...info, lastModifiedMs: 0 });
        expect(Math.abs(head!.lastModifiedMs - info.lastModifiedMs)).toBeLessThan(1000);
      }
    });

    test('a local copy has the bytes, until it is released', async () => {
      await store.put('data/part.parquet', text('PAR1'));
      const copy = await store.localCopy('data/part.parquet');
      expect(new Uint8Array(await readFile(copy.path))).toEqual(text('PAR1'));
      await copy.release();
      expect(await store.get('data/part.parquet')).toEqual(text('PAR1'));
    });

    test('a local copy whose bytes are not the expected ones is refused', async () => {
      await store.put('data/part.parquet', text('PAR1'));
      const sha256 = createHash('sha256').update('PAR1').digest('hex');
      const copy = await store.localCopy('data/part.parquet', { sha256 });
      expect(new Uint8Array(await readFile(copy.path))).toEqual(text('PAR1'));
      await copy.release();
      await store.put('data/part.parquet', text('PAR2'));
      await expect(store.localCopy('data/part.parquet', { sha256 })).rejects.toThrow(ObjectDamaged);
    });

    test('a released copy leaves no second file behind', async () => {
      await store.put('k', text('x'));
      const copy = await store.localCopy('k');
      await store.delete('k');
      await copy.release();
      await expect(stat(copy.path)).rejects.toThrow('ENOENT');
    });

    test.each(['claims März.csv', 'date=2026-02-01/part-1.parquet', 'a%20b', 'a+b&c=d', "it's (1).csv", 'x#y~z'])(
      'the key %s means itself',
      async (key) => {
        await store.put(key, text(key));
        expect(await keys(store, '')).toEqual([key]);
        expect(await store.get(key)).toEqual(text(key));
      },
    );

    test.each([
      ['empty', ''],
      ['the parent', '../x'],
      ['the parent within', 'a/../../x'],
      ['the directory itself', 'a/./b'],
      ['absolute', '/etc/passwd'],
      ['a doubled slash', 'a//b'],
      ['a slash at the end', 'a/'],
      ['a backslash', 'a\\..\\b'],
      ['a NUL', 'a\0b'],
      ['a line break', 'a\nb'],
      ['a pattern', 'drops/*.csv'],
      ['a hidden file', '.staging/x'],
      ['half a surrogate pair', 'a\ud800'],
      ['too long', 'x/'.repeat(512) + 'x'],
      ['a name too long for a file', 'x'.repeat(256)],
    ])('a key that is %s is refused by every operation', async (_, key) => {
      const operations = [
        store.get(key),
        store.head(key),
        store.put(key, text('x')),
        store.putIfAbsent(key, text('x')),
        store.delete(key),
        store.localCopy(key),
      ];
      for (const outcome of await Promise.allSettled(operations)) {
        expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(UnsafeKey);
      }
      expect(await keys(store, '')).toEqual([]);
    });

    test('a prefix cannot climb out either', async () => {
      for (const prefix of ['../', '/', 'a/../b', '.', 'a/.s', 'a\\']) {
        await expect(keys(store, prefix)).rejects.toThrow(UnsafeKey);
      }
    });

    test('any sequence of operations leaves what a map would hold', async () => {
      const key = fc.constantFrom('k', 'l', 'dir/a', 'dir/b', 'dir-c');
      const operation = fc.record({
        kind: fc.constantFrom('put', 'putIfAbsent', 'delete'),
        key,
        bytes: fc.uint8Array(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
          const twin = new Map<string, Uint8Array>();
          const created: boolean[] = [];
          const expected: boolean[] = [];
          for (const { kind, key, bytes } of operations) {
            if (kind === 'delete') {
              await store.delete(key);
              twin.delete(key);
            } else if (kind === 'put') {
              await store.put(key, bytes);
              twin.set(key, bytes);
            } else {
              created.push((await store.putIfAbsent(key, bytes)).created);
              expected.push(!twin.has(key));
              if (!twin.has(key)) twin.set(key, bytes);
            }
          }
          expect(created).toEqual(expected);
          expect(await keys(store, '')).toEqual([...twin.keys()].sort());
          for (const [key, bytes] of twin) {
            expect(await store.get(key)).toEqual(Uint8Array.from(bytes));
            await store.delete(key);
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

async function keys(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const info of store.list(prefix, { after })) found.push(info.key);
  return found;
}
