import { createHash } from 'node:crypto';
import type { Json } from '../data/json.ts';
import type { DomainEvent, EventBus } from '../ports/event-bus.ts';
import { eventSizeBytes } from '../ports/event-limits.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { eventSource } from '../triggers.ts';

/** An event as rules match it: EventBridge's envelope, as far as patterns look at it. */
export type Envelope = { source: string; 'detail-type': string; detail: { [key: string]: Json } };

export type Queued = { key: string; envelope: Envelope; tries: number };

/** An event that was tried as often as may be and is put aside, until somebody replays it. */
export type DeadLetter = {
  key: string;
  envelope: Envelope;
  tries: number;
  /** The last failure; where the process ended each time, that. */
  reason: string;
};

/** What stands in a file: the event, and how often its delivery was begun. */
type Stored = Envelope & { tries?: number; reason?: string };

/** An event whose delivery was begun so often without an end is put aside: it must not keep the others from theirs. */
const mostTries = 3;

/**
 * Events that wait for delivery, each a file until everything it starts has ended. What a stopped process leaves behind is
 * delivered by the next one: at least once, as on EventBridge, and the stages are made for that. What cannot be delivered
 * ends among the dead letters, which are files too.
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
      ({ created } = await this.#store.putIfAbsent(keyOf(this.#next), encode(envelope)));
    }
  }

  /** The event that waits longest, of those that are asked for. */
  async first(isAskedFor: (envelope: Envelope) => boolean = () => true): Promise<Queued | undefined> {
    for await (const key of this.#keys()) {
      const bytes = await this.#store.get(key);
      if (bytes) {
        const { tries = 0, reason: _reason, ...envelope } = parse(key, bytes);
        if (isAskedFor(envelope)) return { key, envelope, tries };
      }
    }
    return undefined;
  }

  /**
   * Says that delivery begins, before anything is started: a process that ends in it has tried. False where it was tried often
   * enough; the event is put aside then.
   */
  async begin({ key, envelope, tries }: Queued): Promise<boolean> {
    const stored = { ...parse(key, (await this.#store.get(key))!), tries: tries + 1 };
    if (tries < mostTries) await this.#store.put(key, encode(stored));
    else await this.#bury(key, envelope, tries, stored.reason ?? 'the process ended each time that it was delivered');
    return tries < mostTries;
  }

  /** Says that delivery has failed; it is tried again by whoever delivers next, or put aside. */
  async failed({ key, envelope, tries }: Queued, error: Error): Promise<void> {
    const reason = `${error.name}: ${error.message}`.slice(0, 500);
    if (tries + 1 < mostTries) await this.#store.put(key, encode({ ...envelope, tries: tries + 1, reason }));
    else await this.#bury(key, envelope, tries + 1, reason);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for await (const { key } of this.#store.list(deadPrefix)) {
      const bytes = await this.#store.get(key);
      if (!bytes) continue;
      const { tries = 0, reason = '', ...envelope } = parse(key, bytes);
      letters.push({ key, envelope, tries, reason });
    }
    return letters;
  }

  /** Lets a dead letter wait for delivery again. Whatever is cut short, and however often it is asked for, it waits once. */
  async replay({ key, envelope }: DeadLetter): Promise<void> {
    let waits = false;
    for await (const waiting of this.#keys()) {
      const bytes = await this.#store.get(waiting);
      waits ||= bytes !== undefined && digestOf(parse(waiting, bytes)) === digestOf(envelope);
    }
    if (!waits && (await this.#store.head(key))) await this.add(envelope);
    await this.#store.delete(key);
  }

  /** Under the event's own digest: the same event is the same letter. */
  async #bury(key: string, envelope: Envelope, tries: number, reason: string): Promise<void> {
    await this.#store.put(
      `${deadPrefix}${digestOf(envelope).slice(0, 16)}.json`,
      encode({ ...envelope, tries, reason }),
    );
    await this.#store.delete(key);
  }

  async done(queued: Queued): Promise<void> {
    await this.#store.delete(queued.key);
  }

  /** Of all waiting events, in their order. A file of another name is nobody's event: somebody has put it aside there. */
  async *#keys(): AsyncIterable<string> {
    for await (const { key } of this.#store.list(prefix)) if (Number.isInteger(sequenceOf(key))) yield key;
  }
}

const encode = (stored: Stored) => new TextEncoder().encode(JSON.stringify(stored));

/** Of what the event says, however often it was tried. */
const digestOf = ({ source, 'detail-type': type, detail }: Envelope): string =>
  createHash('sha256')
    .update(JSON.stringify([source, type, detail]))
    .digest('hex');

const deadPrefix = 'dead-letters/';
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

function parse(key: string, bytes: Uint8Array): Stored {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new BrokenStateFile(key, (error as Error).message);
  }
  const envelope = value as Stored;
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
