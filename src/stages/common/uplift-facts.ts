import type { SqlEngine } from '../../data/sql.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { measureUplift } from '../../recommend/uplift.ts';
import type { Uplift } from '../../report/facts.ts';
import type { UseCase } from '../../usecase/catalogue.ts';
import { daysOf } from './duration.ts';
import { mountOutcomes, responsesAfter } from './outcomes.ts';

/**
 * What contacts change, by the recommendations whose time to respond ended within the monitor's window. Undefined where the use
 * case declares no responses, nobody has told of any, or no recommendation's time is over.
 */
export async function upliftFacts(sql: SqlEngine, ports: Ports, useCase: UseCase): Promise<Uplift | undefined> {
  const { recommend, monitor } = useCase.declaration;
  if (!recommend?.responses || !(await mountOutcomes(sql, ports, useCase))) return undefined;
  const afterMs = ports.clock.nowMs() - daysOf(monitor.window) * 86_400_000;
  const { responses, firstMs, lastMs } = await responsesAfter(sql, useCase, afterMs);
  if (responses.length === 0) return undefined;
  const { overall, offers } = measureUplift(responses);
  const names = new Map(recommend.offers.map(({ id, name }) => [id, name]));
  return {
    overall,
    offers: offers.map(({ offerId, result }) => ({ name: names.get(offerId)!, result })),
    withinDays: daysOf(recommend.responses.within),
    firstSentAt: new Date(firstMs).toISOString(),
    lastSentAt: new Date(lastMs).toISOString(),
  };
}
