import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/data/json.ts';
import { canonicalJson } from '../../src/governance/digest.ts';
import { appendToLedger, type LedgerEntry, readLedger, verifyLedger } from '../../src/governance/ledger.ts';
import { MemoryStore } from './memory-store.ts';

const useCase = 'insurance-cost';
const keyOf = (sequence: number) => `promotions/${useCase}/${String(sequence).padStart(8, '0')}.json`;

async function ledgerOf(times: readonly number[]): Promise<{ store: MemoryStore; entries: LedgerEntry[] }> {
  const store = new MemoryStore();
  for (const [i, nowMs] of times.entries()) {
    await appendToLedger({ store, useCase, nowMs }, { kind: 'refuse', decisionId: `run-${i}` }, () => ({
      alias: 'champion',
      version: i + 1,
      replaces: null,
      actor: `run-${i}`,
      reason: 'worse',
      criteriaHash: null,
      evidence: { mae: [2500.5, null], gates: { r2: false } },
    }));
  }
  return { store, entries: await readLedger(store, useCase) };
}

async function rewrite(store: MemoryStore, sequence: number, change: (entry: LedgerEntry) => LedgerEntry) {
  const text = new TextDecoder().decode(await store.get(keyOf(sequence)));
  await store.put(keyOf(sequence), new TextEncoder().encode(JSON.stringify(change(JSON.parse(text)))));
}

describe('the verifier', () => {
  test('finds nothing in a ledger as it was written', async () => {
    const { entries } = await ledgerOf([1, 2, 3]);
    expect(verifyLedger(entries, { sequence: 3, hash: entries[2].hash })).toEqual([]);
  });

  test.each([1, 2, 3])('finds an edited entry %d', async (sequence) => {
    const { store } = await ledgerOf([1, 2, 3]);
    await rewrite(store, sequence, (entry) => ({ ...entry, reason: 'better' }));
    await expect(readLedger(store, useCase)).rejects.toThrow(`entry ${sequence} was edited`);
  });

  test('finds an entry that was edited and hashed again, by the entry after it', async () => {
    const { store, entries } = await ledgerOf([1, 2, 3]);
    const edited = { ...entries[1], reason: 'better' };
    const hash = createHash('sha256')
      .update(canonicalJson({ ...edited, hash: null }))
      .digest('hex');
    await rewrite(store, 2, () => ({ ...edited, hash }));
    await expect(readLedger(store, useCase)).rejects.toThrow('entry 3 does not follow');
  });

  test.each([1, 2])('finds that entry %d was deleted', async (sequence) => {
    const { store } = await ledgerOf([1, 2, 3]);
    await store.delete(keyOf(sequence));
    await expect(readLedger(store, useCase)).rejects.toThrow(`entry ${sequence} is missing`);
  });

  test('finds a cut-off end by the head that was noted elsewhere', async () => {
    const { store, entries } = await ledgerOf([1, 2, 3]);
    await store.delete(keyOf(3));
    const left = await readLedger(store, useCase);
    expect(verifyLedger(left)).toEqual([]);
    const faults = verifyLedger(left, { sequence: 3, hash: entries[2].hash });
    expect(faults.map(({ sequence }) => sequence)).toEqual([3]);
  });

  test('finds a file that is no JSON, and nothing is appended to a broken ledger', async () => {
    const { store } = await ledgerOf([1, 2]);
    await store.put(keyOf(2), new Uint8Array([0xff]));
    const append = appendToLedger({ store, useCase, nowMs: 3 }, { kind: 'refuse', decisionId: 'x' }, () => {
      throw new Error('must not be asked');
    });
    await expect(append).rejects.toThrow('not readable as JSON');
  });
});

test('time never goes back along the ledger, whatever the clocks of its writers say', async () => {
  const { entries } = await ledgerOf([5_000, 1_000, 7_000]);
  expect(entries.map(({ atMs }) => atMs)).toEqual([5_000, 5_000, 7_000]);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
});

test('a document with absent members and numbers that are none has the same text after a trip through JSON', () => {
  const document = { metric: NaN, weight: undefined, values: [1, undefined, -0] } as unknown as Json;
  expect(canonicalJson(JSON.parse(JSON.stringify(document)))).toBe(canonicalJson(document));
});

test('canonical JSON does not depend on the order of keys', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
});
