import type { Ports } from '../ports/stage-ports.ts';
import { dropPrefix, dropRunId } from '../triggers.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { factsPrefix } from './common/facts.ts';
import type { Stage } from './stage.ts';

/** An event may take so long; a file that is younger is no concern yet. */
const patienceMs = 5 * 60_000;

/** So many are told of at a time: a state's payload is limited. */
const mostMissed = 100;

/**
 * Finds dropped files of which no run has left a trace: their event was lost, or the process ended between the file and its
 * event. A run that failed has left one; to repeat it is for a person to decide. Files of sources that the use case does not have
 * are nobody's drops. It is asked again with `after` until nothing more is missed.
 */
export const sweep: Stage<'Sweep'> = async ({ useCase, runId, after }, ports) => {
  const { contracts } = useCaseOf(ports.catalogue, useCase);
  const known = await knownRuns(ports, useCase);
  const untilMs = ports.clock.nowMs() - patienceMs;
  const missed = [];
  for await (const { key, etag, sizeBytes, lastModifiedMs } of ports.bronze.list(`${dropPrefix}${useCase}/`, {
    after,
  })) {
    const [, , source, file] = key.split('/');
    if (file === undefined || !Object.hasOwn(contracts, source)) continue;
    if (lastModifiedMs > untilMs || known.has(dropRunId({ key, etag }))) continue;
    missed.push({ key, etag, size: sizeBytes });
    if (missed.length === mostMissed) break;
  }
  return { useCase, runId, missed, after: missed.at(-1)?.key ?? after };
};

/** Every run that has facts, of a drop whichever delivery of it: what `Validate` or `Report` wrote of it. */
async function knownRuns(ports: Ports, useCase: string): Promise<Set<string>> {
  const runs = new Set<string>();
  const prefix = factsPrefix({ useCase, runId: '' }).replace(/\/+$/, '/');
  for await (const { key } of ports.reports.list(prefix)) {
    const [runId] = key.slice(prefix.length).split('/');
    runs.add(runId.replace(/^(drop-[0-9a-f]{12})-[0-9a-f]{6}$/, '$1'));
  }
  return runs;
}
