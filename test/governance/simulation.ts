import { setImmediate } from 'node:timers/promises';
import type { Random } from '../../src/ml/random.ts';
import { MemoryStore } from './memory-store.ts';

/** Runs the workers on one store, each store operation in a seeded random order among those that are waiting. */
export async function interleave(
  draw: Random,
  objects: Map<string, Uint8Array>,
  workers: readonly ((store: MemoryStore) => Promise<void>)[],
): Promise<void> {
  const waiting: (() => void)[] = [];
  const turn = () => new Promise<void>((go) => void waiting.push(go));
  const store = new MemoryStore(objects, (moment) => (moment === 'before' ? turn() : undefined));
  const done: boolean[] = [];
  const work = Promise.all(
    workers.map(async (worker) => {
      try {
        await worker(store);
      } finally {
        done.push(true);
      }
    }),
  );
  while (done.length < workers.length) {
    // everybody runs on until all wait for the store
    await setImmediate();
    const next = waiting.splice(draw.integer(Math.max(waiting.length, 1)), 1)[0];
    next?.();
  }
  await work;
}

/** Thrown by the store where the simulated process dies. */
export class Crash extends Error {
  override name = 'Crash';
}

/**
 * Runs `work` once for each store operation that it makes, crashing there, before the operation and after it, and hands over what
 * the crash left. Returns the number of crash points.
 */
export async function crashEverywhere(
  initial: ReadonlyMap<string, Uint8Array>,
  work: (store: MemoryStore) => Promise<void>,
  inspect: (objects: Map<string, Uint8Array>) => Promise<void>,
): Promise<number> {
  for (let point = 0; ; point++) {
    let at = 0;
    const objects = new Map(initial);
    const store = new MemoryStore(objects, () => {
      if (at++ === point) throw new Crash();
    });
    try {
      await work(store);
      return point;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      await inspect(objects);
    }
  }
}
