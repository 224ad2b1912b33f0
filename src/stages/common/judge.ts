import { aliasHead, liveAt } from '../../governance/aliases.ts';
import {
  type ChampionComparison,
  type ComparisonCriteria,
  compareWithChampion,
  standardMargins,
} from '../../governance/champion-challenger.ts';
import type { GateResult } from '../../governance/gate.ts';
import { fairnessGates } from '../../governance/fairness-gates.ts';
import { type GateEvidence, evaluateGates, gateSummary } from '../../governance/gates.ts';
import { imbalance } from '../../governance/imbalance.ts';
import { quantisationGates } from '../../governance/quantisation-gates.ts';
import { type ShadowEvidence, shadowGates } from '../../governance/shadow.ts';
import { checkPredictions } from '../../governance/integrity.ts';
import { type TestSetUse, reuseRemark, testSetUse } from '../../governance/test-set-use.ts';
import type { LedgerEntry } from '../../governance/ledger.ts';
import { type VersionManifest, readVersion, verifyVersion } from '../../governance/registry.ts';
import { isMissing } from '../../ml/encoders/columns.ts';
import type { FairnessAssessment } from '../../ml/fairness/assess.ts';
import { groupsOf } from '../../ml/metrics/actual-expected.ts';
import { meanOverOutputs } from '../../ml/metrics/outputs.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { labelColumns, taskOf } from '../../usecase/label.ts';
import { viewed } from '../../usecase/views.ts';
import { metricDescriptors, rowLoss } from '../../usecase/metrics.ts';
import type { EvaluationDocument } from '../evaluate.ts';
import { type RowSet, judgedLabel, outcomesOf, readFrozenSet, trainable } from './frozen-sets.ts';
import { columnsRead, predictRows } from './learning.ts';
import { metricSet, outcomeConcordance } from './metric-set.ts';
import { type LoadedVersion, loadEvaluation, loadVersion, readable } from './version.ts';

/** What there is to say about making a version champion. */
export type Judgement = {
  challenger: VersionManifest;
  /** What was seen of it in shadow; null where that was not asked. */
  shadow: ShadowEvidence | null;
  /** Whoever was champion when it was judged. */
  champion: VersionManifest | null;
  gates: GateResult[];
  /** With the champion on the same frozen test rows; null where there is no other one, or nothing that can be compared. */
  comparison: ChampionComparison | null;
  criteriaHash: string | null;
  /** The frozen rows that it rests on, and how many decisions do. */
  testSet: TestSetUse;
  promote: boolean;
  /** One sentence or more, with the numbers. */
  reason: string;
  /** The head of the promotion log that this rests on: a promotion acts on no other. */
  expectedHead: string;
};

/** Fixes the criteria of a comparison before it is made, and gives their hash; null where nothing is to be recorded. */
export type DeclareCriteria = (criteria: ComparisonCriteria) => Promise<string | null>;

/**
 * Judges a version, for a machine and for a person alike: the gates that every model must pass, those that the use case
 * declares, and the champion of `entries` on the same frozen test rows. What is damaged in the version fails a gate by name.
 * Throws `VersionNotFound`, and `DigestMismatch` where the champion is damaged: then nothing can be compared with it.
 */
export async function judge(
  ports: Ports,
  declaration: Declaration,
  version: number,
  {
    entries,
    decisionId,
    declare,
    shadow = null,
  }: {
    entries: readonly LedgerEntry[];
    decisionId: string;
    declare: DeclareCriteria;
    shadow?: ShadowEvidence | null;
  },
): Promise<Judgement> {
  const { id } = declaration;
  const challenger = await readVersion(ports.registry, id, version);
  const model = await readable(() => loadVersion(ports, id, version));
  const measured = await readable(() => loadEvaluation(ports, challenger));
  const live = liveAt(entries, 'champion');
  const champion = live === null ? null : await readVersion(ports.registry, id, live);

  const contest =
    live === null || live === version || !model.value || !measured.value
      ? undefined
      : await compare(ports, declaration, model.value, await loadVersion(ports, id, live), measured.value, declare);
  const evaluation = measured.value ?? notMeasured(measured.fault);
  const gates = evaluateGates(declaration.gates, {
    ...evaluation,
    integrity: {
      digestFaults: await verifyVersion(ports.registry, challenger),
      unreadable: model.fault ?? measured.fault,
      features: {
        expected: featuresOf(viewed(trainable(declaration, evaluation), model.value?.training.candidate.view)),
        found: model.value ? columnsRead(model.value.learnt) : [],
      },
      predictions: evaluation.predictions,
    },
    lineage: challenger.lineage,
    fairness: fairnessGates(declaration, evaluation.fairness),
    quantisation: quantisationGates(declaration, evaluation.quantisation),
    shadow: declaration.shadow && shadow ? shadowGates(declaration.shadow, shadow) : [],
    championChecks: contest?.comparison.checks ?? [],
  });
  const testSet = testSetUse(entries, challenger.lineage, { decisionId, version });
  const why = contest && passesBesides(gates, contest.comparison) ? contest.comparison.reason : gateSummary(gates);
  return {
    challenger,
    shadow,
    champion,
    gates,
    testSet,
    comparison: contest?.comparison ?? null,
    criteriaHash: contest?.criteriaHash ?? null,
    promote: gates.every(({ passed }) => passed),
    reason: why + reuseRemark(testSet),
    expectedHead: aliasHead(entries, 'champion'),
  };
}

const featuresOf = ({ features }: Declaration) => [...features.numeric, ...features.categorical];

type Measured = Pick<EvaluationDocument, 'predictions' | 'leftOut' | 'quantisation'> &
  Pick<GateEvidence, 'metrics' | 'constantMetrics' | 'testRows' | 'outcomes' | 'leakage'> & {
    fairness: readonly FairnessAssessment[];
  };

/** In place of an evaluation that is not as published: no gate passes on it. */
function notMeasured(fault: string): Measured {
  return {
    testRows: 0,
    outcomes: 0,
    metrics: {},
    constantMetrics: {},
    predictions: checkPredictions(new Float64Array()),
    fairness: [],
    leftOut: [],
    quantisation: null,
    leakage: [
      { check: 'label-derived', message: `What the leakage checks found is not known. ${fault}`, evidence: {} },
    ],
  };
}

/** Whether everything but the comparison has passed, so that the comparison is the reason. */
function passesBesides(gates: readonly GateResult[], { checks }: ChampionComparison): boolean {
  const compared = new Set(checks.map(({ name }) => name));
  return gates.every(({ name, passed }) => passed || compared.has(name));
}

/** Fixes the criteria, then compares both on the frozen test set, which neither was trained on. */
async function compare(
  ports: Ports,
  declaration: Declaration,
  challenger: LoadedVersion,
  champion: LoadedVersion,
  evaluation: EvaluationDocument,
  declare: DeclareCriteria,
): Promise<{ comparison: ChampionComparison; criteriaHash: string | null }> {
  const { metric: ofLabels, confidence, minimumEffect, outcomes } = declaration.gates.beatsChampion;
  const byOutcomes = outcomes !== undefined && evaluation.outcomes > 0;
  const metric = byOutcomes ? 'outcome_concordance' : ofLabels;
  const groupMetric = rowLoss[taskOf(declaration)];
  const criteria: ComparisonCriteria = {
    metric,
    minimumUsefulEffect: byOutcomes ? outcomes.minimumEffect : minimumEffect,
    calibrationMetric: 'imbalance',
    groupMetric,
    ...standardMargins,
    confidence,
    resamples: 1000,
    seed: declaration.split.seed,
    testDigest: challenger.manifest.lineage.testDigest,
    testRows: evaluation.testRows,
  };
  const criteriaHash = await declare(criteria);

  const test = await readFrozenSet(ports, evaluation.snapshot, 'test', declaration);
  const metrics = metricSet(challenger.training.reference);
  const comparison = compareWithChampion(criteria, {
    actual: judgedLabel(test, declaration, evaluation.outcomes),
    outputs: test.outputs,
    champion: predictRows(champion.learnt, test.columns),
    challenger: predictRows(challenger.learnt, test.columns),
    metrics: {
      [metric]: byOutcomes
        ? { metric: outcomeConcordance(test.outputs), better: 'higher', actual: outcomesOf(test, declaration)! }
        : { metric: metrics[metric], better: metricDescriptors[metric].better },
      [groupMetric]: { metric: metrics[groupMetric], better: 'lower' },
      imbalance: { metric: meanOverOutputs(labelColumns(declaration).map(() => imbalance)), better: 'lower' },
    },
    groups: Object.fromEntries(declaration.monitor.slices.map((slice) => [slice, groupsOfColumn(test, slice)])),
  });
  return { comparison, criteriaHash };
}

function groupsOfColumn(rows: RowSet, column: string) {
  return groupsOf(Array.from(rows.columns[column], (cell) => (isMissing(cell) ? null : cell)));
}
