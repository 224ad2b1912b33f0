import { quoteName, quoteText } from '../data/quote.ts';
import { ArgumentError } from '../ml/ensure.ts';
import { type Recommend, type Responses, outcomeSteps } from '../usecase/recommend.ts';
import { offerValues } from './values.ts';

export type OutcomesQuery = {
  /** The table of recommendations, those of the holdout among them. */
  recommendations: string;
  /** A table with the key's column, `offer_id`, `outcome` (a step), the timestamp `occurred_at`, and `recommendation_id`. */
  responses: string;
  /** The entity key's column. */
  key: string;
  /** A recommendation's time is over where it ends within this many milliseconds. */
  withinMs: number;
  /** Up to when everything that happened is known, in milliseconds since 1970. */
  knownUntilMs: number;
};

/**
 * What came of each recommendation whose time is over: the key's column, `recommendation_id`, `offer_id`, `offer` (its place
 * among those declared), `is_sent` (false in the holdout), `made_ms` and `ended_ms` in milliseconds since 1970, and `step`, the
 * place of the furthest of `outcomeSteps`. It is NULL where nothing is told: nobody responded, and who knows whether it was sent.
 *
 * What a member did without a recommendation counts for those of its offer that are running, of contacted members and of the
 * holdout alike: else nothing could be compared.
 */
export function outcomesQuery(recommend: Recommend, query: OutcomesQuery): string {
  const key = quoteName(query.key);
  const { withinMs, knownUntilMs } = query;
  const steps = outcomeSteps.map((step, i) => `(${quoteText(step)}, ${i})`);
  return `WITH over AS (
    SELECT r.${key}, r.offer_id, o.i AS offer, r.recommendation_id, r.status = 'sent' AS is_sent,
      epoch_ms(r.recommended_at)::DOUBLE AS made_ms, made_ms + ${withinMs} AS ended_ms
    FROM ${quoteName(query.recommendations)} AS r JOIN ${offerValues(recommend)} USING (offer_id)
    WHERE ended_ms <= ${knownUntilMs}
  ), told AS (
    SELECT a.${key}, a.offer_id, a.recommendation_id, epoch_ms(a.occurred_at)::DOUBLE AS happened_ms, s.step
    FROM ${quoteName(query.responses)} AS a JOIN (VALUES ${steps.join(', ')}) AS s(outcome, step) USING (outcome)
  )
  SELECT r.${key}, r.recommendation_id, r.offer_id, r.offer, r.is_sent, r.made_ms, r.ended_ms, max(a.step) AS step
  FROM over AS r LEFT JOIN told AS a ON a.${key} = r.${key} AND a.offer_id = r.offer_id AND a.happened_ms < r.ended_ms
    AND (a.recommendation_id = r.recommendation_id
      OR a.recommendation_id IS NULL AND a.happened_ms >= r.made_ms)
  GROUP BY ALL`;
}

/** The place of the step that is a response. */
export const responded = outcomeSteps.indexOf('responded');

/**
 * Moves the label of every pair whose outcome is known towards what that is declared to be worth. `targets` and `steps` (places of
 * steps, NaN for no outcome) are rows × offers, row-major. `rows` are those that are trained on, AFTER the split: no other row is
 * touched. Returns a copy and how many labels were moved; null where those are fewer than declared.
 */
export function applyOutcomes(
  { points, share, minimumOutcomes }: NonNullable<Responses['learnt']>,
  { targets: given, steps, offers }: { targets: Float64Array; steps: Float64Array; offers: number },
  rows: ArrayLike<number>,
): { targets: Float64Array; moved: number } | null {
  if (steps.length !== given.length)
    throw new ArgumentError(`There are ${steps.length} outcomes for ${given.length} labels.`);
  const worth = outcomeSteps.map((step) => points[step]);
  const targets = given.slice();
  let moved = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let pair = rows[i] * offers; pair < (rows[i] + 1) * offers; pair++) {
      if (Number.isNaN(steps[pair])) continue;
      targets[pair] += share * (worth[steps[pair]] - targets[pair]);
      moved++;
    }
  }
  return moved < minimumOutcomes ? null : { targets, moved };
}
