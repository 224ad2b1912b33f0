import type { Json } from '../data/json.ts';
import { integerOf } from './integers.ts';
import type { Lane } from './lane.ts';
import { present } from './present.ts';
import type { Flow } from './state-fields.ts';
import { EvaluationFailure } from './template.ts';
import type { Template } from './template.ts';

/** What inline and distributed Maps have in common. */
export type MapItems = {
  items: Template | undefined;
  selector: Template | undefined;
  maxConcurrency: Template | undefined;
  toleratedCount: Template | undefined;
  toleratedPercentage: Template | undefined;
  flow: Flow;
};

/** A Map's result, and the event that its success follows. */
export type MapResult = { result: Json; after: number };

/** The items of a Map that reads none: what `Items` says, or the state's input. */
export async function itemsOf(lane: Lane, { items }: MapItems): Promise<Json[]> {
  if (items !== undefined) return lane.evaluateTyped(items, 'array');
  const { input } = lane.progress;
  return lane.guard(() => {
    if (Array.isArray(input)) return input;
    throw new EvaluationFailure(`Map state input must be an array but was: ${JSON.stringify(input)}`);
  });
}

/** How many items are worked on at once; `unlimited` where the definition sets no limit or 0. */
export async function concurrencyOf(lane: Lane, { maxConcurrency }: MapItems, unlimited: number): Promise<number> {
  const limit = maxConcurrency === undefined ? 0 : await integerOf(lane, maxConcurrency, 'MaxConcurrency');
  return limit === 0 ? unlimited : Math.min(limit, unlimited);
}

/** How many failed items a Map Run bears; where one of the two is given, it alone counts. */
export type Tolerance = { count: number | undefined; percentage: number | undefined };

export async function toleranceOf(lane: Lane, { toleratedCount, toleratedPercentage }: MapItems): Promise<Tolerance> {
  const count = toleratedCount && (await integerOf(lane, toleratedCount, 'ToleratedFailureCount'));
  const percentage = toleratedPercentage && (await lane.evaluateTyped(toleratedPercentage, 'number'));
  await lane.guard(() => {
    if (percentage === undefined || (percentage >= 0 && percentage <= 100)) return;
    const field = 'ToleratedFailurePercentage';
    throw new EvaluationFailure(`${field} must be between 0 and 100 but was: ${percentage}`, field);
  });
  return { count, percentage };
}

/** Whether so many failed items of so many are too many: where neither is given, one is. */
export function exceeds({ count, percentage }: Tolerance, failed: number, total: number): boolean {
  if (count === undefined && percentage === undefined) return failed > 0;
  const tooMany = count !== undefined && failed > count;
  return tooMany || (percentage !== undefined && failed * 100 > percentage * total);
}

/** The context object's `Map` for an item. */
export const mapContext = (index: number, value: Json, source?: string): Json => ({
  Item: present({ Index: index, Value: value, Source: source }),
});

/** What an item's processing is given: the item, or what `ItemSelector` makes of it. */
export const selected = async ({ selector }: MapItems, lane: Lane, map: Json, item: Json): Promise<Json> =>
  selector === undefined ? item : lane.evaluate(selector, { map });
