import { createHash } from 'node:crypto';
import { type Table, tableFromArrays } from 'apache-arrow';
import { quoteName, quoteText } from '../data/quote.ts';
import type { Recommend } from '../usecase/recommend.ts';
import { type PolicyOutcome, noChannel, policyRules, recommended } from './policy.ts';
import { channelValues, offerValues } from './values.ts';

/*
 * The policy's outcome as tables. Pairs cross into SQL as small integers, in a column each; names, texts and ids are joined there,
 * which keeps 800,000 pairs cheap.
 */

/** The columns that the policy asks of each row, as items of a SELECT over the feature table: `policyColumns` names them. */
export function policySelection({ offers, consent }: Recommend): string[] {
  const truth = (condition: string, column: string) =>
    `coalesce((${condition})::BOOLEAN, false)::UTINYINT AS ${quoteName(column)}`;
  return [
    ...offers.flatMap(({ id, eligible }) => (eligible === undefined ? [] : [truth(eligible, `eligible_${id}`)])),
    ...Object.entries(consent).map(([channel, column]) => truth(quoteName(column), `consent_${channel}`)),
  ];
}

/** What `policySelection` selected, as `applyPolicy` takes it. */
export function policyColumns(
  { offers, consent }: Recommend,
  rows: Table,
): { eligible: { [offer: string]: Uint8Array }; consent: { [channel: string]: Uint8Array } } {
  const column = (name: string) => rows.getChild(name)!.toArray() as Uint8Array;
  const conditional = offers.filter(({ eligible }) => eligible !== undefined);
  return {
    eligible: Object.fromEntries(conditional.map(({ id }) => [id, column(`eligible_${id}`)])),
    consent: Object.fromEntries(Object.keys(consent).map((channel) => [channel, column(`consent_${channel}`)])),
  };
}

/** Every pair, one row each: `_row` counts rows from 1, `offer`, `rule` and `channel` are indices from 0. */
export function pairTable(outcome: PolicyOutcome): Table {
  const { rows, offers } = outcome;
  const row = new Int32Array(rows * offers);
  const offer = new Uint8Array(rows * offers);
  for (let pair = 0; pair < row.length; pair++) {
    row[pair] = Math.floor(pair / offers) + 1;
    offer[pair] = pair % offers;
  }
  return tableFromArrays({
    _row: row,
    offer,
    rule: outcome.rule,
    rank: outcome.rank,
    channel: outcome.channel,
    score: outcome.score,
    weighted_score: outcome.weighted,
  });
}

/**
 * A stable id of one recommendation, the same wherever it is computed: what feedback and responses are joined on. The key is a
 * random surrogate, so that the id tells nothing about the member either.
 */
export function recommendationId(runId: string, entityKey: string, offerId: string): string {
  return createHash('sha256').update(`${runId}/${entityKey}/${offerId}`).digest('hex').slice(0, 32);
}

export type PairQuery = {
  /** The table made by `pairTable`. */
  pairs: string;
  /** A table with `_row`, counted from 1, and the entity key. */
  members: string;
  /** The entity key's column. */
  key: string;
  runId: string;
};

/**
 * What is recommended, and what would be to members of the holdout (`status`): the key's column, rank, offer_id, offer_name,
 * category, description, score, priority_weight, weighted_score, channel, status (`sent` or `holdout`), recommendation_id.
 */
export function recommendationsQuery(recommend: Recommend, query: PairQuery): string {
  const key = quoteName(query.key);
  const id = `substr(sha256(concat_ws('/', ${quoteText(query.runId)}, m.${key}::VARCHAR, o.offer_id)), 1, 32)`;
  return `SELECT m.${key}, p.rank::INTEGER AS rank, o.offer_id, o.offer_name, o.category, o.description,
    p.score, o.priority_weight, p.weighted_score, c.channel,
    CASE WHEN p.rule = ${recommended} THEN 'sent' ELSE 'holdout' END AS status, ${id} AS recommendation_id
  ${joined(recommend, query)} JOIN ${channelValues(recommend)} ON c.i = p.channel
  WHERE p.rule >= ${firstKept} ORDER BY p._row, p.rank`;
}

/** Every other pair: the key's column, offer_id, score, weighted_score, channel where it had got one, removed_by (a rule). */
export function removalsQuery(recommend: Recommend, query: PairQuery): string {
  const key = quoteName(query.key);
  return `SELECT m.${key}, o.offer_id, p.score, p.weighted_score, c.channel, r.rule AS removed_by
  ${joined(recommend, query)} LEFT JOIN ${channelValues(recommend)} ON c.i = p.channel AND p.channel <> ${noChannel}
  JOIN (VALUES ${policyRules.map((rule, i) => `(${i}, ${quoteText(rule)})`).join(', ')}) AS r(i, rule) ON r.i = p.rule
  WHERE p.rule < ${firstKept} ORDER BY p._row, p.offer`;
}

const firstKept = policyRules.indexOf('holdout');

function joined(recommend: Recommend, { pairs, members }: PairQuery): string {
  return `FROM ${quoteName(pairs)} AS p JOIN ${quoteName(members)} AS m ON m._row = p._row
  JOIN ${offerValues(recommend)} ON o.i = p.offer`;
}
