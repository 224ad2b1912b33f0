import { aliasHead, liveAt } from '../governance/aliases.ts';
import {
  type ChampionComparison,
  type ComparisonCriteria,
  compareWithChampion,
  standardMargins,
} from '../governance/champion-challenger.ts';
import type { GateResult } from '../governance/gate.ts';
import { evaluateGates, gateSummary } from '../governance/gates.ts';
import { imbalance } from '../governance/imbalance.ts';
import { readLedger } from '../governance/ledger.ts';
import { declareCriteria, refuse } from '../governance/promotion.ts';
import { type ModelCard, modelCardMarkdown } from '../governance/model-card.ts';
import { verifyVersion, versionName } from '../governance/registry.ts';
import { groupsOf } from '../ml/metrics/actual-expected.ts';
import type { Ports } from '../ports/stage-ports.ts';
import type { Gate, PairedImprovement, Promotion } from '../report/facts.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { type MetricName, metricDescriptors } from '../usecase/metrics.ts';
import { recordFacts } from './common/facts.ts';
import { type RowSet, readFrozenSet } from './common/frozen-sets.ts';
import { predictRows } from './common/learning.ts';
import { describeMetric, metricSet } from './common/metric-set.ts';
import { toTextBytes } from './common/json.ts';
import { type LoadedVersion, loadEvaluation, loadVersion, readDocument } from './common/version.ts';
import type { EvaluationDocument } from './evaluate.ts';
import type { Stage } from './stage.ts';

/**
 * Judges a version: the gates that every model must pass, those that the use case declares, and the champion on the same frozen
 * test rows. A refusal is recorded here; a promotion is left to `Promote`, which acts only on the state judged here.
 */
export const govern: Stage<'Govern'> = async ({ useCase, runId, version }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const challenger = await loadVersion(ports, useCase, version);
  const evaluation = await loadEvaluation(ports, challenger.manifest);
  const entries = await readLedger(ports.registry, useCase);
  const champion = liveAt(entries, 'champion');
  const expectedHead = aliasHead(entries, 'champion');
  const decisionId = `${runId}/${version}/${expectedHead.slice(0, 12)}`;
  const said = { alias: 'champion', version, actor: `machine govern, run ${runId}`, decisionId } as const;

  const contest =
    champion === null || champion === version
      ? undefined
      : await compare(ports, declaration, challenger, await loadVersion(ports, useCase, champion), evaluation, said);
  const gates = evaluateGates(declaration.gates, {
    ...evaluation,
    integrity: {
      digestFaults: await verifyVersion(ports.registry, challenger.manifest),
      unreadable: null,
      features: {
        expected: [...declaration.features.numeric, ...declaration.features.categorical],
        found: challenger.learnt.model.featureNames,
      },
      predictions: evaluation.predictions,
    },
    lineage: challenger.manifest.lineage,
    championChecks: contest?.comparison.checks ?? [],
  });

  const promote = gates.every(({ passed }) => passed);
  const reason = contest && gatesBesides(gates, contest.comparison) ? contest.comparison.reason : gateSummary(gates);
  const evidence = { gates, comparison: contest?.comparison ?? null };
  if (!promote) {
    await refuse(
      { store: ports.registry, useCase, nowMs: ports.clock.nowMs() },
      { ...said, reason, criteriaHash: contest?.criteriaHash ?? null, evidence },
    );
    ports.telemetry.measure('ModelsRefused', 1, useCase);
  }
  const card = await readDocument<ModelCard>(ports, challenger.manifest, 'card.json');
  await ports.registry.put(
    `cards/${useCase}/${versionName(version)}.md`,
    toTextBytes(modelCardMarkdown(card, { version, gates })),
  );
  await recordFacts(ports, { useCase, runId }, 'Govern', {
    gates: gates.map(gateFact),
    promotion: promotionFact(declaration, challenger, champion, promote, reason, contest?.comparison),
  });
  return { useCase, runId, version, promote, reason, expectedHead, criteriaHash: contest?.criteriaHash ?? null };
};

/** Whether everything but the comparison has passed, so that the comparison is the reason. */
function gatesBesides(gates: readonly GateResult[], { checks }: ChampionComparison): boolean {
  const compared = new Set(checks.map(({ name }) => name));
  return gates.every(({ name, passed }) => passed || compared.has(name));
}

/** Fixes the criteria in the ledger, then compares both on the frozen test set, which neither was trained on. */
async function compare(
  ports: Ports,
  declaration: Declaration,
  challenger: LoadedVersion,
  champion: LoadedVersion,
  evaluation: EvaluationDocument,
  said: { alias: 'champion'; version: number; actor: string; decisionId: string },
): Promise<{ comparison: ChampionComparison; criteriaHash: string }> {
  const { metric, confidence, minimumEffect } = declaration.gates.beatsChampion;
  const criteria: ComparisonCriteria = {
    metric,
    minimumUsefulEffect: minimumEffect,
    calibrationMetric: 'imbalance',
    groupMetric: 'mae',
    ...standardMargins,
    confidence,
    resamples: 1000,
    seed: declaration.split.seed,
    testDigest: challenger.manifest.lineage.testDigest,
    testRows: evaluation.testRows,
  };
  const at = { store: ports.registry, useCase: declaration.id, nowMs: ports.clock.nowMs() };
  const { criteriaHash } = await declareCriteria(at, { ...said, criteria });

  const test = await readFrozenSet(ports, evaluation.snapshot, 'test', declaration);
  const metrics = metricSet(challenger.training.reference);
  const comparison = compareWithChampion(criteria, {
    actual: test.label,
    champion: predictRows(champion.learnt, test.columns),
    challenger: predictRows(challenger.learnt, test.columns),
    metrics: {
      [metric]: { metric: metrics[metric as keyof typeof metrics], better: metricDescriptors[metric].better },
      mae: { metric: metrics.mae, better: 'lower' },
      imbalance: { metric: imbalance, better: 'lower' },
    },
    groups: Object.fromEntries(declaration.monitor.slices.map((slice) => [slice, groupsOfColumn(test, slice)])),
  });
  return { comparison, criteriaHash };
}

function groupsOfColumn(rows: RowSet, column: string) {
  return groupsOf(Array.from(rows.columns[column]));
}

function gateFact({ name, passed, evidence }: GateResult): Gate {
  return {
    name,
    passed,
    requirement: evidence.requirement,
    evidence: evidence.text,
    ...(evidence.constantPasses && { constantPasses: true }),
  };
}

function promotionFact(
  declaration: Declaration,
  challenger: LoadedVersion,
  champion: number | null,
  promote: boolean,
  reason: string,
  comparison: ChampionComparison | undefined,
): Promotion {
  const { lineage, version } = challenger.manifest;
  return {
    version: String(version),
    algorithm: lineage.algorithm,
    decision: promote ? 'promoted' : 'refused',
    reason,
    ...(champion !== null && { champion: { version: String(champion), algorithm: lineage.algorithm } }),
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
