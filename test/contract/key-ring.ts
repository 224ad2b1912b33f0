import { describe, expect, test } from 'vitest';
import { KeyNotUnwrapped, type KeyRing } from '../../src/ports/key-ring.ts';

/** What every key ring keeps to. `open` opens the same one each time, as another process would; `openOther` one of another master key. */
export function keyRingContract(name: string, { open, openOther }: { open: () => KeyRing; openOther: () => KeyRing }) {
  describe(`${name} is a key ring`, () => {
    const context = { vault: 'v', use: 'index' };

    test('a data key is had again from its wrapping, in another process too', async () => {
      const { key, wrapped } = await open().generate(context);
      expect(key).toHaveLength(32);
      expect(Buffer.from(await open().unwrap(wrapped, context))).toEqual(Buffer.from(key));
    });

    test('the order in which a context is written does not matter', async () => {
      const { key, wrapped } = await open().generate({ vault: 'v', use: 'index' });
      const again = await open().unwrap(wrapped, { use: 'index', vault: 'v' });
      expect(Buffer.from(again)).toEqual(Buffer.from(key));
    });

    test('each data key is another one, and the wrapping does not show it', async () => {
      const keys = [await open().generate(context), await open().generate(context)];
      expect(Buffer.from(keys[0].key)).not.toEqual(Buffer.from(keys[1].key));
      for (const { key, wrapped } of keys) expect(Buffer.from(wrapped).includes(Buffer.from(key))).toBe(false);
    });

    test('another context, another master key or a flipped bit unwraps nothing', async () => {
      const { wrapped } = await open().generate(context);
      await expect(open().unwrap(wrapped, { vault: 'w', use: 'index' })).rejects.toThrow(KeyNotUnwrapped);
      await expect(open().unwrap(wrapped, {})).rejects.toThrow(KeyNotUnwrapped);
      await expect(openOther().unwrap(wrapped, context)).rejects.toThrow(KeyNotUnwrapped);
      for (const at of [0, 12, wrapped.length - 1]) {
        const flipped = Uint8Array.from(wrapped);
        flipped[at] ^= 1;
        await expect(open().unwrap(flipped, context)).rejects.toThrow(KeyNotUnwrapped);
      }
      await expect(open().unwrap(wrapped.subarray(0, 20), context)).rejects.toThrow(KeyNotUnwrapped);
    });
  });
}
