import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AuditBroken, readAudit } from '../../src/privacy/audit.ts';
import { VaultDamaged } from '../../src/privacy/bucket-log.ts';
import { UnknownSurrogate, Vault } from '../../src/privacy/vault.ts';
import { random } from '../../src/ml/random.ts';
import { type Interceptor, MemoryStore } from '../governance/memory-store.ts';
import { FakeKeyRing } from './fake-key-ring.ts';

type Objects = Map<string, Uint8Array>;

let opened = 0;
/** A vault on the objects as a process of its own would open it. */
function openVault(objects: Objects = new Map(), intercept?: Interceptor, useCase = 'cost'): Vault {
  const process = ++opened;
  let ids = 0;
  return new Vault(
    {
      store: new MemoryStore(objects, intercept),
      keyRing: new FakeKeyRing(`keys of ${process}`),
      ids: { next: () => `${process}-${++ids}` },
      clock: { nowMs: () => 1_000 },
    },
    { useCase, domain: 'member_id' },
  );
}

const members = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `MBR-${from + i}`);
const by = { actor: 'dpo', reason: 'complaint 7' };
const textOf = (objects: Objects): string =>
  [...objects].map(([key, bytes]) => `${key}\n${Buffer.from(bytes).toString()}`).join('\n');

/** All surrogates but those of these members. */
const without = (surrogates: Map<string, string | undefined>, ...members: string[]) =>
  new Map([...surrogates].filter(([member]) => !members.includes(member)));

/** Lets the work crash before and after each of its accesses, and looks at what it left; gives how many there were. */
async function atEveryAccess(
  prepared: Objects,
  work: (vault: Vault) => Promise<unknown>,
  look: (objects: Objects) => Promise<void>,
): Promise<number> {
  for (let point = 0; ; point++) {
    const objects: Objects = new Map(prepared);
    let calls = 0;
    const crash = () => {
      if (calls++ === point) throw new Error('crash');
    };
    const outcome = await work(openVault(objects, crash)).then(
      () => 'done',
      (error: Error) => error.message,
    );
    if (outcome === 'done') return point;
    expect(outcome).toBe('crash');
    await look(objects);
  }
}

describe('surrogates', () => {
  test('an identifier keeps its surrogate, and no two share one', async () => {
    const objects: Objects = new Map();
    const first = await openVault(objects).surrogatesOf(members(0, 300));
    const second = await openVault(objects).surrogatesOf(members(200, 400));
    for (const member of members(200, 300)) expect(second.get(member)).toBe(first.get(member));
    expect(new Set([...first.values(), ...second.values()]).size).toBe(400);
  });

  test('a code that ingestion made up is its own surrogate, then and whenever it is delivered', async () => {
    const objects: Objects = new Map();
    const isOwn = (key: string) => key.startsWith('0123abcd-');
    const first = await openVault(objects).surrogatesOf(['0123abcd-2', 'MBR-1'], isOwn);
    expect(first.get('0123abcd-2')).toBe('0123abcd-2');
    expect(first.get('MBR-1')).not.toBe('MBR-1');
    const later = await openVault(objects).surrogatesOf(['0123abcd-2', '0123abcd-3']);
    expect(later.get('0123abcd-2')).toBe('0123abcd-2');
    expect(later.get('0123abcd-3')).not.toBe('0123abcd-3');
    expect(await openVault(objects).tombstone('0123abcd-2')).toBe('0123abcd-2');
  });

  test('a second delivery writes nothing', async () => {
    const objects: Objects = new Map();
    await openVault(objects).surrogatesOf(members(0, 100));
    const before = textOf(objects);
    await openVault(objects).surrogatesOf(members(0, 100));
    expect(textOf(objects)).toBe(before);
  });

  test('the same identifier has unrelated surrogates in two use cases and in two vaults', async () => {
    const objects: Objects = new Map();
    const surrogates = await Promise.all([
      openVault(objects).surrogatesOf(['MBR-1']),
      openVault(objects, undefined, 'offers').surrogatesOf(['MBR-1']),
      openVault().surrogatesOf(['MBR-1']),
    ]);
    expect(new Set(surrogates.map((found) => found.get('MBR-1'))).size).toBe(3);
  });

  test('32. a surrogate cannot be computed from the identifier, plain or hashed, with any key that is stored', async () => {
    const objects: Objects = new Map();
    const surrogate = (await openVault(objects).surrogatesOf(['MBR-1'])).get('MBR-1')!;
    const stored = [...objects.values()].flatMap(
      (bytes) =>
        Buffer.from(bytes)
          .toString()
          .match(/[\w+/=-]{8,}/g) ?? [],
    );
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
      expect(createHash(algorithm).update('MBR-1').digest('hex')).not.toContain(surrogate);
      for (const key of stored)
        expect(createHmac(algorithm, key).update('MBR-1').digest('hex')).not.toContain(surrogate);
    }
  });

  test('no identifier is stored in the clear, nor hashed without the key', async () => {
    const objects: Objects = new Map();
    await openVault(objects).surrogatesOf(members(0, 50));
    const text = textOf(objects);
    for (const member of members(0, 50)) {
      expect(text).not.toContain(member);
      expect(text).not.toContain(Buffer.from(member).toString('base64').slice(0, 6));
      expect(text).not.toContain(createHash('sha256').update(member).digest('hex').slice(0, 16));
    }
  });

  test('an entry that was moved to another member’s place does not decrypt', async () => {
    const objects: Objects = new Map();
    const surrogate = (await openVault(objects).surrogatesOf(members(0, 64))).get('MBR-1')!;
    for (const [key, bytes] of objects) {
      const segment = JSON.parse(Buffer.from(bytes).toString()) as { entries?: string[][] };
      if (!segment.entries?.some((entry) => entry[1] === surrogate)) continue;
      const fields = segment.entries.map((entry) => entry[2]);
      for (const [i, entry] of segment.entries.entries()) entry[2] = fields[(i + 1) % fields.length];
      objects.set(key, Buffer.from(JSON.stringify(segment)));
    }
    await expect(openVault(objects).reidentify(surrogate, by)).rejects.toThrow(VaultDamaged);
  });

  test('a segment that went missing is found, not papered over', async () => {
    const objects: Objects = new Map();
    await openVault(objects).surrogatesOf(members(0, 100));
    await openVault(objects).surrogatesOf(members(100, 200));
    const first = [...objects.keys()].find((key) => key.endsWith('/0001/00000001.json'))!;
    objects.delete(first);
    await expect(openVault(objects).surrogatesOf(members(0, 200))).rejects.toThrow(VaultDamaged);
  });
});

describe('exactly once', () => {
  test('workers that ask at once, in seeded interleavings, get the same surrogates', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const objects: Objects = new Map();
      const draw = random(seed);
      const anyOrder: Interceptor = async () => {
        for (let turns = draw.integer(4); turns > 0; turns--) await Promise.resolve();
      };
      const found = await Promise.all(
        Array.from({ length: 4 }, (_, w) => openVault(objects, anyOrder).surrogatesOf(members(w * 10, w * 10 + 20))),
      );
      const final = await openVault(objects).surrogatesOf(members(0, 50));
      expect(new Set(final.values()).size).toBe(50);
      for (const surrogates of found) {
        for (const [member, surrogate] of surrogates) expect([seed, surrogate]).toEqual([seed, final.get(member)]);
      }
    }
  });

  test('a crash before or after any access, then a retry: nobody gets a second surrogate', async () => {
    const points = await atEveryAccess(
      new Map(),
      (vault) => vault.surrogatesOf(members(0, 12)),
      async (objects) => {
        const partial = await openVault(objects).surrogatesOf(members(0, 6));
        const final = await openVault(objects).surrogatesOf(members(0, 12));
        for (const [member, surrogate] of partial) expect(final.get(member)).toBe(surrogate);
        expect(new Set(final.values()).size).toBe(12);
      },
    );
    expect(points).toBeGreaterThan(60);
  });
});

describe('re-identification', () => {
  test('gives the identifier, and stands in the audit log first', async () => {
    const objects: Objects = new Map();
    const vault = openVault(objects);
    const surrogates = await vault.surrogatesOf(members(0, 30));
    for (const [member, surrogate] of surrogates) expect(await vault.reidentify(surrogate!, by)).toBe(member);
    const audit = await readAudit(new MemoryStore(objects), vault.auditPath);
    expect(
      audit.map(({ sequence, action, surrogate, actor, reason }) => [sequence, action, surrogate, actor, reason]),
    ).toEqual([...surrogates.values()].map((surrogate, i) => [i + 1, 'reidentify', surrogate, 'dpo', 'complaint 7']));
  });

  test('tells nothing when the audit log cannot be written', async () => {
    const objects: Objects = new Map();
    const surrogate = (await openVault(objects).surrogatesOf(['MBR-1'])).get('MBR-1')!;
    const noAudit: Interceptor = (moment, operation, key) => {
      if (moment === 'before' && operation === 'putIfAbsent' && key.includes('/audit/')) throw new Error('read only');
    };
    await expect(openVault(objects, noAudit).reidentify(surrogate, by)).rejects.toThrow('read only');
  });

  test('of a surrogate that nobody has is refused, and not recorded', async () => {
    const objects: Objects = new Map();
    const vault = openVault(objects);
    await vault.surrogatesOf(['MBR-1']);
    await expect(vault.reidentify('somebody', by)).rejects.toThrow(UnknownSurrogate);
    expect(await readAudit(new MemoryStore(objects), vault.auditPath)).toEqual([]);
  });

  test('an edited audit log is found', async () => {
    const objects: Objects = new Map();
    const vault = openVault(objects);
    const surrogates = await vault.surrogatesOf(['MBR-1', 'MBR-2']);
    for (const surrogate of surrogates.values()) await vault.reidentify(surrogate!, by);
    const [first] = [...objects.keys()].filter((key) => key.includes('/audit/')).sort();
    objects.set(first, Buffer.from(Buffer.from(objects.get(first)!).toString().replace('dpo', 'eve')));
    await expect(readAudit(new MemoryStore(objects), vault.auditPath)).rejects.toThrow(AuditBroken);
    objects.delete(first);
    await expect(readAudit(new MemoryStore(objects), vault.auditPath)).rejects.toThrow(AuditBroken);
  });
});

describe('35. erasure of one member', () => {
  test('the member is gone and stays out, everybody else keeps their surrogate', async () => {
    const objects: Objects = new Map();
    const before = await openVault(objects).surrogatesOf(members(0, 200));
    const gone = before.get('MBR-7')!;
    expect(await openVault(objects).tombstone('MBR-7')).toBe(gone);
    await openVault(objects).shred('MBR-7');

    const after = await openVault(objects).surrogatesOf(members(0, 201));
    expect(after.get('MBR-7')).toBeUndefined();
    expect(after.get('MBR-200')).toMatch(/./);
    expect(without(after, 'MBR-7', 'MBR-200')).toEqual(without(before, 'MBR-7'));
    await expect(openVault(objects).reidentify(gone, by)).rejects.toThrow(UnknownSurrogate);
    expect(await openVault(objects).reidentify(before.get('MBR-8')!, by)).toBe('MBR-8');
    expect(textOf(objects)).not.toContain(`"${gone}"`);
  });

  test('the old key object is gone, so that a copy of the old segments cannot be read', async () => {
    const objects: Objects = new Map();
    const surrogate = (await openVault(objects).surrogatesOf(members(0, 64))).get('MBR-7')!;
    const [segment] = [...objects].find(([, bytes]) => Buffer.from(bytes).toString().includes(`"${surrogate}"`))!;
    const key = segment.replace(/\d{8}\.json$/, 'key.json');
    expect(objects.has(key)).toBe(true);
    await openVault(objects).shred('MBR-7');
    expect(objects.has(key)).toBe(false);
    expect(objects.has(segment)).toBe(false);
  });

  test('a member who is erased before the vault knows them never gets in', async () => {
    const objects: Objects = new Map();
    expect(await openVault(objects).tombstone('MBR-1')).toBeUndefined();
    expect((await openVault(objects).surrogatesOf(['MBR-1'])).get('MBR-1')).toBeUndefined();
  });

  test('a vault that is only asked for the erased gives nothing out', async () => {
    const objects: Objects = new Map();
    expect(await openVault(objects).erasedAmong(members(0, 9))).toEqual(new Set());
    expect(objects.size).toBe(0);
    await openVault(objects).tombstone('MBR-4');
    expect(await openVault(objects).erasedAmong(members(0, 9))).toEqual(new Set(['MBR-4']));
    expect(textOf(objects)).not.toContain('"entries"');
  });

  test('cut short anywhere and done again it ends the same', async () => {
    const prepared: Objects = new Map();
    const before = await openVault(prepared).surrogatesOf(members(0, 40));
    const points = await atEveryAccess(
      prepared,
      (vault) => vault.shred('MBR-7'),
      async (objects) => {
        // somebody who ingests in between sees everybody else as before
        const between = await openVault(objects).surrogatesOf(members(0, 40));
        expect(without(between, 'MBR-7')).toEqual(without(before, 'MBR-7'));
        await openVault(objects).shred('MBR-7');
        expect((await openVault(objects).surrogatesOf(['MBR-7'])).get('MBR-7')).toBeUndefined();
        expect(textOf(objects)).not.toContain(`"${before.get('MBR-7')!}"`);
      },
    );
    expect(points).toBeGreaterThan(20);
  });

  test('racing with ingestion and with other erasures, in seeded interleavings, nobody else changes', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const objects: Objects = new Map();
      const before = await openVault(objects).surrogatesOf(members(0, 40));
      const draw = random(seed);
      const anyOrder: Interceptor = async () => {
        for (let turns = draw.integer(6); turns > 0; turns--) await Promise.resolve();
      };
      const erased = ['MBR-3', 'MBR-4', 'MBR-5', 'MBR-6'];
      const [ingested] = await Promise.all([
        openVault(objects, anyOrder).surrogatesOf(members(20, 80)),
        ...erased.map((member) => openVault(objects, anyOrder).shred(member)),
        openVault(objects, anyOrder).surrogatesOf(members(30, 90)),
      ]);
      const after = await openVault(objects).surrogatesOf(members(0, 90));
      expect(erased.map((member) => after.get(member))).toEqual(erased.map(() => undefined));
      const [others, was, got] = [after, before, ingested].map((found) => without(found, ...erased));
      expect({ seed, ...Object.fromEntries(others) }).toMatchObject({ seed, ...Object.fromEntries(was) });
      expect({ seed, ...Object.fromEntries(others) }).toMatchObject({ seed, ...Object.fromEntries(got) });
    }
  });
});
