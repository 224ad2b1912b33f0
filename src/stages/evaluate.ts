import { type Conformal, type Coverage, coverage } from '../ml/calibration/conformal.ts';
import { bootstrap } from '../ml/metrics/bootstrap.ts';
import { applyRatingTable } from '../ml/baselines/rating-table.ts';
import type { Estimate, Metric } from '../ml/metrics/metric.ts';
import { outputOf, overKnown } from '../ml/metrics/outputs.ts';
import type { ScoreBins } from '../governance/shadow.ts';
import { type PredictionCheck, checkPredictions } from '../governance/integrity.ts';
import { ensureHolder } from '../governance/lease.ts';
import type { Lineage } from '../governance/lineage.ts';
import type { ModelCard } from '../governance/model-card.ts';
import { publishVersion } from '../governance/registry.ts';
import { mae, r2, rmse } from '../ml/metrics/regression.ts';
import { isMissing } from '../ml/encoders/columns.ts';
import { type FairnessAssessment, assessFairness } from '../ml/fairness/assess.ts';
import { type QuantisationEvidence, compareQuantised } from '../ml/formats/tflite/compare-quantised.ts';
import { rowErrors } from '../monitoring/row-errors.ts';
import type { StageInput } from '../stages.ts';
import type { LeakageFinding } from '../ml/leakage/finding.ts';
import { type MonitoredRows, fitReference } from '../monitoring/reference.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { type UseCase, useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { bandsOf, labelName, outputNames, selectedFrom, taskOf } from '../usecase/label.ts';
import { type MetricName, metricDescriptors } from '../usecase/metrics.ts';
import {
  explanations,
  featureWords,
  outputFacts,
  rowsToExplain,
  testFacts,
  typicalCases,
} from './common/evaluation-facts.ts';
import { recordFacts } from './common/facts.ts';
import {
  type RowSet,
  type SnapshotDocument,
  columnsOf,
  interleaved,
  judgedLabel,
  readFrozenSet,
  readFrozenTable,
  readSnapshot,
  rowSetOf,
  trainable,
} from './common/frozen-sets.ts';
import { digestOf, fromJsonBytes, getWritten, toJsonBytes } from './common/json.ts';
import { type Learnt, columnsRead, explainRows, isTflite, predictRows } from './common/learning.ts';
import { constantMetrics, measure, metricSet, skillOverRules } from './common/metric-set.ts';
import { judgedByOutcomes } from './common/judged-by-outcomes.ts';
import { retrainLease } from './common/retrain-lease.ts';
import { networkInputs } from './common/dense-learning.ts';
import { predictingFile, readModelFile } from './common/model-file.ts';
import { monitoredRows } from './common/monitored-rows.ts';
import { scoreRows } from './common/scoring.ts';
import { searchOf } from './common/search.ts';
import { scoreBinsOf } from './common/shadow.ts';
import { withSql } from './common/sql.ts';
import { validateCandidate } from './common/validation.ts';
import { calibrated } from './common/version.ts';
import type { Stage } from './stage.ts';
import { type TrainingDocument, beside, intervalsAround } from './train.ts';

/** Everything measured of a version on the frozen test set; stored in the version, read by `Govern`. */
export type EvaluationDocument = {
  format: 1;
  testRows: number;
  metrics: { [name in MetricName]?: Estimate };
  constantMetrics: { [name in MetricName]?: number };
  /** What the tariff to beat reaches; empty where none is declared. */
  rulesMetrics: { [name in MetricName]?: number };
  /** So many outcomes of the test rows judge in place of their labels; 0 where they were too few to judge by. */
  outcomes: number;
  predictions: PredictionCheck;
  /** How they are distributed, for what is seen in shadow; null where no version goes there. */
  scores: ScoreBins | null;
  /** Of the declared intervals; null where there are none. */
  coverage: Coverage | null;
  /** The figures of each output where there are several. */
  outputs: { name: string; metrics: { r2: number; mae: number; rmse: number } }[];
  /**
   * Means over the folds, of the chosen candidate over training and test rows together: the figure that others publish of a
   * data set. It is made last and decides nothing; empty where there is one fold.
   */
  crossValidation: { [metric: string]: number };
  leakage: LeakageFinding[];
  /** Declared features that this training did without. */
  leftOut: string[];
  /** What releasing a network in fewer bits has changed; null where nothing was. */
  quantisation: QuantisationEvidence | null;
  /** By declared sensitive column. */
  fairness: FairnessAssessment[];
  /** Where the test set lies, for the comparison with whatever is champion then. */
  snapshot: { key: string; dataVersion: number; digest: string; trainRows: number; testRows: number };
};

/** Judges the chosen model once on the frozen test set and publishes it as an immutable version. */
export const evaluate: Stage<'Evaluate'> = async ({ useCase, runId, snapshot, key }, ports) => {
  const definition = useCaseOf(ports.catalogue, useCase);
  const frozen = await readSnapshot(ports, snapshot.key);
  const declaration = trainable(definition.declaration, frozen);
  const test = await readFrozenSet(ports, snapshot, 'test', declaration);
  const training = fromJsonBytes<TrainingDocument>(
    await getWritten(ports.registry, key, 'registry'),
    `registry/${key}`,
  );
  const modelFiles = new Map<string, Uint8Array>();
  for (const name of training.modelFiles) {
    modelFiles.set(name, await getWritten(ports.registry, beside(key, name), 'registry'));
  }
  const learnt = calibrated(learntOf(modelFiles), training);

  const predicted = predictRows(learnt, test.columns, ports);
  const { outputs } = test;
  const adjusted = predicted.map((value) => Math.max(value, declaration.score.floor ?? -Infinity));
  const rules = rulesOf(declaration, training, test);
  const metrics: Record<string, Metric> = {
    ...metricSet(training.reference),
    ...(rules && { skill_over_rules: skillOverRules(training.reference, rules) }),
  };
  const byOutcomes = judgedByOutcomes(declaration, test, predicted, rules);
  const label = judgedLabel(test, declaration, byOutcomes.outcomes);
  const evaluation: EvaluationDocument = {
    format: 1,
    testRows: test.rows,
    metrics: {
      ...bootstrap(metrics, label, predicted, { seed: declaration.split.seed, outputs }),
      ...byOutcomes.metrics,
    },
    constantMetrics: { ...constantMetrics(training.reference, label), ...byOutcomes.constantMetrics },
    rulesMetrics: {
      ...(rules && measure(metricSet(training.reference), label, rules)),
      ...byOutcomes.rulesMetrics,
    },
    outcomes: byOutcomes.outcomes,
    predictions: checkPredictions(predicted),
    scores: declaration.shadow ? scoreBinsOf(predicted, outputs) : null,
    coverage: training.conformal && coverage(label, intervalsAround(training.conformal, adjusted)),
    outputs: outputNames(declaration).map((name, k) => ({
      name,
      metrics: amountsOf(outputOf(label, outputs, k), outputOf(predicted, outputs, k)),
    })),
    crossValidation: await publishedFigure(ports, declaration, snapshot, training.candidate),
    leakage: frozen.leakage,
    leftOut: frozen.leftOut,
    quantisation: quantisationOf(declaration, learnt, test, ports.clock),
    fairness: fairnessOf(declaration, test, predicted),
    snapshot,
  };
  const lineage = lineageOf(declaration, frozen, training, learnt, ports);
  const shown = rowsToExplain(test, declaration);
  const explained = explainRows(declaration, learnt, shown.columns, ports);
  const { explanation, byOutput } = explanations(declaration, explained);
  const reference = fitReference(
    await scoredTraining(ports, declaration, snapshot, { learnt, conformal: training.conformal }),
    {
      dataVersion: frozen.dataVersion,
      errors: rowErrors(training.reference.task, outputs, label, predicted).filter((error) => !Number.isNaN(error)),
      importance: Object.fromEntries(explanation.features.map(({ name, meanAbsolute }) => [name, meanAbsolute])),
    },
  );
  // whoever lost the lease to another retraining stops here, before anything lasting
  await ensureHolder(retrainLease(ports, useCase), runId);
  const manifest = await publishVersion(ports.registry, {
    useCase,
    lineage,
    nowMs: ports.clock.nowMs(),
    files: new Map([
      ...modelFiles,
      ['training.json', toJsonBytes(training)],
      ['evaluation.json', toJsonBytes(evaluation)],
      ['reference.json', toJsonBytes(reference)],
      ['card.json', toJsonBytes(cardOf(definition, evaluation, lineage, ports.clock.nowMs()))],
    ]),
  });
  await recordFacts(ports, { useCase, runId }, 'Evaluate', {
    ...testFacts(declaration, test, predicted, evaluation, {
      ...explanation,
      cases: typicalCases(explained, predictRows(learnt, shown.columns), featureWords(definition, explained.design)),
    }),
    ...(byOutput.length > 0 && { outputs: outputFacts(evaluation, byOutput) }),
    lineage: {
      dataTable: `features/${useCase}`,
      dataVersion: lineage.dataVersion,
      dataHash: lineage.trainDigest,
      contractVersions: lineage.contractVersions,
      featuresHash: digestOf(definition.features),
      codeCommit: lineage.codeCommit,
      seed: lineage.seed,
      algorithm: lineage.algorithm,
      parameters: lineage.parameters,
      modelVersion: String(manifest.version),
      modelDigest: manifest.digest,
      ...(frozen.outcomes + frozen.votes > 0 && { taughtBy: { outcomes: frozen.outcomes, votes: frozen.votes } }),
    },
  });
  return { useCase, runId, version: manifest.version };
};

function lineageOf(
  { split }: Declaration,
  frozen: SnapshotDocument,
  { candidate }: TrainingDocument,
  learnt: Learnt,
  ports: Ports,
): Lineage {
  return {
    runId: frozen.runId,
    algorithm: candidate.kind,
    parameters: candidate.parameters as Lineage['parameters'],
    seed: split.seed,
    features: columnsRead(learnt),
    contractVersions: frozen.contractVersions,
    dataVersion: frozen.dataVersion,
    trainDigest: frozen.trainDigest,
    testDigest: frozen.testDigest,
    trainRows: frozen.trainRows,
    testRows: frozen.testRows,
    codeCommit: ports.codeVersion,
  };
}

function cardOf(
  { declaration, contracts }: UseCase,
  evaluation: EvaluationDocument,
  lineage: Lineage,
  createdAtMs: number,
): ModelCard {
  const { id, question, card, label } = declaration;
  return {
    format: 1,
    useCase: id,
    createdAtMs,
    question,
    intendedUse: card.intendedUse,
    limits: card.limits,
    label: { column: labelName(declaration), unit: label.unit },
    sources: Object.entries(contracts).map(([name, { contract }]) => ({
      name,
      contract: contract.id,
      contractVersion: contract.version,
    })),
    metrics: (Object.keys(evaluation.metrics) as MetricName[]).map((name) => ({
      name,
      title: metricDescriptors[name].title,
      better: metricDescriptors[name].better,
      unit: metricDescriptors[name].unit === 'label' ? label.unit : '',
      estimate: evaluation.metrics[name]!,
      constant: evaluation.constantMetrics[name] ?? null,
      rules: evaluation.rulesMetrics[name] ?? null,
    })),
    lineage,
  };
}

/** The predictions of the rules in use on these rows, rows × outputs: a tariff, or columns of the feature table. */
function rulesOf(declaration: Declaration, { ratingTable }: TrainingDocument, test: RowSet): Float64Array | null {
  if (declaration.rules) return interleaved(declaration.rules, test.columns);
  return ratingTable && applyRatingTable(ratingTable, test.columns, test.rows);
}

/** The model from its files; of a quantised network the one in float comes along, to compare and to explain. */
function learntOf(files: ReadonlyMap<string, Uint8Array>): Learnt {
  const learnt = readModelFile(files.get(predictingFile([...files.keys()]))!);
  const float = files.get('model-float32.tflite');
  if (!float) return learnt;
  const { model } = readModelFile(float);
  return isTflite(model) ? { ...learnt, float: model } : learnt;
}

/** Differences of scores, decisions, size and speed between the network as trained and as released, on the test rows. */
function quantisationOf(
  declaration: Declaration,
  { design, model, float }: Learnt,
  test: RowSet,
  clock: Ports['clock'],
): QuantisationEvidence | null {
  if (!float || !isTflite(model)) return null;
  const thresholds = bandsOf(declaration).flatMap(({ below }) => below ?? []);
  return compareQuantised(
    float,
    model,
    networkInputs({ design }, test.columns),
    thresholds,
    () => clock.nowMs() / 1000,
  );
}

/** Selection, errors and calibration by group, with intervals on every gap. */
function fairnessOf(declaration: Declaration, test: RowSet, predicted: Float64Array): FairnessAssessment[] {
  const { fairness, split } = declaration;
  if (!fairness || test.outputs > 1) return [];
  return fairness.over.map((feature) =>
    assessFairness(taskOf(declaration) === 'binary' ? 'binary' : 'regression', selectedFrom(declaration), {
      actual: test.label,
      predicted,
      sensitive: { feature, values: Array.from(test.columns[feature], (cell) => (isMissing(cell) ? null : cell)) },
      minGroupRows: fairness.minGroupRows,
      seed: split.seed,
    }),
  );
}

const amountsOf = (actual: Float64Array, predicted: Float64Array) => ({
  r2: overKnown(r2, actual, predicted)(),
  mae: overKnown(mae, actual, predicted)(),
  rmse: overKnown(rmse, actual, predicted)(),
});

/** The chosen candidate's cross-validated metrics over all frozen rows. */
async function publishedFigure(
  ports: Ports,
  declaration: Declaration,
  snapshot: StageInput<'Evaluate'>['snapshot'],
  candidate: TrainingDocument['candidate'],
): Promise<{ [metric: string]: number }> {
  if (searchOf(declaration, candidate.kind).folds === 1) return {};
  const rows = await everyRow(ports, snapshot, declaration);
  return (await validateCandidate(declaration, candidate, rows, ports)).mean;
}

/** Training and test rows in one set. */
async function everyRow(
  ports: Ports,
  snapshot: StageInput<'Evaluate'>['snapshot'],
  declaration: Declaration,
): Promise<RowSet> {
  const [train, test] = await Promise.all(
    (['train', 'test'] as const).map((part) => readFrozenTable(ports, snapshot, part)),
  );
  return rowSetOf(train.concat(test), declaration);
}

/** The training rows as scoring would see them: predictions, bands and flags beside their features. */
async function scoredTraining(
  ports: Ports,
  declaration: Declaration,
  snapshot: StageInput<'Evaluate'>['snapshot'],
  model: { learnt: Learnt; conformal: Conformal | null },
): Promise<MonitoredRows> {
  return withSql(ports, async (sql) => {
    await sql.insert('training_rows', await readFrozenTable(ports, snapshot, 'train'));
    await scoreRows(sql, declaration, model, 'SELECT * FROM training_rows', ports);
    await sql.run('DROP TABLE training_rows');
    return monitoredRows(declaration, columnsOf(await sql.query('SELECT * FROM scored ORDER BY _row')));
  });
}
