import { deviation, mean } from 'd3-array';
import { applyConformal, fitConformal, type Conformal } from '../ml/calibration/conformal.ts';
import type { Estimate } from '../ml/metrics/metric.ts';
import { type RatingTable, applyRatingTable, fitRatingTable } from '../ml/baselines/rating-table.ts';
import { crossValidate } from '../ml/tune/cross-validate.ts';
import { groupedKFold } from '../ml/tune/folds.ts';
import type { Candidate as ReportedCandidate, CrossValidated, ModelComparison, Parameters } from '../report/facts.ts';
import type { Candidate } from '../stages.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { type MetricName, metricDescriptors } from '../usecase/metrics.ts';
import { recordFacts } from './common/facts.ts';
import { type RowSet, readFrozenSet, snapshotPrefix } from './common/frozen-sets.ts';
import { fromJsonBytes, getWritten, toJsonBytes } from './common/json.ts';
import { learn, takeColumns } from './common/learning.ts';
import { type LabelReference, type MetricSet, describeMetric, labelReference, metricSet } from './common/metric-set.ts';
import { writeModelFile } from './common/model-file.ts';
import { searchOf } from './common/search.ts';
import type { Stage } from './stage.ts';
import type { CandidateDocument } from './tune.ts';

/** What training decided and measured; `Evaluate` makes a version of it. */
export type TrainingDocument = {
  format: 1;
  candidate: Candidate;
  /** Means over the folds, of the chosen candidate. */
  crossValidation: { [metric: string]: Estimate };
  reference: LabelReference;
  conformal: Conformal;
  /** The tariff to beat, where the use case declares one. */
  ratingTable: RatingTable | null;
};

/** Chooses the best candidate by its cross-validated metric, refits it on all training rows, and fits its intervals. */
export const train: Stage<'Train'> = async ({ useCase, runId, snapshot, tuned }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const rows = await readFrozenSet(ports, snapshot, 'train', declaration);
  const documents = await Promise.all(
    tuned.map(async ({ key }) =>
      fromJsonBytes<CandidateDocument>(await getWritten(ports.registry, key, 'registry'), `registry/${key}`),
    ),
  );
  const metric = searchOf(declaration, documents[0].candidate.kind).metric;
  const best = chooseBest(documents, metric);
  const learnt = learn(declaration, best.candidate, rows.columns, rows.label);
  const reference = labelReference(rows.label, declaration.label.highQuantile);

  const key = `${snapshotPrefix({ useCase, runId })}chosen/training.json`;
  const document: TrainingDocument = {
    format: 1,
    candidate: best.candidate,
    crossValidation: Object.fromEntries(Object.keys(best.mean).map((name) => [name, acrossFolds(best, name).estimate])),
    reference,
    ratingTable: declaration.ratingTable ? fitRatingTable(rows.columns, rows.label, declaration.ratingTable) : null,
    conformal: intervalsOf(declaration, rows, Float64Array.from(best.outOfFold)),
  };
  await ports.registry.put(beside(key, 'model.txt'), writeModelFile(learnt));
  await ports.registry.put(key, toJsonBytes(document));
  await recordFacts(ports, { useCase, runId }, 'Train', {
    models: comparison(declaration, rows, documents, best, metric, metricSet(reference)),
  });
  return { useCase, runId, candidateId: best.candidate.id, algorithm: best.candidate.kind, key };
};

/** A file that lies beside the training document. */
export const beside = (key: string, name: string) => key.replace(/[^/]+$/, name);

/** The best mean over the folds; of equals the one that was declared first. A mean that is not a number never wins. */
export function chooseBest(documents: readonly CandidateDocument[], metric: MetricName): CandidateDocument {
  const sign = metricDescriptors[metric].better === 'higher' ? 1 : -1;
  const score = (document: CandidateDocument) => sign * (document.mean[metric] ?? NaN);
  return documents.reduce((best, other) => (score(other) > score(best) || Number.isNaN(score(best)) ? other : best));
}

/**
 * Prediction intervals from the predictions of rows that the model had not seen. Where predictions have a positive floor the
 * interval widens with the prediction, because the error of a cost grows with the cost.
 */
function intervalsOf({ score }: Declaration, rows: RowSet, outOfFold: Float64Array): Conformal {
  const floor = score.floor ?? -Infinity;
  const adjusted = outOfFold.map((prediction) => Math.max(prediction, floor));
  return fitConformal(rows.label, adjusted, {
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
  const shown = [metric, ...(['r2', 'mae', 'rmse', 'high_cost_recall'] as const).filter((name) => name !== metric)];
  const { folds, seed } = searchOf(declaration, best.candidate.kind);
  const candidates = documents.map((document): ReportedCandidate => ({
    name: document.candidate.id,
    kind: 'candidate',
    chosen: document === best,
    scores: shown.map((name) => acrossFolds(document, name)),
    parameters: document.candidate.parameters as Parameters,
    trainingSeconds: document.tookSeconds,
  }));

  // baselines are judged as the models are: fitted on the other folds
  const baseline = (name: string, by: readonly string[]): ReportedCandidate => {
    const validated = crossValidate({
      splits: groupedKFold(rows.keys, { folds, salt: seed }),
      actual: rows.label,
      metrics,
      fit: (train) =>
        fitRatingTable(
          takeColumns(rows.columns, train),
          Float64Array.from(train, (row) => rows.label[row]),
          by,
        ),
      predict: (table, test) => applyRatingTable(table, takeColumns(rows.columns, test), test.length),
    });
    return { name, kind: 'baseline', scores: shown.map((metric) => acrossFolds(validated, metric)) };
  };
  return {
    folds,
    metrics: shown.map((name) => describeMetric(name, declaration.label.unit)),
    candidates: [
      ...candidates,
      // a table without factors is one cell: the constant
      baseline('constant mean', []),
      ...(declaration.ratingTable
        ? [baseline(`tariff by ${declaration.ratingTable.join(' × ')}`, declaration.ratingTable)]
        : []),
    ],
  };
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
