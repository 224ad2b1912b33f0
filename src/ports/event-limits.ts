import { EventTooLarge } from './errors.ts';
import type { DomainEvent } from './event-bus.ts';

/** AWS's limit for one PutEvents request, which a single event must fit as well. */
export const eventLimitBytes = 262_144;

/**
 * The size by AWS's rule for PutEvents entries: the UTF-8 bytes of source, detail type and detail.
 * Throws `EventTooLarge` beyond the limit. Every bus calls it, so that a laptop refuses what AWS would.
 */
export function eventSizeBytes(source: string, event: DomainEvent): number {
  const size =
    Buffer.byteLength(source) + Buffer.byteLength(event.detailType) + Buffer.byteLength(JSON.stringify(event.detail));
  if (size > eventLimitBytes) throw new EventTooLarge(event.detailType, size, eventLimitBytes);
  return size;
}
