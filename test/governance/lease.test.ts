import { describe, expect, test } from 'vitest';
import { acquireLease, ensureHolder, isHeld, readLease, releaseLease } from '../../src/governance/lease.ts';
import { decideRetrain } from '../../src/governance/retrain.ts';
import { random } from '../../src/ml/random.ts';
import { MemoryStore } from './memory-store.ts';
import { interleave } from './simulation.ts';

const at = (store: MemoryStore) => ({ store, useCase: 'insurance-cost', name: 'retrain' });
const acquire = (store: MemoryStore, holder: string, nowMs = 0) =>
  acquireLease(at(store), { holder, nowMs, durationSeconds: 60 });

describe('the lease', () => {
  test('goes to exactly one of those that ask at the same time', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const acquired: string[] = [];
      await interleave(
        random(`lease ${seed}`),
        new Map(),
        ['schedule', 'drift', 'manual'].map((holder) => async (store) => {
          if ((await acquire(store, holder)).acquired) acquired.push(holder);
        }),
      );
      expect(acquired.length, `seed ${seed}`).toBe(1);
    }
  });

  test('tells the second one who holds it, and is the same for the holder that asks again', async () => {
    const store = new MemoryStore();
    const first = await acquire(store, 'run-a');
    const second = await acquire(store, 'run-b', 30_000);
    expect([second.acquired, second.lease.holder]).toEqual([false, 'run-a']);
    expect(await acquire(store, 'run-a', 30_000)).toEqual(first);
  });

  test('is free again when it is given back, with a higher number', async () => {
    const store = new MemoryStore();
    await acquire(store, 'run-a');
    await releaseLease(at(store), 'run-a');
    await releaseLease(at(store), 'run-a');
    expect(isHeld(await readLease(at(store)), 1)).toBe(false);
    expect((await acquire(store, 'run-b', 1)).lease.number).toBe(2);
  });

  test('20. fences a holder that wakes up after its time', async () => {
    const store = new MemoryStore();
    await acquire(store, 'sleeper');
    await expect(ensureHolder(at(store), 'sleeper')).resolves.toBeUndefined();
    expect((await acquire(store, 'next', 60_000)).acquired).toBe(true);
    await expect(ensureHolder(at(store), 'sleeper')).rejects.toThrow('run next took it as number 2');
    await releaseLease(at(store), 'sleeper');
    expect(isHeld(await readLease(at(store)), 60_001)).toBe(true);
  });
});

describe('whether to retrain', () => {
  test.each(['schedule', 'drift', 'manual'] as const)('%s waits while another retraining is under way', (cause) => {
    const heldBy = { holder: 'run-a', expiresAtMs: Date.UTC(2026, 0, 2) };
    const decision = decideRetrain({ cause, heldBy, dataVersion: 5, lastTrainedOn: 4 });
    expect(decision.start).toBe(false);
    expect(decision.reason).toContain('run-a');
    expect(decision.reason).toContain('2026-01-02T00:00:00.000Z');
  });

  test.each([
    ['schedule', false],
    ['drift', false],
    ['manual', true],
  ] as const)('%s without newer data: %s', (cause, start) => {
    expect(decideRetrain({ cause, dataVersion: 4, lastTrainedOn: 4 }).start).toBe(start);
  });

  test('new data, or no model yet, are reason enough', () => {
    expect(decideRetrain({ cause: 'drift', dataVersion: 5, lastTrainedOn: 4 }).start).toBe(true);
    expect(decideRetrain({ cause: 'first-data', dataVersion: 0 }).start).toBe(true);
  });
});
