import type { GateResult } from '../governance/gate.ts';
import { readLedger } from '../governance/ledger.ts';
import { type ModelCard, modelCardMarkdown } from '../governance/model-card.ts';
import { declareCriteria, refuse } from '../governance/promotion.ts';
import { versionName } from '../governance/registry.ts';
import type { Gate, PairedImprovement, Promotion } from '../report/facts.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import type { MetricName } from '../usecase/metrics.ts';
import { decisionOf, entriesBefore } from './common/decision.ts';
import { recordFacts } from './common/facts.ts';
import { toTextBytes } from './common/json.ts';
import { type Judgement, judge } from './common/judge.ts';
import { describeMetric } from './common/metric-set.ts';
import { readDocument, readable } from './common/version.ts';
import type { Stage } from './stage.ts';

/**
 * Judges a version: the gates that every model must pass, those that the use case declares, and the champion on the same frozen
 * test rows. A refusal is recorded here; a promotion is left to `Promote`, which acts only on the state judged here. Delivered
 * again, it finds what it found: it looks at the promotion log as it stood before its own decision.
 */
export const govern: Stage<'Govern'> = async ({ useCase, runId, version }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const at = { store: ports.registry, useCase, nowMs: ports.clock.nowMs() };
  const said = { ...decisionOf({ runId, version }), alias: 'champion', version } as const;
  const judgement = await judge(ports, declaration, version, {
    entries: entriesBefore(await readLedger(ports.registry, useCase), said.decisionId),
    decisionId: said.decisionId,
    declare: async (criteria) => (await declareCriteria(at, { ...said, criteria })).criteriaHash,
  });

  const { promote, reason, gates, comparison, testSet, criteriaHash, expectedHead } = judgement;
  if (!promote) {
    await refuse(at, { ...said, reason, criteriaHash, evidence: { gates, comparison, testSet } });
    ports.telemetry.measure('ModelsRefused', 1, useCase);
  }
  const card = await readable(() => readDocument<ModelCard>(ports, judgement.challenger, 'card.json'));
  if (card.value) {
    const markdown = modelCardMarkdown(card.value, { version, gates });
    await ports.registry.put(`cards/${useCase}/${versionName(version)}.md`, toTextBytes(markdown));
  }
  await recordFacts(ports, { useCase, runId }, 'Govern', {
    gates: gates.map(gateFact),
    promotion: promotionFact(declaration, judgement),
  });
  return { useCase, runId, version, promote, reason, expectedHead, criteriaHash };
};

function gateFact({ name, passed, evidence }: GateResult): Gate {
  return {
    name,
    passed,
    requirement: evidence.requirement,
    evidence: evidence.text,
  };
}

function promotionFact(
  declaration: Declaration,
  { challenger, champion, promote, reason, comparison }: Judgement,
): Promotion {
  return {
    version: String(challenger.version),
    algorithm: challenger.lineage.algorithm,
    decision: promote ? 'promoted' : 'refused',
    reason,
    ...(champion && { champion: { version: String(champion.version), algorithm: champion.lineage.algorithm } }),
    ...(comparison && {
      testRows: comparison.testRows,
      improvements: comparison.metrics.map((compared, i): PairedImprovement => {
        const { evidence, passed } = comparison.checks[i];
        const words =
          compared.name === 'imbalance'
            ? { name: 'distance of actual / expected from 1', unit: '', better: 'lower' as const }
            : describeMetric(compared.name as MetricName, declaration.label.unit);
        return {
          ...words,
          champion: compared.champion.value,
          challenger: compared.challenger.value,
          improvement: compared.improvement,
          ...(evidence.limit !== null && { required: evidence.limit }),
          met: passed,
        };
      }),
    }),
  };
}
