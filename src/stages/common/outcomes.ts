import { quoteName } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { outcomesQuery, responded } from '../../recommend/outcomes.ts';
import type { Response } from '../../recommend/uplift.ts';
import { type UseCase, contractOf } from '../../usecase/catalogue.ts';
import { labelColumns } from '../../usecase/label.ts';
import { daysOf } from './duration.ts';
import { deliveriesOf, numberDrops } from './newest.ts';
import { currentRows, lakeTable, mountTable, recommendationsPath, silverPath } from './sql.ts';

/**
 * Makes the temporary table `outcomes` of `outcomesQuery`: what came of recommendations whose time is over, and was over when the
 * source of responses delivered last. False where the use case declares no such source, or nothing has come of it.
 */
export async function mountOutcomes(sql: SqlEngine, ports: Ports, useCase: UseCase): Promise<boolean> {
  const { id, entity, recommend } = useCase.declaration;
  if (!recommend?.responses) return false;
  const { source, within } = recommend.responses;
  const table = lakeTable(ports, ports.gold, recommendationsPath(id), sql);
  const told = lakeTable(ports, ports.silver, silverPath(id, source), sql);
  const delivered = `${source} as delivered`;
  if (!(await mountTable(table, sql, 'recommendations'))) return false;
  const silver = await mountTable(told, sql, delivered);
  if (!silver) return false;

  // a record that comes again under its key is the record put right
  const inOrder = `${source} in order`;
  await numberDrops(sql, delivered, inOrder, deliveriesOf(silver));
  const keys = contractOf(useCase, source).columns.filter(({ primaryKey }) => primaryKey);
  const current = currentRows(
    inOrder,
    keys.map(({ name }) => name),
    '_newest DESC, _line DESC',
  );
  await sql.run(`CREATE OR REPLACE TEMP VIEW responses_now AS ${current}`);
  const [{ last }] = await sql.rows(`SELECT epoch_ms(max(_ingested_at))::DOUBLE AS last FROM ${quoteName(delivered)}`);
  const query = outcomesQuery(recommend, {
    recommendations: 'recommendations',
    responses: 'responses_now',
    key: entity.key,
    withinMs: daysOf(within) * dayMs,
    knownUntilMs: Math.min(Number(last), ports.clock.nowMs()),
  });
  await sql.run(`CREATE OR REPLACE TEMP TABLE outcomes AS ${query}`);
  return true;
}

const dayMs = 86_400_000;

/**
 * The outcomes of what was sent, as rows × outputs places of steps, NaN for none, for the rows of the table `frozen` with `_row`: each
 * belongs to the member's newest row at the time of the recommendation, which is what it was made from.
 */
export async function stepsByRow(sql: SqlEngine, { declaration }: UseCase, rows: number): Promise<Float64Array> {
  const outputs = labelColumns(declaration).length;
  const [key, eventTime] = [declaration.entity.key, declaration.entity.eventTime].map(quoteName);
  const found = await sql.query(
    `SELECT f._row AS at, o.offer, arg_max(o.step, o.made_ms)::INTEGER AS step
      FROM (SELECT * FROM outcomes WHERE is_sent AND step IS NOT NULL) AS o
      ASOF JOIN (SELECT ${key}, epoch_ms(${eventTime})::DOUBLE AS known_ms, _row FROM frozen) AS f
        ON o.${key} = f.${key} AND o.made_ms >= f.known_ms
      GROUP BY ALL`,
  );
  const column = (name: string) => found.getChild(name)!.toArray() as Int32Array;
  const [at, offer, step] = [column('at'), column('offer'), column('step')];
  const steps = new Float64Array(rows * outputs).fill(NaN);
  for (let i = 0; i < found.numRows; i++) steps[at[i] * outputs + offer[i]] = step[i];
  return steps;
}

/**
 * The recommendations whose time ended after `afterMs`, as uplift is measured by, and how long ago the first of them was made. A
 * member who was held out and contacted, because the salt of the holdout was changed between, belongs to neither side.
 */
export async function responsesAfter(
  sql: SqlEngine,
  { declaration }: UseCase,
  afterMs: number,
): Promise<{ responses: Response[]; firstMs: number; lastMs: number }> {
  const key = quoteName(declaration.entity.key);
  const found = await sql.query(
    `SELECT ${key}::VARCHAR AS entity_key, offer, is_sent, coalesce(step = ${responded}, false) AS responded, made_ms
      FROM outcomes WHERE ended_ms > ${afterMs}
      QUALIFY bool_and(is_sent) OVER (PARTITION BY ${key}) = bool_or(is_sent) OVER (PARTITION BY ${key})`,
  );
  const offers = declaration.recommend!.offers.map(({ id }) => id);
  const [keys, offer, sent, answered] = ['entity_key', 'offer', 'is_sent', 'responded'].map((name) =>
    found.getChild(name)!,
  );
  const responses = Array.from({ length: found.numRows }, (_, i) => ({
    entityKey: keys.get(i) as string,
    offerId: offers[offer.get(i) as number],
    group: sent.get(i) ? ('sent' as const) : ('holdout' as const),
    responded: answered.get(i) as boolean,
  }));
  const made = found.getChild('made_ms')!.toArray() as Float64Array;
  return {
    responses,
    firstMs: made.reduce((first, at) => Math.min(first, at), Infinity),
    lastMs: made.reduce((last, at) => Math.max(last, at), -Infinity),
  };
}
