import { liveAt } from '../governance/aliases.ts';
import { promote as promoteInLedger } from '../governance/promotion.ts';
import type { Json } from '../data/json.ts';
import { readLedger } from '../governance/ledger.ts';
import { readVersion } from '../governance/registry.ts';
import { testSetUse } from '../governance/test-set-use.ts';
import { actorOf, entriesBefore } from './common/decision.ts';
import { factsOf } from './common/facts.ts';
import { mirrorChampion } from './common/mirror.ts';
import type { Stage } from './stage.ts';

/**
 * Makes the version champion, or the shadow, provided that the promotion log still stands where it stood when the version was judged. Throws
 * `ChampionChanged` otherwise, which the machine answers by judging again. The catalogue of models follows the log: where that
 * fails, by `ModelNotMirrored`, the promotion stands, and the stage delivered again only has the catalogue left to do. A shadow is
 * not in the catalogue: nobody is to use it.
 */
export const promote: Stage<'Promote'> = async (
  { useCase, runId, version, alias, decisionId, reason, expectedHead, criteriaHash },
  ports,
) => {
  const { lineage } = await readVersion(ports.registry, useCase, version);
  const before = entriesBefore(await readLedger(ports.registry, useCase), decisionId);
  const evidence = {
    gates: (await factsOf(ports, { useCase, runId }, 'Govern'))?.gates ?? [],
    testSet: testSetUse(before, lineage, { decisionId, version }),
  };
  const entry = await promoteInLedger(
    { store: ports.registry, useCase, nowMs: ports.clock.nowMs() },
    {
      actor: actorOf(runId),
      decisionId,
      alias,
      version,
      reason,
      criteriaHash,
      expectedHead,
      evidence: evidence as unknown as Json,
    },
  );
  if (alias === 'champion') {
    await mirrorChampion(ports, useCase);
    // counted last, so that a repeated stage counts once
    ports.telemetry.measure('ModelsPromoted', 1, useCase);
  }
  // the first champion's scores belong to the run that made it; a later champion's scoring is a run of its own, because that
  // run has already reported the scores that asked for it
  const isFirst = liveAt(before, 'champion') === null;
  const scoreRunId = isFirst ? runId : `${alias === 'champion' ? 'promotion' : 'shadow'}-v${version}`;
  return { useCase, runId, version, alias, previous: entry.replaces, scoreRunId };
};
