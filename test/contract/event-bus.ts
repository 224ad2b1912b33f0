import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DomainEvent, EventBus } from '../../src/ports/event-bus.ts';
import { EventTooLarge } from '../../src/ports/errors.ts';

/**
 * Opens a bus with one subscriber that takes everything. `delivered` resolves to every event that has reached the subscriber
 * so far (after letting pending deliveries finish), as often as each came; `close` ends it.
 */
export type OpenEventBus = () => Promise<{
  bus: EventBus;
  delivered: () => Promise<DomainEvent[]>;
  close: () => Promise<void>;
}>;

/** What every event bus promises. Call it once per adapter. */
export function eventBusContract(name: string, open: OpenEventBus): void {
  describe(`${name} keeps the event bus's contract`, () => {
    let bus: EventBus;
    let delivered: () => Promise<DomainEvent[]>;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ bus, delivered, close } = await open());
    });
    afterEach(() => close());

    test('a published event is delivered as it was, its detail down to the last character', async () => {
      const detail = { useCase: 'insurance-cost', rows: 5000, share: 0.25, files: ['a b.csv', 'März.csv'], none: null };
      const event = { detailType: 'FeaturesReady', detail: { ...detail, nested: { deep: [{ quote: '"\\' }] } } };
      await bus.publish([event]);
      expect(unique(await delivered())).toEqual([event]);
    });

    test('every event of a large batch arrives, in whatever order and at least once', async () => {
      const events = Array.from({ length: 23 }, (_, i) => ({ detailType: 'DatasetArrived', detail: { drop: i } }));
      await bus.publish(events);
      const drops = new Set((await delivered()).map((event) => event.detail.drop));
      expect([...drops].sort((a, b) => Number(a) - Number(b))).toEqual(events.map((event) => event.detail.drop));
    });

    test('large events that fit one by one arrive although they do not fit together', async () => {
      const events = [1, 2, 3].map((i) => ({ detailType: 'ModelTrained', detail: { i, text: 'x'.repeat(200_000) } }));
      await bus.publish(events);
      expect(new Set((await delivered()).map((event) => event.detail.i))).toEqual(new Set([1, 2, 3]));
    });

    test('publishing nothing delivers nothing', async () => {
      await bus.publish([]);
      expect(await delivered()).toEqual([]);
    });

    test('an event beyond 256 KiB is refused by name, and nothing of its batch is published', async () => {
      const small = { detailType: 'ModelTrained', detail: {} };
      // two bytes each in UTF-8: it is bytes that count
      const large = { detailType: 'ScoresPublished', detail: { text: 'é'.repeat(131_072) } };
      const refused = bus.publish([small, large]);
      await expect(refused).rejects.toThrow(EventTooLarge);
      await expect(refused).rejects.toThrow(/ScoresPublished has 262\d\d\d bytes/);
      expect(await delivered()).toEqual([]);
    });

    test('what the publisher changes afterwards changes nothing for the receiver', async () => {
      const event = { detailType: 'ModelPromoted', detail: { version: 7 } };
      await bus.publish([event]);
      event.detail.version = 8;
      expect(unique(await delivered())).toEqual([{ detailType: 'ModelPromoted', detail: { version: 7 } }]);
    });
  });
}

function unique(events: readonly DomainEvent[]): unknown[] {
  return [...new Set(events.map((event) => JSON.stringify(event)))].map((text) => JSON.parse(text) as unknown);
}
