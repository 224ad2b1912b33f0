import { say } from '../../governance/text.ts';
import type { DevianceFamily } from '../../ml/metrics/deviance.ts';
import {
  type Evaluation,
  type EvaluationOptions,
  type LabelKind,
  evaluatePredictions,
  withoutRoundingError,
} from '../../ml/suite/evaluate.ts';
import { crossValidate } from '../../ml/tune/cross-validate.ts';
import { kFold, stratifiedKFold } from '../../ml/tune/folds.ts';
import { holdout } from '../../ml/tune/holdout.ts';
import { share, whole } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import type { Learner, Objective } from './learners.ts';
import { type Task, seedOf } from './task.ts';

/** How good a model is, and by which rows that was told. */
export type Judgement = { by: string; evaluation: Evaluation };

/**
 * With `--validation-share` one model is fitted, judged on the rows kept back, and is the one that is written; early stopping looks
 * at rows of its own, so that the judgement stays honest. Without it folds are judged, and the model learns from all rows.
 */
export function judgeAndFit<Model>(
  call: Call,
  task: Task,
  parameters: Record<string, unknown>,
  learner: Learner<Model>,
): { model: Model; judged: Judgement } {
  const { totals, objective } = task;
  const rows = totals.length;
  const seed = seedOf(call);
  const kept = share(call, 'validation-share');
  const folds = whole(call, 'folds', 2);
  const stopsEarly = Number(parameters['earlyStoppingRounds'] ?? 0) > 0;
  if (kept !== undefined && folds !== undefined)
    throw new UsageError('--folds and --validation-share exclude each other.');
  if (kept === undefined && stopsEarly)
    throw new UsageError('--early-stopping-rounds needs --validation-share: rows to look at.');

  const stratify = objective === 'binary' ? { stratify: totals } : {};
  if (kept !== undefined) {
    const parts = holdout(rows, { test: kept, ...(stopsEarly && { validation: kept }), seed, ...stratify });
    if (parts.test.length === 0 || parts.train.length === 0)
      throw new UsageError(`--validation-share ${kept} of ${rows} rows leaves a part empty.`);
    const model = learner.fit(parts.train, stopsEarly ? parts.validation : undefined);
    const evaluation = evaluate(call, task, parts.test, learner.predict(model, parts.test), parameters);
    return {
      model,
      judged: { by: `Judged on ${say(parts.test.length)} rows that the model has not seen:`, evaluation },
    };
  }

  const count = folds ?? 5;
  const splits =
    objective === 'binary' ? stratifiedKFold(totals, { folds: count, seed }) : kFold(rows, { folds: count, seed });
  const { outOfFold } = crossValidate({
    splits,
    actual: totals,
    metrics: {},
    fit: (rows) => learner.fit(rows),
    predict: (model, rows) => learner.predict(model, rows),
  });
  const everyRow = Uint32Array.from(totals.keys());
  const evaluation = evaluate(call, task, everyRow, outOfFold, parameters);
  return {
    model: learner.fit(everyRow),
    judged: { by: `Judged by ${count}-fold cross-validation, the model itself has learnt from all rows:`, evaluation },
  };
}

/** `predicted` are the learner's: rates where there is exposure. */
function evaluate(
  call: Call,
  { objective, totals, exposure, weight }: Task,
  rows: Uint32Array,
  predicted: Float64Array,
  parameters: Record<string, unknown>,
): Evaluation {
  const take = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]);
  const own = exposure && take(exposure);
  const actual = take(totals);
  const family = familyOf(objective, parameters);
  const options: EvaluationOptions = {
    kind: labelKind(objective, actual),
    seed: seedOf(call),
    resamples: whole(call, 'resamples', 1) ?? 1000,
    ...(family && { family }),
    ...(objective === 'quantile' && { quantile: Number(parameters['alpha'] ?? 0.9) }),
  };
  return evaluatePredictions(
    {
      actual,
      predicted: own ? predicted.map((rate, i) => rate * own[i]) : withoutRoundingError(actual, predicted),
      ...(weight && { weight: take(weight) }),
      ...(own && { exposure: own }),
    },
    options,
  );
}

function labelKind(objective: Objective, actual: Float64Array): LabelKind {
  if (objective === 'binary') return 'classification';
  return objective === 'poisson' && actual.every(Number.isInteger) ? 'count' : 'regression';
}

/** The deviance that the objective minimises; the others have none of an insurance family. */
function familyOf(objective: Objective, { tweediePower = 1.5 }: { tweediePower?: number }): DevianceFamily | undefined {
  if (objective === 'poisson' || objective === 'gamma') return objective;
  return objective === 'tweedie' ? { tweedie: tweediePower } : undefined;
}
