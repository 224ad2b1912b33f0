import type { Json } from '../data/json.ts';
import type { DomainEvent, EventBus } from '../ports/event-bus.ts';
import { eventSizeBytes } from '../ports/event-limits.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { eventSource } from '../triggers.ts';

/** An event as rules match it: EventBridge's envelope, as far as patterns look at it. */
export type Envelope = { source: string; 'detail-type': string; detail: { [key: string]: Json } };

export type Queued = { key: string; envelope: Envelope };

/**
 * Events that wait for delivery, each a file until everything it starts has ended. What a stopped process leaves behind is
 * delivered by the next one: at least once, as on EventBridge, and the stages are made for that.
 */
export class EventQueue implements EventBus {
  readonly #store: ObjectStore;
  #next = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Announces the product's own events. Throws `EventTooLarge`, and then announces none of them. */
  async publish(events: readonly DomainEvent[]): Promise<void> {
    for (const event of events) eventSizeBytes(eventSource, event);
    for (const { detailType, detail } of events) {
      await this.add({ source: eventSource, 'detail-type': detailType, detail });
    }
  }

  async add(envelope: Envelope): Promise<void> {
    if (this.#next === 0) for await (const key of this.#keys()) this.#next = sequenceOf(key);
    let created = false;
    while (!created) {
      this.#next += 1;
      ({ created } = await this.#store.putIfAbsent(
        keyOf(this.#next),
        new TextEncoder().encode(JSON.stringify(envelope)),
      ));
    }
  }

  /** The event that waits longest. */
  async first(): Promise<Queued | undefined> {
    for await (const key of this.#keys()) {
      const bytes = await this.#store.get(key);
      if (bytes) return { key, envelope: parse(key, bytes) };
    }
    return undefined;
  }

  async done(queued: Queued): Promise<void> {
    await this.#store.delete(queued.key);
  }

  /** Of all waiting events, in their order. A file of another name is nobody's event: somebody has put it aside there. */
  async *#keys(): AsyncIterable<string> {
    for await (const { key } of this.#store.list(prefix)) if (Number.isInteger(sequenceOf(key))) yield key;
  }
}

const prefix = 'events/';
const keyOf = (sequence: number) => `${prefix}${String(sequence).padStart(9, '0')}.json`;
const sequenceOf = (key: string) => Number(/^events\/(\d{9})\.json$/.exec(key)?.[1]);

/** The runtime's own state cannot be read. */
export class BrokenStateFile extends Error {
  override name = 'BrokenStateFile';

  constructor(key: string, reason: string) {
    super(
      `The state file runtime/${key} cannot be read: ${reason}. ` +
        'Move it away to go on; tables, models and drops are not affected, and dropping the file again repeats what it started.',
    );
  }
}

function parse(key: string, bytes: Uint8Array): Envelope {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new BrokenStateFile(key, (error as Error).message);
  }
  const envelope = value as Envelope;
  if (
    typeof envelope?.source !== 'string' ||
    typeof envelope['detail-type'] !== 'string' ||
    typeof envelope.detail !== 'object' ||
    envelope.detail === null
  ) {
    throw new BrokenStateFile(key, 'it is JSON, but no event');
  }
  return envelope;
}
