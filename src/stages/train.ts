import { deviation, mean } from 'd3-array';
import type { Calibrator } from '../ml/calibration/calibrator.ts';
import { applyConformal, fitConformal, type Conformal } from '../ml/calibration/conformal.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import { type RatingTable, applyRatingTable, fitRatingTable } from '../ml/baselines/rating-table.ts';
import { crossValidate } from '../ml/tune/cross-validate.ts';
import type { Candidate as ReportedCandidate, CrossValidated, ModelComparison, Parameters } from '../report/facts.ts';
import type { Candidate } from '../stages.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { taskOf } from '../usecase/label.ts';
import { type MetricName, metricDescriptors } from '../usecase/metrics.ts';
import { recordFacts } from './common/facts.ts';
import {
  type RowSet,
  interleaved,
  readFrozenSet,
  readSnapshot,
  snapshotPrefix,
  takeColumns,
  takeRowSet,
  trainable,
} from './common/frozen-sets.ts';
import { fromJsonBytes, getWritten, toJsonBytes } from './common/json.ts';
import { calibratorOf, learn } from './common/learning.ts';
import { type LabelReference, type MetricSet, describeMetric, labelReference, metricSet } from './common/metric-set.ts';
import { writeModelFiles } from './common/model-file.ts';
import { mayBeChosen, searchOf } from './common/search.ts';
import { splitsOf } from './common/validation.ts';
import type { Stage } from './stage.ts';
import type { CandidateDocument } from './tune.ts';

/** What training decided and measured; `Evaluate` makes a version of it. */
export type TrainingDocument = {
  format: 1;
  candidate: Candidate;
  /** The files of the model, beside this document; the first is the one that predicts. */
  modelFiles: string[];
  /** Means over the folds, of the chosen candidate. */
  crossValidation: { [metric: string]: Estimate };
  reference: LabelReference;
  /** Around the predictions of an amount, where the use case declares intervals. */
  conformal: Conformal | null;
  /** From the model's probabilities of an event to calibrated ones. */
  calibrator: Calibrator | null;
  /** The tariff to beat, where the use case declares one. */
  ratingTable: RatingTable | null;
};

/** Chooses the best candidate by its cross-validated metric, refits it on all training rows, and fits its intervals. */
export const train: Stage<'Train'> = async ({ useCase, runId, snapshot, tuned }, ports) => {
  const frozen = await readSnapshot(ports, snapshot.key);
  const declaration = trainable(useCaseOf(ports.catalogue, useCase).declaration, frozen);
  const rows = await readFrozenSet(ports, snapshot, 'train', declaration);
  const documents = await Promise.all(
    tuned.map(async ({ key }) =>
      fromJsonBytes<CandidateDocument>(await getWritten(ports.registry, key, 'registry'), `registry/${key}`),
    ),
  );
  const metric = searchOf(declaration, documents[0].candidate.kind).metric;
  const best = chooseBest(
    documents.filter(({ candidate }) => mayBeChosen(declaration, candidate)),
    metric,
  );
  const learnt = await learn(declaration, refitted(declaration, best), rows, ports);
  const reference = labelReference(rows.label, declaration);
  const judged = judgedRows(
    rows,
    Float64Array.from(best.outOfFold, (value) => value ?? NaN),
  );

  const key = `${snapshotPrefix({ useCase, runId })}chosen/training.json`;
  const document: TrainingDocument = {
    format: 1,
    candidate: best.candidate,
    modelFiles: [...writeModelFiles(learnt).keys()],
    crossValidation: Object.fromEntries(Object.keys(best.mean).map((name) => [name, acrossFolds(best, name).estimate])),
    reference,
    ratingTable: declaration.ratingTable ? fitRatingTable(rows.columns, rows.label, declaration.ratingTable) : null,
    conformal: intervalsOf(declaration, judged),
    calibrator: calibratorOf(declaration, judged.label, judged.outOfFold) ?? null,
  };
  for (const [name, bytes] of writeModelFiles(learnt)) await ports.registry.put(beside(key, name), bytes);
  await ports.registry.put(key, toJsonBytes(document));
  await recordFacts(ports, { useCase, runId }, 'Train', {
    models: comparison(declaration, rows, documents, best, metric, metricSet(reference)),
  });
  return { useCase, runId, candidateId: best.candidate.id, algorithm: best.candidate.kind, key };
};

/** The candidate as it is fitted on all training rows: with `split.refit` nothing watches, and the rounds are those of the folds. */
function refitted({ split }: Declaration, { candidate, rounds }: CandidateDocument): Candidate {
  if (!split.refit || rounds === null) return candidate;
  return { ...candidate, parameters: { ...candidate.parameters, iterations: rounds, earlyStoppingRounds: 0 } };
}

/** A file that lies beside the training document. */
export const beside = (key: string, name: string) => key.replace(/[^/]+$/, name);

/** The best mean over the folds; of equals the one that was declared first. A mean that is not a number never wins. */
export function chooseBest(documents: readonly CandidateDocument[], metric: MetricName): CandidateDocument {
  const sign = metricDescriptors[metric].better === 'higher' ? 1 : -1;
  const score = (document: CandidateDocument) => sign * (document.mean[metric] ?? NaN);
  return documents.reduce((best, other) => (score(other) > score(best) || Number.isNaN(score(best)) ? other : best));
}

type JudgedRows = { label: Float64Array; outOfFold: Float64Array };

/** The rows that some fold has judged: with a single split most have no prediction by a model that had not seen them. */
function judgedRows({ label }: RowSet, outOfFold: Float64Array): JudgedRows {
  const isJudged = (_: number, i: number) => !Number.isNaN(outOfFold[i]);
  return { label: label.filter(isJudged), outOfFold: outOfFold.filter(isJudged) };
}

/**
 * Prediction intervals from the predictions of rows that the model had not seen. Where predictions have a positive floor the
 * interval widens with the prediction, because the error of a cost grows with the cost.
 */
function intervalsOf({ score }: Declaration, { label, outOfFold }: JudgedRows): Conformal | null {
  if (!score.interval) return null;
  const floor = score.floor ?? -Infinity;
  const adjusted = outOfFold.map((prediction) => Math.max(prediction, floor));
  return fitConformal(label, adjusted, {
    score: floor > 0 ? 'relative' : 'absolute',
    miscoverage: 1 - score.interval.coverage,
  });
}

export function intervalsAround(conformal: Conformal, adjusted: Float64Array) {
  return applyConformal(conformal, adjusted, conformal.score === 'relative' ? { atLeast: 0 } : {});
}

function comparison(
  declaration: Declaration,
  rows: RowSet,
  documents: readonly CandidateDocument[],
  best: CandidateDocument,
  metric: MetricName,
  metrics: MetricSet,
): ModelComparison {
  const shown = shownMetrics(declaration, metric);
  const { folds, seed } = searchOf(declaration, best.candidate.kind);
  const candidates = documents.map((document): ReportedCandidate => ({
    name: document.candidate.id,
    kind: mayBeChosen(declaration, document.candidate) ? 'candidate' : 'compared',
    chosen: document === best,
    scores: shown.map((name) => acrossFolds(document, name)),
    parameters: document.candidate.parameters as Parameters,
    trainingSeconds: document.tookSeconds,
  }));

  // baselines are judged as the models are: fitted on the other folds
  const splits = splitsOf(declaration, rows, { folds, seed });
  const validate = (name: string, baseline: Baseline): ReportedCandidate => {
    const validated = crossValidate({
      splits,
      actual: rows.label,
      outputs: rows.outputs,
      metrics,
      ...baseline,
    });
    return { name, kind: 'baseline', scores: shown.map((shownMetric) => acrossFolds(validated, shownMetric)) };
  };
  return {
    folds,
    metrics: shown.map((name) => describeMetric(name, declaration.label.unit)),
    candidates: [
      ...candidates,
      validate('constant mean', constantMean(rows)),
      ...(declaration.ratingTable
        ? [validate(`tariff by ${declaration.ratingTable.join(' × ')}`, tariff(rows, declaration.ratingTable))]
        : []),
      ...(declaration.rules ? [validate('rules in use', rulesInUse(rows, declaration.rules))] : []),
    ],
  };
}

/** The metric that decided, and the customary ones of the task. */
function shownMetrics(declaration: Declaration, metric: MetricName): MetricName[] {
  const customary = {
    regression: ['r2', 'mae', 'rmse', 'high_cost_recall'],
    binary: ['roc_auc', 'pr_auc', 'log_loss', 'calibration_error'],
    ranking: ['rmse', 'r2', 'mae', 'ndcg_at_5', 'top_5_overlap'],
  } as const satisfies { [task: string]: readonly MetricName[] };
  return [metric, ...customary[taskOf(declaration)].filter((name) => name !== metric)];
}

/** What a model has to beat, fitted on the rows given and applied to others. */
type Baseline = {
  fit: (train: Uint32Array) => unknown;
  predict: (fitted: unknown, test: Uint32Array) => Float64Array;
};

const baselineOf = <Fitted>(
  fit: (train: Uint32Array) => Fitted,
  predict: (fitted: Fitted, test: Uint32Array) => Float64Array,
): Baseline => ({ fit, predict: (fitted, test) => predict(fitted as Fitted, test) });

function constantMean(rows: RowSet): Baseline {
  const { outputs } = rows;
  return baselineOf(
    (train) => {
      const { label } = takeRowSet({ ...rows, columns: {} }, train);
      const sums = new Float64Array(outputs);
      label.forEach((value, i) => (sums[i % outputs] += value));
      return sums.map((sum) => sum / train.length);
    },
    (means, test) => Float64Array.from({ length: test.length * outputs }, (_, i) => means[i % outputs]),
  );
}

function tariff(rows: RowSet, by: readonly string[]): Baseline {
  return baselineOf(
    (train) => fitRatingTable(takeColumns(rows.columns, train), takeRowSet({ ...rows, columns: {} }, train).label, by),
    (table, test) => applyRatingTable(table, takeColumns(rows.columns, test), test.length),
  );
}

/** Nothing is fitted: the rules' own predictions stand in the feature table. */
function rulesInUse(rows: RowSet, columns: readonly string[]): Baseline {
  return baselineOf(
    () => null,
    (_, test) => interleaved(columns, takeColumns(rows.columns, test)),
  );
}

/** Mean over the folds with the 95 % interval of Student's t. */
function acrossFolds(
  { folds }: { folds: readonly { metrics: { [metric: string]: number } }[] },
  metric: string,
): CrossValidated {
  const foldValues = folds.map((fold) => fold.metrics[metric]);
  const value = mean(foldValues) ?? NaN;
  const margin = (studentT[folds.length - 1] ?? 1.96) * ((deviation(foldValues) ?? NaN) / Math.sqrt(folds.length));
  return { estimate: { value, low: value - margin, high: value + margin }, foldValues };
}

/** The 97.5 % quantile of Student's t by degrees of freedom, 1 to 9. */
const studentT = [NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
