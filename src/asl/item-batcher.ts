import type { Json } from '../data/json.ts';
import { tooLarge } from './errors.ts';
import { integerOf } from './integers.ts';
import type { Lane } from './lane.ts';
import { payloadLimitBytes, jsonBytes } from './limits.ts';
import { present } from './present.ts';
import type { StateFields } from './state-fields.ts';
import type { Template } from './template.ts';

/** The definition of an ItemBatcher. */
export type ItemBatcher = {
  maxItems: Template | undefined;
  maxBytes: Template | undefined;
  input: Template | undefined;
};

/** How items are put together, evaluated. */
export type Batching = { maxItems: number; maxBytes: number; input: Json | undefined };

/** Reads `ItemBatcher`; undefined where the Map has none. */
export function readItemBatcher(state: StateFields): ItemBatcher | undefined {
  const batcher = state.object('ItemBatcher');
  if (batcher === undefined) return undefined;
  const maxItems = batcher.integer('MaxItemsPerBatch', 1);
  const maxBytes = batcher.integer('MaxInputBytesPerBatch', 1, payloadLimitBytes);
  const input = batcher.payload('BatchInput');
  const { fields } = batcher;
  if (!fields.has('MaxItemsPerBatch') && !fields.has('MaxInputBytesPerBatch')) {
    fields.refuseAll(`Expected 'MaxItemsPerBatch' or 'MaxInputBytesPerBatch'.`);
  }
  batcher.end();
  return { maxItems, maxBytes, input };
}

/** Evaluates an ItemBatcher; 0 stands for no limit, as its absence does. */
export async function batchingOf(lane: Lane, { maxItems, maxBytes, input }: ItemBatcher): Promise<Batching> {
  const items = maxItems && (await integerOf(lane, maxItems, 'ItemBatcher/MaxItemsPerBatch'));
  const bytes = maxBytes && (await integerOf(lane, maxBytes, 'ItemBatcher/MaxInputBytesPerBatch', payloadLimitBytes));
  return {
    maxItems: items || Number.POSITIVE_INFINITY,
    maxBytes: bytes || payloadLimitBytes,
    input: input && (await lane.evaluate(input)),
  };
}

/**
 * Fills one batch after the other, each as far as both limits allow. Throws States.DataLimitExceeded as a
 * `StateFailure` where one item alone is too large.
 */
export function batches(
  items: readonly Json[],
  batching: Batching,
  stateName: string,
): { input: Json; itemCount: number }[] {
  const around = (Items: Json[]) => present({ BatchInput: batching.input, Items });
  const emptyBytes = jsonBytes(around([]));
  const filled: Json[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const itemBytes = jsonBytes(item);
    if (emptyBytes + itemBytes > batching.maxBytes) throw tooLarge(stateName);
    const batch = filled.at(-1);
    // A comma goes before every item but the first.
    const grown = bytes + 1 + itemBytes;
    if (batch !== undefined && batch.length < batching.maxItems && grown <= batching.maxBytes) {
      batch.push(item);
      bytes = grown;
    } else {
      filled.push([item]);
      bytes = emptyBytes + itemBytes;
    }
  }
  return filled.map((batch) => ({ input: around(batch), itemCount: batch.length }));
}
