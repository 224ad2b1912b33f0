import { describe, expect, test } from 'vitest';
import type { Lineage } from '../../src/governance/lineage.ts';
import { lineageGaps } from '../../src/governance/lineage.ts';
import {
  fileKey,
  listVersions,
  publishVersion,
  readVersion,
  readVersionFile,
  verifyVersion,
} from '../../src/governance/registry.ts';
import { random } from '../../src/ml/random.ts';
import { MemoryStore } from './memory-store.ts';
import { crashEverywhere, interleave } from './simulation.ts';

const useCase = 'insurance-cost';
const lineageOf = (runId: string): Lineage => ({
  runId,
  algorithm: 'gradient-boosting',
  parameters: { trees: 100, learningRate: 0.1 },
  seed: 42,
  features: ['age', 'bmi'],
  contractVersions: { patients: '1.0.0' },
  dataVersion: 3,
  trainDigest: 'a'.repeat(64),
  testDigest: 'b'.repeat(64),
  trainRows: 800,
  testRows: 200,
  codeCommit: 'c0ffee',
});
const text = (content: string) => new TextEncoder().encode(content);
const publish = (store: MemoryStore, runId: string, content = runId, nowMs = 1_000) =>
  publishVersion(store, {
    useCase,
    lineage: lineageOf(runId),
    files: new Map([
      ['model.txt', text(`tree of ${content}`)],
      ['card/card.json', text('{}')],
    ]),
    nowMs,
  });

describe('publishing', () => {
  test('numbers versions from 1 and gives their files back', async () => {
    const store = new MemoryStore();
    const first = await publish(store, 'run-a');
    const second = await publish(store, 'run-b');
    expect([first.version, second.version]).toEqual([1, 2]);
    const bytes = await readVersionFile(store, second, 'model.txt');
    expect(new TextDecoder().decode(bytes)).toBe('tree of run-b');
    expect(await readVersion(store, useCase, 2)).toEqual(second);
    expect(store.objects.has('versions/insurance-cost/0002/card/card.json')).toBe(true);
  });

  test('one run publishes one version, however often it is delivered', async () => {
    const store = new MemoryStore();
    const first = await publish(store, 'run-a');
    expect(await publish(store, 'run-a', 'other bytes', 2_000)).toEqual(first);
    expect((await listVersions(store, useCase)).length).toBe(1);
  });

  test('24. publishers that race get numbers of their own, and the same run still one', async () => {
    for (let seed = 0; seed < 150; seed++) {
      const objects = new Map<string, Uint8Array>();
      await interleave(
        random(`publish ${seed}`),
        objects,
        ['run-a', 'run-b', 'run-a', 'run-c'].map((runId) => async (store) => void (await publish(store, runId))),
      );
      const versions = await listVersions(new MemoryStore(objects), useCase);
      expect(
        versions.map(({ version }) => version),
        `seed ${seed}`,
      ).toEqual([1, 2, 3]);
      expect(versions.map(({ lineage }) => lineage.runId).sort(), `seed ${seed}`).toEqual(['run-a', 'run-b', 'run-c']);
      for (const manifest of versions) expect(await verifyVersion(new MemoryStore(objects), manifest)).toEqual([]);
    }
  });

  test('a crash at any point shows the whole version or none, and the restart completes it under its number', async () => {
    const initial = new Map<string, Uint8Array>();
    await publish(new MemoryStore(initial), 'run-a');
    const points = await crashEverywhere(
      initial,
      async (store) => void (await publish(store, 'run-b')),
      async (objects) => {
        const store = new MemoryStore(objects);
        for (const manifest of await listVersions(store, useCase)) {
          expect(await verifyVersion(store, manifest)).toEqual([]);
        }
        await publish(store, 'run-b', 'run-b', 9_000);
        const runs = (await listVersions(store, useCase)).map(({ version, lineage }) => [version, lineage.runId]);
        expect(runs).toEqual([
          [1, 'run-a'],
          [2, 'run-b'],
        ]);
      },
    );
    expect(points).toBeGreaterThan(8);
  });

  test('a number whose publisher never came back stays unseen', async () => {
    const store = new MemoryStore();
    await publish(store, 'run-a');
    store.objects.delete('versions/insurance-cost/0001/manifest.json');
    const next = await publish(store, 'run-b');
    expect(next.version).toBe(2);
    expect((await listVersions(store, useCase)).map(({ version }) => version)).toEqual([2]);
    await expect(readVersion(store, useCase, 1)).rejects.toThrow('no version 1');
  });
});

describe('a stored version that is not as published', () => {
  test.each([
    ['changed', async (store: MemoryStore, key: string) => store.put(key, text('tree of mallory'))],
    ['cut short', async (store: MemoryStore, key: string) => store.put(key, text('tree'))],
    ['deleted', async (store: MemoryStore, key: string) => store.delete(key)],
  ])('is not read when a file was %s', async (_, damage) => {
    const store = new MemoryStore();
    const manifest = await publish(store, 'run-a');
    await damage(store, fileKey(manifest, 'model.txt'));
    await expect(readVersionFile(store, manifest, 'model.txt')).rejects.toThrow('is not the file that was published');
    expect((await verifyVersion(store, manifest)).map(({ file }) => file)).toEqual(['model.txt']);
  });

  test('is found when its lineage was edited', async () => {
    const store = new MemoryStore();
    const manifest = await publish(store, 'run-a');
    const edited = { ...manifest, lineage: { ...manifest.lineage, seed: 7 } };
    expect((await verifyVersion(store, edited)).map(({ file }) => file)).toEqual(['manifest.json']);
  });

  test('a file that the version does not have is named with those that it has', async () => {
    const store = new MemoryStore();
    const manifest = await publish(store, 'run-a');
    await expect(readVersionFile(store, manifest, 'card.md')).rejects.toThrow('it has: model.txt, card/card.json');
  });
});

test('gaps in a lineage are named', () => {
  expect(lineageGaps(lineageOf('run-a'))).toEqual([]);
  const gaps = lineageGaps({ ...lineageOf(''), trainDigest: 'unknown', codeCommit: '', features: [] });
  expect(gaps).toEqual(['the training run', 'the feature list', "the training set's digest", 'the code commit']);
});
