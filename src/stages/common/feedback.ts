import { quoteName } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import { numbers } from '../../ml/encoders/columns.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { type Feedback, type FeedbackEffect, type Vote, applyFeedback, votesOf } from '../../recommend/feedback.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import type { RowSet } from './frozen-sets.ts';
import { lakeTable, mountTable, silverPath } from './sql.ts';

/** The votes of reviewers that count now, from the declared source; none where there is no such source, or nothing in it. */
export async function readVotes(sql: SqlEngine, ports: Ports, declaration: Declaration): Promise<Vote[]> {
  const source = declaration.recommend?.feedback.source;
  if (source === undefined) return [];
  const table = lakeTable(ports, ports.silver, silverPath(declaration.id, source), sql);
  if (!(await mountTable(table, sql, 'feedback as delivered'))) return [];
  const rows = await sql.rows(
    `SELECT ${quoteName(declaration.entity.key)} AS "entityKey", offer_id AS "offerId", verdict, reviewer,
      epoch_ms(given_at)::DOUBLE AS "atMs" FROM "feedback as delivered"`,
  );
  return votesOf(rows as unknown as Feedback[], ports.clock.nowMs());
}

/**
 * What the votes change of the rows that are trained on: labels and weights, in the order of all rows. Null where there are fewer
 * votes than the declaration asks for.
 */
export function taughtBy(
  votes: readonly Vote[],
  declaration: Declaration,
  rows: RowSet,
  train: Uint32Array,
): FeedbackEffect | null {
  const { recommend, entity } = declaration;
  if (!recommend || votes.length < recommend.feedback.minimumRecords) return null;
  const data = {
    keys: rows.keys,
    eventTimesMs: numbers(entity.eventTime, rows.columns[entity.eventTime]),
    targets: rows.label,
    weights: new Float64Array(rows.rows).fill(1),
  };
  return applyFeedback(recommend, data, train, votes);
}
