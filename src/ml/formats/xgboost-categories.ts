import * as z from 'zod';
import type { Json } from '../../data/json.ts';
import { InvalidModel, type TreeModel } from '../trees/model.ts';

/** Where our files keep the levels: XGBoost carries attributes along through loading and saving, and gives them by `attr`. */
const levelsAttribute = 'bordereau_categories';

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const levelLists = z.array(z.array(scalar));

/** Since 3.1 a model trained on a data frame keeps its levels: texts as bytes one after another, or numbers; none for a number. */
export const xgboostLevels = z.object({
  enc: z.array(z.object({ offsets: z.array(z.int()).optional(), values: z.array(z.number()) })),
});

/** The attributes of an XGBoost document of the model: the levels behind its codes, in the order of its categorical features. */
export function attributesOf({ categories, categorical }: TreeModel): Record<string, string> {
  if (categories === null || categories.length !== categorical.length) return {};
  return { [levelsAttribute]: JSON.stringify(categories) };
}

/**
 * The levels behind the codes of the categorical features: as we wrote them, or as XGBoost did. Null where there are none, or not of
 * every feature. Throws InvalidModel when they are damaged.
 */
export function levelsOfXgboost(
  attributes: Record<string, string>,
  levels: z.output<typeof xgboostLevels> | undefined,
  categorical: readonly number[],
): Json[][] | null {
  if (Object.hasOwn(attributes, levelsAttribute)) return ownLevels(attributes[levelsAttribute], categorical.length);
  const lists = categorical.map((feature) => levels?.enc[feature]).map((list) => (list ? levelList(list) : []));
  return lists.length > 0 && lists.every((list) => list.length > 0) ? lists : null;
}

function ownLevels(text: string, features: number): Json[][] {
  let lists: unknown;
  try {
    lists = JSON.parse(text);
  } catch {
    throw new InvalidModel(`The attribute ${levelsAttribute} is not JSON.`);
  }
  const checked = levelLists.safeParse(lists);
  if (checked.success && checked.data.length === features) return checked.data;
  throw new InvalidModel(
    `The attribute ${levelsAttribute} is not a list of levels for each of ${features} categorical features.`,
  );
}

/**
 * None where a text is not plain ASCII: up to 3.2 XGBoost parts the levels of pandas by characters but stores bytes, so that all of them
 * from there on are other texts than they were, and the last is cut off.
 */
function levelList({ offsets, values }: z.output<typeof xgboostLevels>['enc'][number]): Json[] {
  if (offsets === undefined) return values;
  if (values.some((byte) => byte < 0 || byte > 127)) return [];
  if (offsets.some((end, i) => end < (offsets[i - 1] ?? 0) || end > values.length)) {
    throw new InvalidModel('The levels of a category are damaged: they end outside their text.');
  }
  const bytes = Uint8Array.from(values);
  return offsets.slice(1).map((end, i) => new TextDecoder().decode(bytes.subarray(offsets[i], end)));
}
