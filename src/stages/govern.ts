import { aliasHead, shadowOf } from '../governance/aliases.ts';
import type { GateResult } from '../governance/gate.ts';
import { readLedger } from '../governance/ledger.ts';
import { type ModelCard, modelCardMarkdown } from '../governance/model-card.ts';
import { declareCriteria, refuse } from '../governance/promotion.ts';
import { versionName } from '../governance/registry.ts';
import { say } from '../governance/text.ts';
import type { Gate, PairedImprovement, Promotion } from '../report/facts.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration, ShadowDeclaration } from '../usecase/declaration.ts';
import type { MetricName } from '../usecase/metrics.ts';
import { decisionOf, entriesBefore } from './common/decision.ts';
import { recordFacts } from './common/facts.ts';
import { toTextBytes } from './common/json.ts';
import { type Judgement, judge } from './common/judge.ts';
import { describeMetric } from './common/metric-set.ts';
import { readEvidence, shadowFacts } from './common/shadow.ts';
import { readDocument, readable } from './common/version.ts';
import type { Stage } from './stage.ts';

/** What was seen of the version in shadow has been judged before, or another one has taken its place. */
export class ShadowDecided extends Error {
  override name = 'ShadowDecided';
}

/**
 * Judges a version: the gates that every model must pass, those that the use case declares, and the champion on the same frozen
 * test rows. A refusal is recorded here; a promotion is left to `Promote`, which acts only on the state judged here. Delivered
 * again, it finds what it found: it looks at the promotion log as it stood before its own decision. Where the use case wants to see
 * a version in shadow first, passing makes it the shadow; with the `evidence` of that it is judged again, by those limits too.
 * Throws `ShadowDecided`.
 */
export const govern: Stage<'Govern'> = async ({ useCase, runId, version, evidence }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const at = { store: ports.registry, useCase, nowMs: ports.clock.nowMs() };
  const said = { ...decisionOf({ runId, version, evidence }), alias: 'champion', version } as const;
  const { decisionId } = said;
  const entries = entriesBefore(await readLedger(ports.registry, useCase), decisionId);
  if (evidence && shadowOf(entries) !== version) {
    throw new ShadowDecided(`Version ${version} of ${useCase} is not in shadow any more: nothing is decided twice.`);
  }
  const judgement = await judge(ports, declaration, version, {
    entries,
    decisionId,
    shadow: evidence ? await readEvidence(ports, evidence) : null,
    declare: async (criteria) => (await declareCriteria(at, { ...said, criteria })).criteriaHash,
  });

  const { promote, gates, comparison, testSet, shadow, criteriaHash } = judgement;
  const waits = promote && !evidence ? declaration.shadow : undefined;
  const reason = waits ? `${judgement.reason} ${waitingRemark(waits)}` : judgement.reason;
  if (!promote) {
    await refuse(at, { ...said, reason, criteriaHash, evidence: { gates, comparison, testSet, shadow } });
    ports.telemetry.measure('ModelsRefused', 1, useCase);
  }
  const card = await readable(() => readDocument<ModelCard>(ports, judgement.challenger, 'card.json'));
  if (card.value) {
    const markdown = modelCardMarkdown(card.value, { version, gates });
    await ports.registry.put(`cards/${useCase}/${versionName(version)}.md`, toTextBytes(markdown));
  }
  await recordFacts(ports, { useCase, runId }, 'Govern', {
    gates: gates.map(gateFact),
    promotion: { ...promotionFact(declaration, judgement), ...(waits && { decision: 'shadowed' as const }), reason },
    ...(shadow && { shadow: shadowFacts(shadow) }),
  });
  const alias = waits ? 'shadow' : 'champion';
  const expectedHead = aliasHead(entries, alias);
  return { useCase, runId, version, promote, alias, decisionId, reason, expectedHead, criteriaHash };
};

const waitingRemark = ({ runs, minimumRows }: ShadowDeclaration) =>
  `It scores in shadow until ${say(minimumRows)} rows and ${say(runs)} ${runs === 1 ? 'run' : 'runs'} are seen.`;

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
