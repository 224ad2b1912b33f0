import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import type { DomainEvent } from '../../src/ports/event-bus.ts';
import { BrokenStateFile, EventQueue } from '../../src/runtime/event-queue.ts';
import { eventBusContract } from '../contract/event-bus.ts';
import { temporaryDirectory } from '../stages/use-cases.ts';

/** Takes every event that waits, in order. */
async function drain(queue: EventQueue): Promise<DomainEvent[]> {
  const events: DomainEvent[] = [];
  for (let queued = await queue.first(); queued; queued = await queue.first()) {
    events.push({ detailType: queued.envelope['detail-type'], detail: queued.envelope.detail });
    await queue.done(queued);
  }
  return events;
}

eventBusContract('the embedded queue', async () => {
  const { path, remove } = temporaryDirectory();
  const queue = new EventQueue(new DirectoryStore(path));
  const seen: DomainEvent[] = [];
  return {
    bus: queue,
    delivered: async () => {
      seen.push(...(await drain(queue)));
      return seen;
    },
    close: async () => remove(),
  };
});

describe('events that wait', () => {
  let directory: string;
  let remove: () => void;
  let store: DirectoryStore;
  beforeEach(() => {
    ({ path: directory, remove } = temporaryDirectory());
    store = new DirectoryStore(directory);
  });
  afterEach(() => remove());

  const numbered = (n: number): DomainEvent => ({ detailType: 'ModelTrained', detail: { n } });
  const put = (key: string, text: string) => store.put(key, new TextEncoder().encode(text));

  test('are delivered in the order in which they came', async () => {
    const queue = new EventQueue(store);
    await queue.publish(Array.from({ length: 12 }, (_, n) => numbered(n)));
    await queue.publish([numbered(12)]);
    expect((await drain(queue)).map(({ detail }) => detail['n'])).toEqual(Array.from({ length: 13 }, (_, n) => n));
  });

  test('wait until they are done, also for the next process', async () => {
    const stopped = new EventQueue(store);
    await stopped.publish([numbered(1), numbered(2)]);
    const first = (await stopped.first())!;
    expect(await stopped.first()).toEqual(first);

    const next = new EventQueue(new DirectoryStore(directory));
    await next.publish([numbered(3)]);
    expect((await drain(next)).map(({ detail }) => detail['n'])).toEqual([1, 2, 3]);
    expect(await next.first()).toBeUndefined();
  });

  test('of two processes at once none is lost', async () => {
    const queues = [new EventQueue(store), new EventQueue(new DirectoryStore(directory))];
    await Promise.all(Array.from({ length: 20 }, (_, n) => queues[n % 2].publish([numbered(n)])));
    const found = (await drain(queues[0])).map(({ detail }) => Number(detail['n']));
    expect(found.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test.each([
    ['no JSON', '{"source":'],
    ['JSON, but no event', '[1, 2]'],
    ['an event without its detail', '{"source":"bordereau","detail-type":"ModelTrained"}'],
    ['an event of nothing', '{"source":"bordereau","detail-type":"ModelTrained","detail":null}'],
  ])('a state file that is %s is named, with what to do', async (_title, text) => {
    await put('events/000000001.json', text);
    const delivering = new EventQueue(store).first();
    await expect(delivering).rejects.toThrow(BrokenStateFile);
    await expect(delivering).rejects.toThrow(
      /runtime\/events\/000000001\.json cannot be read: .*\. Move it away to go on/,
    );
  });

  test('a file that somebody has put aside under another name is nobody’s event and in nobody’s way', async () => {
    await put('events/000000001.json.broken', '{');
    const queue = new EventQueue(store);
    await queue.publish([numbered(1), numbered(2)]);
    expect((await drain(queue)).map(({ detail }) => detail['n'])).toEqual([1, 2]);
    expect(new TextDecoder().decode(await store.get('events/000000001.json.broken'))).toBe('{');
  });

  test('a queue whose directory is gone begins again', async () => {
    rmSync(directory, { recursive: true });
    const queue = new EventQueue(store);
    expect(await queue.first()).toBeUndefined();
    await queue.publish([numbered(1)]);
    expect(await drain(queue)).toEqual([numbered(1)]);
  });
});
