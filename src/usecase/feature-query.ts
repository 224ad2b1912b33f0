import { quoteName } from '../data/quote.ts';
import type { UseCase } from './catalogue.ts';

/**
 * The query behind the feature table, over the views named like the sources: features.sql, and beside it labels.sql where the
 * label is derived, which may also read `features`. A row without a label keeps its place, with a missing one.
 */
export function featureQuery({ declaration, features, labels }: UseCase): string {
  if (labels === undefined) return features;
  const { key, eventTime } = declaration.entity;
  return `WITH features AS (${features}\n), labels AS (${labels}\n)
    SELECT * FROM features LEFT JOIN labels USING (${quoteName(key)}, ${quoteName(eventTime)})`;
}
