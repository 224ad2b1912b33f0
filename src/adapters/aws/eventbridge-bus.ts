import { PutEventsCommand, type EventBridgeClient, type PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { SystemClock } from '../embedded/system-clock.ts';
import type { Clock } from '../../ports/clock.ts';
import { EventsNotPublished } from '../../ports/errors.ts';
import type { DomainEvent, EventBus } from '../../ports/event-bus.ts';
import { eventLimitBytes, eventSizeBytes } from '../../ports/event-limits.ts';

export type EventBridgeBusOptions = {
  client: EventBridgeClient;
  busName: string;
  /** The `source` that rules match on. */
  source: string;
  /** What the waits between attempts are measured on. @default - the machine's own */
  clock?: Clock;
  /** How often an entry that EventBridge refused is sent altogether. @default - 5 */
  attempts?: number;
};

/**
 * PutEvents in requests of at most 10 entries and 256 KiB. A request can succeed while some of its entries fail; those
 * alone are sent again, after waits that double from 100 ms, and what is left then is an `EventsNotPublished` by name.
 */
export class EventBridgeBus implements EventBus {
  readonly #options: EventBridgeBusOptions;

  constructor(options: EventBridgeBusOptions) {
    this.#options = options;
  }

  async publish(events: readonly DomainEvent[]): Promise<void> {
    const { busName, source, clock = new SystemClock(), attempts = 5 } = this.#options;
    let failed: Failure[] = [];
    let pending = events;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      failed = [];
      for (const batch of batches(source, pending)) failed.push(...(await this.#send(batch)));
      if (failed.length === 0) return;
      pending = failed.map((failure) => failure.event);
      if (attempt < attempts) await clock.sleep(50 * 2 ** attempt);
    }
    const named = failed.map(({ event, reason }) => ({ detailType: event.detailType, reason }));
    throw new EventsNotPublished(busName, named, attempts);
  }

  async #send(batch: readonly DomainEvent[]): Promise<Failure[]> {
    const { client, busName, source } = this.#options;
    const entries = batch.map((event) => ({
      EventBusName: busName,
      Source: source,
      DetailType: event.detailType,
      Detail: JSON.stringify(event.detail),
    }));
    try {
      const output = await client.send(new PutEventsCommand({ Entries: entries }));
      const results: readonly PutEventsResultEntry[] = output.Entries ?? [];
      return batch.flatMap((event, i) => {
        const reason = results[i] ? results[i].ErrorCode : 'no answer';
        return reason === undefined ? [] : [{ event, reason }];
      });
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown reason';
      return batch.map((event) => ({ event, reason }));
    }
  }
}

type Failure = { event: DomainEvent; reason: string };

/** Cuts the events, in their order, into requests within both limits. Throws `EventTooLarge` for one that fits none. */
function batches(source: string, events: readonly DomainEvent[]): DomainEvent[][] {
  const cut: DomainEvent[][] = [];
  let room = 0;
  for (const event of events) {
    const size = eventSizeBytes(source, event);
    const last = cut.at(-1);
    if (last && last.length < entriesPerRequest && size <= room) {
      last.push(event);
      room -= size;
    } else {
      cut.push([event]);
      room = eventLimitBytes - size;
    }
  }
  return cut;
}

const entriesPerRequest = 10;
