import { type CrossValidation, crossValidate } from '../ml/tune/cross-validate.ts';
import { groupedKFold } from '../ml/tune/folds.ts';
import type { Candidate } from '../stages.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { type MetricName } from '../usecase/metrics.ts';
import { readFrozenSet, snapshotPrefix } from './common/frozen-sets.ts';
import { toJsonBytes } from './common/json.ts';
import { learn, predictRows, takeColumns } from './common/learning.ts';
import { labelReference, metricSet } from './common/metric-set.ts';
import { searchOf } from './common/search.ts';
import type { Stage } from './stage.ts';

/** What one candidate came to; `outOfFold[row]` is the prediction of a training row by the model that had not seen it. */
export type CandidateDocument = {
  format: 1;
  candidate: Candidate;
  folds: CrossValidation<MetricName>['folds'];
  mean: { [metric: string]: number };
  outOfFold: number[];
  tookSeconds: number;
};

/** Judges one candidate by cross-validation; all rows of an entity lie in one fold. */
export const tune: Stage<'Tune'> = async ({ useCase, runId, snapshot, candidate }, ports) => {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const { folds, seed, metric } = searchOf(declaration, candidate.kind);
  const train = await readFrozenSet(ports, snapshot, 'train', declaration);
  const startedMs = ports.clock.nowMs();

  const validated = crossValidate({
    splits: groupedKFold(train.keys, { folds, salt: seed }),
    actual: train.label,
    metrics: metricSet(labelReference(train.label, declaration.label.highQuantile)),
    fit: (rows) => {
      const label = Float64Array.from(rows, (row) => train.label[row]);
      return learn(declaration, candidate, takeColumns(train.columns, rows), label);
    },
    predict: (learnt, rows) => predictRows(learnt, takeColumns(train.columns, rows)),
  });

  const document: CandidateDocument = {
    format: 1,
    candidate,
    folds: validated.folds as CandidateDocument['folds'],
    mean: validated.mean,
    outOfFold: [...validated.outOfFold],
    tookSeconds: (ports.clock.nowMs() - startedMs) / 1000,
  };
  const key = `${snapshotPrefix({ useCase, runId })}candidates/${candidate.id}.json`;
  await ports.registry.put(key, toJsonBytes(document));
  return { candidateId: candidate.id, metric, mean: document.mean[metric], key };
};
