import type { Json } from '../data/json.ts';

/** What a stage announces. `detailType` is past tense: `FeaturesReady`, `ModelPromoted`. */
export type DomainEvent = { detailType: string; detail: { [key: string]: Json } };

/** Announces events; delivery is at least once and unordered, as on EventBridge. */
export interface EventBus {
  publish(events: readonly DomainEvent[]): Promise<void>;
}
