import type { CrossValidation } from '../ml/tune/cross-validate.ts';
import type { Candidate } from '../stages.ts';
import { useCaseOf } from '../usecase/catalogue.ts';
import { type MetricName } from '../usecase/metrics.ts';
import { readSnapshot, snapshotPrefix, trainable } from './common/frozen-sets.ts';
import { toJsonBytes } from './common/json.ts';
import { keptTrainingRows } from './common/kept-rows.ts';
import { searchOf } from './common/search.ts';
import { validateCandidate } from './common/validation.ts';
import type { Stage } from './stage.ts';

/**
 * What one candidate came to. `outOfFold` holds rows × outputs predictions of training rows by the model that had not seen them,
 * null for rows that no fold judged.
 */
export type CandidateDocument = {
  format: 1;
  candidate: Candidate;
  folds: CrossValidation<MetricName>['folds'];
  mean: { [metric: string]: number };
  outOfFold: (number | null)[];
  /** After which boosting was stopped, the mean over the folds; null where nothing stops early. */
  rounds: number | null;
  tookSeconds: number;
};

/** Judges one candidate by cross-validation; all rows of an entity lie in one fold. */
export const tune: Stage<'Tune'> = async ({ useCase, runId, snapshot, candidate }, ports) => {
  const frozen = await readSnapshot(ports, snapshot.key);
  const declaration = trainable(useCaseOf(ports.catalogue, useCase).declaration, frozen);
  const { metric } = searchOf(declaration, candidate.kind);
  const { rows, remember } = await keptTrainingRows(ports, snapshot, frozen, declaration);
  const startedMs = ports.clock.nowMs();
  const validated = await validateCandidate(declaration, candidate, rows, { ...ports, remember });
  const document: CandidateDocument = {
    format: 1,
    candidate,
    folds: validated.folds,
    mean: validated.mean,
    outOfFold: [...validated.outOfFold],
    rounds: validated.rounds,
    tookSeconds: (ports.clock.nowMs() - startedMs) / 1000,
  };
  const key = `${snapshotPrefix({ useCase, runId })}candidates/${candidate.id}.json`;
  await ports.registry.put(key, toJsonBytes(document));
  return { candidateId: candidate.id, metric, mean: document.mean[metric], key };
};
